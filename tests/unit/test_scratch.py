"""Folders of dead processes are swept, those of living ones are not."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from config import scratch


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_what_a_killed_process_left_is_swept(tmp_path):
    """SIGKILL leaves the folder; the next sweep of any process takes it."""
    program = (
        "import os; from config import scratch;print(scratch.Scratch('test').path, flush=True); os.kill(os.getpid(), 9)"
    )
    environment = {"TMPDIR": str(tmp_path), "PATH": ""}
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, capture_output=True, text=True)
    left = Path(told.stdout.strip())
    assert left.is_dir()
    assert 1 == scratch.sweep()
    assert not left.exists()


def test_what_is_in_use_stays(tmp_path):
    """Neither this process's folders nor what is not ours are touched."""
    others = tmp_path / f"{scratch.PREFIX}of-nobody"
    others.mkdir()
    with scratch.folder("test") as in_use:
        assert 0o700 == in_use.stat().st_mode & 0o777
        assert 0 == scratch.sweep()
        assert in_use.is_dir()
    assert [others] == list(tmp_path.iterdir())
