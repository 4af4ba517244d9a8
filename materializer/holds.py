"""Held runs: what the flood or the shrink gate stopped, noted, listed and decided once, until an operator says so."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

import sql
from materializer.units import At

Gate = Literal["flood", "shrink"]
Decision = Literal["released", "discarded", "superseded"]


@dataclass(frozen=True)
class HeldRun:
    """A run that a gate stopped: `source` of the shrink gate's, `summary` as that gate wrote it, None for undecided."""

    run_id: int
    gate: Gate
    source: str | None
    summary: dict[str, Any]
    held_at: datetime
    decision: Decision | None = None


def note(connection: Connection, at: At, gate: Gate, summary: dict[str, Any], source: str | None = None) -> None:
    """Holds the run for the operator; the second time changes nothing."""
    parameters = {"run_id": at.run_id, "gate": gate, "source": source, "held_at": at.now}
    connection.execute(
        sql.statement("holds/insert_held_run"), parameters | {"summary": json.dumps(summary, default=str)}
    )


def waiting(connection: Connection) -> list[HeldRun]:
    """The runs that nobody has decided on, oldest first."""
    rows = connection.execute(sql.statement("holds/list_undecided_holds")).mappings()
    return [HeldRun(**row) for row in rows]


def find(connection: Connection, run_id: int) -> HeldRun | None:
    """The held run with its decision; None when the run was never held."""
    row = connection.execute(sql.statement("holds/read_held_run"), {"run_id": run_id}).mappings().one_or_none()
    return None if row is None else HeldRun(**row)


def lock(connection: Connection, run_id: int, gate: Gate) -> bool:
    """Keeps others from deciding on the run until the transaction ends; False when it does not wait at this gate."""
    parameters = {"run_id": run_id, "gate": gate}
    return connection.execute(sql.statement("holds/lock_held_run"), parameters).first() is not None


def decide(connection: Connection, run_id: int, gate: Gate, decision: Decision, now: datetime) -> bool:
    """Notes the decision, and the run's outcome with it; False when it does not wait at this gate any longer."""
    outcome = "succeeded" if decision == "released" else "discarded"
    parameters = {"run_id": run_id, "gate": gate, "decision": decision, "outcome": outcome, "now": now}
    return connection.execute(sql.statement("holds/decide_held_run"), parameters).first() is not None
