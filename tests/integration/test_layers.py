"""The rooms are ours, and imports go one way."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize("room", ["config", "sql", "materializer", "jobs", "readapi"])
def test_every_room_is_imported_from_this_checkout(room: str) -> None:
    """Their names are words others use too; an installed namesake must not shadow them."""
    assert CHECKOUT / room / "__init__.py" == Path(str(importlib.import_module(room).__file__))


def test_imports_go_one_way() -> None:
    """The contracts of setup.cfg hold."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout
