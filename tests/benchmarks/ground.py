"""The ground that the works about customers stand on: a snapshot filled straight by SQL, and the product's own jobs.

Sources take no part here, so that what is timed is the way from the snapshot to the documents.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import Engine, text

from config import tables
from config.database import LiveDatabase, connect
from config.notifications import FloodGate
from config.schedule import Freshness
from config.settings import Settings
from jobs.runs import executor
from materializer.refresh import rebuild, refresh
from materializer.refresh.rebuild import Rebuilt
from materializer.refresh.refresh import Refreshed
from materializer.rules.rules import Rules
from materializer.units import At, Batching
from tests.benchmarks.bench import Bench, settings_for

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
STATEMENTS = Path(__file__).with_name("customers.sql")
run_ids = count(1_000)


@dataclass(frozen=True)
class Ground:
    """A database with so many customers, and the jobs on it. `rules` lets every notification pass the flood gate."""

    url: str
    engine: Engine
    customers: int
    rules: Rules
    settings: Settings
    freshness: Freshness

    def rebuild(self, rules: Rules | None = None) -> Rebuilt:
        """`me-status rebuild` with two worker processes, without its ledger row."""
        with executor.submitting(self.settings, self.database) as submit:
            return rebuild.rebuild(self.database, rules or self.rules, At(next(run_ids), NOW), Batching(2000, submit))

    def refresh(self) -> Refreshed:
        """`me-status run refresh` with two worker processes, without its ledger row."""
        with executor.submitting(self.settings, self.database) as submit:
            return refresh.refresh(
                self.database, self.rules, At(next(run_ids), NOW), self.freshness, Batching(2000, submit)
            )

    @property
    def database(self) -> LiveDatabase:
        return LiveDatabase(self.engine)

    def reworded(self) -> Rules:
        """Rules of another version, by which every row differs from the one stored."""
        gate = self.rules.notifications.flood_gate
        other = self.rules.notifications.model_copy(
            update={"flood_gate": gate.model_copy(update={"floor": next(run_ids) + 10**9})}
        )
        return replace(self.rules, notifications=other)

    def execute(self, statement: str, **parameters: object) -> None:
        """One statement in a transaction of its own."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)

    def vacuum(self) -> None:
        """Gives back what the round before left behind, and analyzes the tables."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("vacuum analyze")
            connection.execute("checkpoint")


@contextmanager
def filled(bench: Bench, customers: int) -> Iterator[Ground]:
    """A fresh database with a full snapshot and no documents."""
    with bench.database() as url:
        settings = settings_for(url, me_status_executor="processes")
        files = tables.load(settings)
        notifications = files.notifications.model_copy(
            update={"flood_gate": FloodGate(floor=10**9, factor=1000, days=30)}
        )
        engine = connect(settings)
        rules = Rules(notifications, files.tasks, ZoneInfo("Asia/Tokyo"), files.wording)
        ground = Ground(url, engine, customers, rules, settings, files.schedule.freshness_minutes)
        bench.say(f"filling the snapshot with {customers:,} customers")
        try:
            for statement in STATEMENTS.read_text().split(";\n"):
                ground.execute(statement, customers=customers)
            ground.vacuum()
            yield ground
        finally:
            engine.dispose()


def timed(work: Callable[[], object]) -> float:
    """How many seconds the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
