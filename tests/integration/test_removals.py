"""Settling what full pulls found gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, text

from config import fields
from config.database import LiveDatabase
from config.schedule import ShrinkGate
from materializer.snapshot import commit, shrink_gate
from materializer.snapshot.pulls import Pulled
from materializer.snapshot.shrink_gate import Removals
from materializer.snapshot.streams import SERVICE
from materializer.snapshot.transitions import TransitionPolicy
from materializer.units import At, Batching

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
GATE = ShrinkGate(percent=5, rows=10)
BASELINE = TransitionPolicy(fields.load().words, is_baseline=True)


class Services:
    """A spool of services in memory."""

    def __init__(self, ids: Any) -> None:
        rows = [dict.fromkeys(SERVICE.columns) | {"service_id": key, "client_id": 1} for key in ids]
        self.table = pa.Table.from_pylist(rows, schema=SERVICE.schema)
        self.rows = len(self.table)

    def windows(self, size: int) -> Iterator[pa.Table]:
        yield self.table

    def close(self) -> None: ...


def remove_missing(
    database: LiveDatabase, ids: Any, run_id: int, gate: ShrinkGate | None = GATE, kept: Any = (), **more: Any
) -> Removals:
    """A full pull of services `ids`; the source still has those in `kept` when asked directly."""
    pulled = Pulled(SERVICE, Services(ids), "full", confirm_gone=lambda keys: set(keys) - set(kept), **more)
    taken = commit.apply(database, pulled, BASELINE, At(run_id, NOW), Batching(1000))
    return shrink_gate.apply_removals(database, [taken], gate, At(run_id, NOW))


def left(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select count(*) from snapshot.service")).scalar_one())


def decision(engine: Engine, run_id: int) -> str | None:
    with engine.connect() as connection:
        query = text("select decision from pipeline.held_run where run_id = :run_id")
        found: str | None = connection.execute(query, {"run_id": run_id}).scalar_one()
        return found


@pytest.mark.parametrize(
    ("before", "missing", "expected"),
    [(100, 10, False), (100, 11, True), (220, 11, False), (2, 2, False), (3, 3, True), (3, 2, False), (0, 0, False)],
)
def test_the_gate_trips_on_a_share_and_a_number_or_on_everything(before: int, missing: int, expected: bool) -> None:
    """More than 5 % and more than 10 rows, or every row of three or more."""
    assert expected is shrink_gate.is_shrinking(before, missing, GATE)


def test_confirmed_removals_are_applied_and_others_stay(database: LiveDatabase, engine: Engine) -> None:
    """A row that the source still has when asked directly stays."""
    remove_missing(database, range(100), 1)
    assert {"service": 2} == remove_missing(database, range(3, 100), 2, kept={1}).removed
    assert 98 == left(engine)


def test_an_incomplete_pull_removes_nothing(database: LiveDatabase, engine: Engine) -> None:
    """Counts that do not agree conclude nothing."""
    remove_missing(database, range(100), 1)
    assert Removals() == remove_missing(database, range(3, 100), 2, is_complete=False, why_incomplete="counts differ")
    assert 100 == left(engine)


def test_a_held_run_is_released_once(database: LiveDatabase, engine: Engine) -> None:
    """Held removals wait for the operator; releasing twice is harmless."""
    remove_missing(database, range(100), 1)
    held = remove_missing(database, range(50), 2).held
    assert held is not None
    assert ({"service": 50}, 100) == (held["removals"], left(engine))
    assert ({"service": 50}, {}) == (
        shrink_gate.release(database, At(2, NOW)),
        shrink_gate.release(database, At(2, NOW)),
    )
    assert 50 == left(engine)


def test_a_discarded_run_removes_nothing(database: LiveDatabase, engine: Engine) -> None:
    """The rows stay; discarding twice is harmless, and there is nothing left to release."""
    remove_missing(database, range(100), 1)
    remove_missing(database, range(50), 2)
    assert (True, False) == (shrink_gate.discard(database, At(2, NOW)), shrink_gate.discard(database, At(2, NOW)))
    assert ({}, 100) == (shrink_gate.release(database, At(2, NOW)), left(engine))


def test_a_later_complete_pull_supersedes_a_hold(database: LiveDatabase, engine: Engine) -> None:
    """What it found gone counts, not what was held."""
    remove_missing(database, range(100), 1)
    remove_missing(database, range(50), 2)
    remove_missing(database, range(100), 3)
    assert ("superseded", 100) == (decision(engine, 2), left(engine))


def test_an_accepted_shrink_passes(database: LiveDatabase, engine: Engine) -> None:
    """Without a gate any number goes, confirmed all the same."""
    remove_missing(database, range(100), 1)
    assert {"service": 99} == remove_missing(database, [0], 2, gate=None).removed
