"""What a command imports before it does anything: counted in modules, since seconds differ by machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "pandas",
    "pyarrow",
    "numpy",
    "alembic",
    "distributed",
    "httpx",
    "requests",
    "simple_salesforce",
    "flask",
    "apscheduler",
)
"""What the doing of a job, or the read side, needs, and who asks how things are does not."""
LOADED = "import sys; {statement}; print(*sys.modules)"


def modules(statement: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(statement=statement)], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("statement", "at_most"),
    [
        ("from jobs.arguments import parser; parser().format_help()", 130),
        ("import jobs.commands.status, jobs.program", 800),
        ("import jobs.commands.run, jobs.runs.slots", 800),
    ],
    ids=["--help", "status", "run --slot"],
)
def test_a_start_imports_little(statement: str, at_most: int) -> None:
    """`--help`, `status` and an offered slot that another process fills."""
    found = modules(statement)
    assert [] == [name for name in HEAVY if name in found]
    assert len(found) <= at_most
