"""`held`: the runs that a gate stopped, and the operator's decision on each."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

import sql
from config.database import LiveDatabase
from config.errors import MeStatusError
from jobs.program import SUCCESS, Program, answer, say
from jobs.runs import ledger
from jobs.runs.dispatch import rules
from jobs.runs.summary import counted
from jobs.text import in_seconds, written
from materializer.refresh import outbox
from materializer.snapshot import shrink_gate


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Lists, releases or discards held runs. Deciding twice is harmless."""
    with program.database() as engine:
        if arguments.action == "list":
            return _list(engine, arguments)
        now = arguments.as_of or datetime.now(UTC)
        result = decide(engine, program, arguments.action, arguments.run_id, now)
    if arguments.json:
        answer(result)
    else:
        say(_in_words(result))
    return SUCCESS


def decide(engine: Engine, program: Program, action: str, run_id: int, now: datetime) -> dict[str, Any]:
    """Releases or discards the held run as at `now`; what came of it. Raises MeStatusError for a run never held."""
    with engine.connect() as connection:
        row = connection.execute(sql.statement("holds/read_held_run"), {"run_id": run_id}).mappings().one_or_none()
    if row is None:
        raise MeStatusError(f"run {run_id} was never held; `me-status held list` names those that are")
    lock = "refresh" if row["gate"] == "flood" else f"sync-{row['source']}"
    with ledger.alone(engine, lock):
        done = _decide(LiveDatabase(engine), program, action, row["gate"], run_id, now)
    with engine.connect() as connection:
        decision = (
            connection.execute(sql.statement("holds/read_held_run"), {"run_id": run_id}).mappings().one()["decision"]
        )
    return {"runId": run_id, "gate": row["gate"], "action": action, "decision": decision, **done}


def _decide(
    database: LiveDatabase, program: Program, action: str, gate: str, run_id: int, now: datetime
) -> dict[str, Any]:
    if gate == "flood" and action == "release":
        sent = outbox.release(database, rules(program.settings, program.tables), run_id, now)
        if sent is None:
            return {"changed": False}
        return {"changed": True, "sent": sent.sent, "suppressed": sent.suppressed}
    if gate == "flood":
        dropped = outbox.discard(database, run_id, now)
        return {"changed": dropped is not None, "discarded": dropped or 0}
    if action == "release":
        removed = shrink_gate.release(database, run_id, now)
        return {"changed": bool(removed), "removed": removed}
    return {"changed": shrink_gate.discard(database, run_id, now)}


def _list(engine: Engine, arguments: argparse.Namespace) -> int:
    with engine.connect() as connection:
        rows = connection.execute(sql.statement("holds/list_undecided_holds")).mappings().all()
    held = [{_NAMES[name]: _plain(value) for name, value in row.items()} for row in rows]
    if arguments.json:
        answer({"held": held})
    else:
        say(in_seconds("\n".join(line for run in held for line in in_words(run))) or "nothing is held")
    return SUCCESS


# In words -------------------------------------------------------------------------------------------------------------


def in_words(held: dict[str, Any]) -> list[str]:
    """A held run for people: what would happen, to how many, which limit tripped, and the two ways to decide."""
    of = f" of {held['source']}" if held["source"] else ""
    return [
        f"run {held['runId']} is held by the {held['gate']} gate{of} since {held['heldAt']}",
        *(_flood(held["summary"]) if held["gate"] == "flood" else _shrink(held["summary"])),
        f"  to {'send' if held['gate'] == 'flood' else 'remove'} these:  me-status held release {held['runId']}",
        f"  to drop them:   me-status held discard {held['runId']}",
    ]


def summary_in_words(gate: str | None, summary: dict[str, Any]) -> Iterable[str]:
    """What a gate held, without the ways to decide: for a rehearsal."""
    return _flood(summary) if gate == "flood" else _shrink(summary)


def _flood(summary: dict[str, Any]) -> Iterator[str]:
    yield "  it would send"
    for kind, of in summary["types"].items():
        count = counted(of["notifications"], "notification", "notifications")
        people = counted(of["recipients"], "customer", "customers")
        most = f"the most one run sent in {summary['days']} days: {of['mostSent']:,}"
        limit = f"{'beyond' if of['isBeyondLimit'] else 'within'} the limit of {of['limit']:,} ({most})"
        yield f"    {kind}: {count} to {people}, {limit}"
        yield f'      "{of["title"]}", such as to {", ".join(of["customers"])}'


def _shrink(summary: dict[str, Any]) -> Iterator[str]:
    rows = {tripped["stream"]: tripped["rows"] for tripped in summary["tripped"]}
    limit = summary["limit"]
    yield "  it would remove"
    for stream, missing in summary["removals"].items():
        beyond = f" of {rows[stream]:,}, too many (the gate holds {limit['percent']:g} % and {limit['rows']} rows)"
        samples = ", ".join(str(key) for key in summary["samples"].get(stream, ()))
        count = counted(missing, "record", "records") + (beyond if stream in rows else "")
        yield f"    {stream}: {count}, such as {samples}"


_NAMES = {"run_id": "runId", "gate": "gate", "source": "source", "summary": "summary", "held_at": "heldAt"}


def _in_words(result: dict[str, Any]) -> str:
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


def _plain(value: Any) -> Any:
    return written(value) if isinstance(value, datetime) else value
