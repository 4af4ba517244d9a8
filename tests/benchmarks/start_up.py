"""What a command costs before it does anything: processor seconds, user and system, of child processes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.bench import Bench
from tests.benchmarks.measured import Measured, at_most, of_rounds

GOAL_SECONDS = 0.4
BEYOND_THE_FLOOR = 1.4
LIBRARIES = "import sqlalchemy.dialects.postgresql.psycopg, pydantic_settings"
COMMANDS = {"--help": ["--help"], "status": ["status"], "run refresh --slot": ["run", "refresh", "--slot"]}
BOUND = (
    "a whole child process, its interpreter included, on a migrated, empty database; modules compiled beforehand, as"
    " pip does. What is left is the import of SQLAlchemy, psycopg and pydantic, which every command that reads the"
    " database needs: only without these libraries would it be less"
)


def run(bench: Bench) -> list[Measured]:
    """Each command by turns with the bare import of the libraries that it stands on."""
    with bench.database() as url:
        rounds = [_round(url) for _ in range(1 + bench.pick(full=9, small=9))][1:]  # the first one compiles
    rows = []
    for name in COMMANDS:
        against_goal = [(taken[name], GOAL_SECONDS) for taken in rounds]
        rows.append(of_rounds(f"start-up: {name}", "the goal", against_goal, "CPU s", at_most(1), BOUND))
        if name != "--help":
            pairs = [(taken[name], taken[LIBRARIES]) for taken in rounds]
            floor = "import of its libraries alone"
            rows.append(of_rounds(f"start-up: {name}", floor, pairs, "CPU s", at_most(BEYOND_THE_FLOOR), LIBRARIES))
    return rows


def _round(url: str) -> dict[str, float]:
    used = {name: _cpu_seconds(["-m", "jobs", *words], url) for name, words in COMMANDS.items()}
    return used | {LIBRARIES: _cpu_seconds(["-c", LIBRARIES], url)}


def _cpu_seconds(words: list[str], url: str) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *words],
        cwd=Path(__file__).parents[2],
        env=environment | {"DATABASE_URL": url},
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if b"Traceback" in done.stderr or done.returncode > 1:  # `status` of an empty database is 1: not healthy
        raise RuntimeError(done.stderr.decode()[-2000:])
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
