"""`run all` while nothing changed: incremental pulls against full ones."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from config import tables
from config.database import connect
from jobs.program import Program
from jobs.runs.ledger import RunOptions
from jobs.runs.run import by_hand
from tests.benchmarks.bench import Bench, settings_for
from tests.benchmarks.ground import NOW, timed
from tests.benchmarks.measured import Measured, at_most, of_rounds
from tests.benchmarks.sources_standin import started

STEP = timedelta(minutes=10)
NOTE = (
    "both stand-ins run in a process of their own, and what they take to answer counts on both sides; streams of fewer "
    "than 20,000 rows are read whole on both sides, which a hundredth of the customers mostly have. What is left: the "
    "list of unpaid invoices, some 4 % of all, else one that left it goes unseen until the next sweep, and "
    "the clients whose turn in the round robin of pay methods it is, one in 144"
)


def run(bench: Bench) -> list[Measured]:
    """A baseline, then rounds of a run in full and a run ten minutes later."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    customers = bench.sized(1_000_000)
    rounds = []
    with started(customers) as leading, bench.database() as url:
        settings = settings_for(url, **leading)
        program, engine = Program(settings, tables.load(settings)), connect(settings)
        now = NOW
        bench.say(f"baseline: {timed(lambda: _run(engine, program, now, full=True)):.1f} s")
        for _ in range(bench.pick(full=1, small=3)):
            now += STEP
            full = timed(lambda: _run(engine, program, now, full=True))  # noqa: B023
            now += STEP
            incremental = timed(lambda: _run(engine, program, now, full=False))  # noqa: B023
            rounds.append((incremental, full))
            bench.say(f"incremental {incremental:.2f} s, full {full:.1f} s")
        engine.dispose()
    work = f"nothing changed, {customers:,} customers: run all"
    goal = at_most(0.04 if bench.is_small else 0.02)
    return [of_rounds(work, "run all --full", rounds, "s", goal, NOTE)]


def _run(engine: Engine, program: Program, now: datetime, *, full: bool) -> None:
    reports = by_hand(engine, program, "all", RunOptions(full=full), now)
    failed = [report.in_words() for report in reports if report.outcome == "failed"]
    assert not failed, failed
