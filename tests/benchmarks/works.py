"""The works, by name. Each module has `run(bench) -> list[Measured]` and is imported only when its work is asked for,
so that a work needs its own rivals installed and no other's."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from tests.benchmarks.bench import Bench
from tests.benchmarks.measured import Measured

WORKS = {
    "pull": "tests.benchmarks.pull",
    "diff": "tests.benchmarks.diff",
    "first": "tests.benchmarks.first",
    "memory": "tests.benchmarks.memory",
    "rebuild": "tests.benchmarks.rebuild",
    "refresh": "tests.benchmarks.refresh",
    "additions": "tests.benchmarks.additions",
    "unchanged": "tests.benchmarks.unchanged",
    "api-status": "tests.benchmarks.api_status",
    "api-live": "tests.benchmarks.api_live",
    "live": "tests.benchmarks.live",
    "start-up": "tests.benchmarks.start_up",
}
"""In the order of the table."""


def work_named(name: str) -> Callable[[Bench], list[Measured]]:
    """The work's function. Raises ImportError when what it compares with is not installed."""
    run: Callable[[Bench], list[Measured]] = import_module(WORKS[name]).run
    return run
