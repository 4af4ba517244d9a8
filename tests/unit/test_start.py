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
    "rich",
    "attr",
    "stamina",
    "psutil",
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
        ("import jobs.commands.status, jobs.program", 630),
        ("import jobs.commands.run, jobs.runs.slots", 630),
        ("import jobs.commands.run, jobs.runs.slots, materializer.refresh.refresh", 680),
    ],
    ids=["--help", "status", "run --slot", "a refresh that finds nothing to do"],
)
def test_a_start_imports_little(statement: str, at_most: int) -> None:
    """`--help`, `status` and an offered slot that another process fills."""
    found = modules(statement)
    assert [] == [name for name in HEAVY if name in found]
    assert len(found) <= at_most


def test_structlog_comes_without_rich_and_leaves_it_importable():
    """Rich is for who watches a terminal, and there it must be whole."""
    found = modules("import config.logs, rich.console; import structlog.dev as dev; assert dev.rich is None")
    assert "rich.console" in found
