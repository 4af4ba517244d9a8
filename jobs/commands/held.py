"""`held`: the runs that a gate stopped, and the operator's decision on each."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

import sql
from config.database import LiveDatabase
from config.errors import MeStatusError
from jobs.program import SUCCESS, Program, answer, say
from jobs.runs import actions, ledger, summary
from jobs.runs.actions import Asked
from jobs.text import counted, in_seconds, written
from materializer import holds
from materializer.holds import Gate, HeldRun
from materializer.units import At

if TYPE_CHECKING:
    from materializer.refresh.outbox import Guests


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Lists, releases or discards held runs. Deciding twice is harmless."""
    with program.database() as engine:
        if arguments.action == "list":
            return _list(engine, arguments)
        now = arguments.as_of or datetime.now(UTC)
        result = decide(engine, arguments.action, At(arguments.run_id, now), program.tables.guests)
        with engine.begin() as connection:
            asked = Asked(arguments.action, run_id=arguments.run_id, reason=arguments.reason)
            actions.note(connection, asked, result_in_words(result))
    if arguments.json:
        answer(result)
    else:
        say(result_in_words(result))
    return SUCCESS


def decide(engine: Engine, action: str, at: At, guests: Guests) -> dict[str, Any]:
    """Releases (to guests alone, where there are) or discards the held run of `at`, as at its now; what came of it.

    Raises MeStatusError for a run never held.
    """
    held = _held_run(engine, at.run_id)
    lock = "refresh" if held.gate == "flood" else f"sync-{held.source}"
    with ledger.alone(engine, lock):
        done = _decide(LiveDatabase(engine), held.gate, action, at, guests)
    decision = _held_run(engine, at.run_id).decision
    return {"runId": at.run_id, "gate": held.gate, "action": action, "decision": decision, **done}


def _held_run(engine: Engine, run_id: int) -> HeldRun:
    with engine.connect() as connection:
        held = holds.find(connection, run_id)
    if held is None:
        raise MeStatusError(f"run {run_id} was never held; `me-status held list` names those that are")
    return held


def _decide(database: LiveDatabase, gate: Gate, action: str, at: At, guests: Guests) -> dict[str, Any]:
    """Imports here what decides: `status` lists held runs, too, and starts without it."""
    from materializer.refresh import outbox
    from materializer.snapshot import shrink_gate

    if gate == "flood" and action == "release":
        sent = outbox.release(database, at, guests)
        if sent is None:
            return {"changed": False}
        ledger.add_released(database, at.run_id, sent.sent, sent.suppressed)
        return {"changed": True, "sent": sent.sent, "suppressed": sent.suppressed}
    if gate == "flood":
        dropped = outbox.discard(database, at)
        return {"changed": dropped is not None, "discarded": dropped or 0}
    if action == "release":
        removed = shrink_gate.release(database, at)
        if removed.keys() & {"account", "client"}:
            with database.begin() as connection:
                connection.execute(sql.statement("snapshot/note_link_problems"), {"now": at.now, "run_id": at.run_id})
        return {"changed": bool(removed), "removed": removed}
    return {"changed": shrink_gate.discard(database, at)}


def _list(engine: Engine, arguments: argparse.Namespace) -> int:
    with engine.connect() as connection:
        held = [as_json(run) for run in holds.waiting(connection)]
    if arguments.json:
        answer({"held": held})
    else:
        say(in_seconds("\n".join(line for run in held for line in in_words(run))) or "nothing is held")
    return SUCCESS


def as_json(held: HeldRun) -> dict[str, Any]:
    """A held run as `held list` and `status` print it."""
    return {
        "runId": held.run_id,
        "gate": held.gate,
        "source": held.source,
        "summary": held.summary,
        "heldAt": written(held.held_at),
    }


# In words -------------------------------------------------------------------------------------------------------------


def in_words(held: dict[str, Any]) -> list[str]:
    """A held run for people: what would happen, to how many, which limit tripped, and the two ways to decide."""
    of = f" of {held['source']}" if held["source"] else ""
    drop = "them:  " if held["gate"] == "flood" else "these removals (the customers stay):"
    return [
        f"run {held['runId']} is held by the {held['gate']} gate{of} since {held['heldAt']}",
        *summary.of_held(held["gate"], held["summary"]),
        f"  to {'send' if held['gate'] == 'flood' else 'remove'} these:  me-status held release {held['runId']}",
        f"  to drop {drop}  me-status held discard {held['runId']}",
    ]


def result_in_words(result: dict[str, Any]) -> str:
    """What came of a decision, for people."""
    if not result["changed"]:
        return f"run {result['runId']} was {result['decision']} before; nothing to {result['action']}"
    if "sent" in result:
        sent, suppressed = sum(result["sent"].values()), sum(result["suppressed"].values())
        return f"run {result['runId']} released: {sent:,} sent, {suppressed:,} suppressed by dedupe"
    if "removed" in result:
        removed = counted(sum(result["removed"].values()), "record", "records")
        return f"run {result['runId']} released: {removed} removed"
    dropped = (
        f": {counted(result['discarded'], 'notification', 'notifications')} not sent"
        if result["gate"] == "flood"
        else ""
    )
    return f"run {result['runId']} discarded{dropped}"
