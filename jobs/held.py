"""`held`: the runs that a gate stopped, and the operator's decision on each."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

import sql
from config.database import LiveDatabase
from config.errors import MeStatusError
from jobs import runs
from jobs.instants import written
from jobs.perform import rules
from jobs.program import SUCCESS, Program, answer, say
from materializer import outbox, removals


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Lists, releases or discards held runs. Deciding twice is harmless."""
    with program.database() as engine:
        if arguments.action == "list":
            return _list(engine, arguments)
        now = arguments.as_of or datetime.now(UTC)
        result = decide(engine, program, arguments.action, arguments.run, now)
    if arguments.json:
        answer(result)
    else:
        say(_in_words(result))
    return SUCCESS


def decide(engine: Engine, program: Program, action: str, run_id: int, now: datetime) -> dict[str, Any]:
    """Releases or discards the held run as at `now`; what came of it. Raises MeStatusError for a run never held."""
    with engine.connect() as connection:
        row = connection.execute(sql.statement("read_held_run"), {"run_id": run_id}).mappings().one_or_none()
    if row is None:
        raise MeStatusError(f"run {run_id} was never held; `me-status held list` names those that are")
    lock = "refresh" if row["gate"] == "flood" else f"sync-{row['source']}"
    with runs.alone(engine, lock):
        done = _decide(LiveDatabase(engine), program, action, row["gate"], run_id, now)
    return {"runId": run_id, "gate": row["gate"], "action": action, **done}


def _decide(
    database: LiveDatabase, program: Program, action: str, gate: str, run_id: int, now: datetime
) -> dict[str, Any]:
    if gate == "flood" and action == "release":
        sent = outbox.release(database, rules(program.settings, program.tables), run_id, now)
        if sent is None:
            return {"changed": False}
        return {"changed": True, "sent": sent.sent, "swallowed": sent.swallowed}
    if gate == "flood":
        dropped = outbox.discard(database, run_id, now)
        return {"changed": dropped is not None, "discarded": dropped or 0}
    if action == "release":
        removed = removals.release(database, run_id, now)
        return {"changed": bool(removed), "removed": removed}
    return {"changed": removals.discard(database, run_id, now)}


def _list(engine: Engine, arguments: argparse.Namespace) -> int:
    with engine.connect() as connection:
        rows = connection.execute(sql.statement("list_undecided_holds")).mappings().all()
    held = [{_NAMES[name]: _plain(value) for name, value in row.items()} for row in rows]
    if arguments.json:
        answer({"held": held})
        return SUCCESS
    if not held:
        say("nothing is held")
    for run in held:
        of = f" of {run['source']}" if run["source"] else ""
        say(f"run {run['runId']}: held by the {run['gate']} gate{of} since {run['heldAt']}: {run['summary']}")
        say(f"  me-status held release {run['runId']}   or   me-status held discard {run['runId']}")
    return SUCCESS


_NAMES = {"run_id": "runId", "gate": "gate", "source": "source", "summary": "summary", "held_at": "heldAt"}


def _in_words(result: dict[str, Any]) -> str:
    if not result["changed"]:
        return f"run {result['runId']}: nothing to {result['action']}, it was decided before"
    if "sent" in result:
        swallowed = sum(result["swallowed"].values())
        return (
            f"run {result['runId']} released: {sum(result['sent'].values()):,} sent, {swallowed:,} swallowed by dedupe"
        )
    if "removed" in result:
        return f"run {result['runId']} released: {sum(result['removed'].values()):,} records removed"
    return f"run {result['runId']} discarded"


def _plain(value: Any) -> Any:
    return written(value) if isinstance(value, datetime) else value
