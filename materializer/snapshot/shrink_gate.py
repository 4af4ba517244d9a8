"""Removes what full pulls found gone, unless that is suspiciously much: then the run is held for the operator.

The order, per source and run: the gate judges the rows missing from the complete full pulls. When it trips, all
removals of the source are held as they are, without asking the source about thousands of rows one by one. When it does
not, each removal is confirmed by a direct look-up and applied; confirmation can only lessen their number, so the gate
need not be asked again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

import sql
from config.database import Database
from config.schedule import ShrinkGate
from materializer.snapshot import deletions, store
from materializer.snapshot.commit import Applied
from materializer.snapshot.pulls import Key
from materializer.snapshot.streams import STREAMS

LEAVING_ORDER = ("cancellation", "pay_method", "invoice", "service", "client", "case", "order", "account")
"""Streams whose rows lead to a customer by another stream's go before that one, so that the customer is marked."""
SAMPLES = 5
"""Ids of each stream that the operator is shown of a hold."""
FEW_ROWS = 3
"""A stream of this many rows or more never loses all of them unasked."""


@dataclass(frozen=True)
class Removals:
    """What became of the removals: counts by stream, or `held`, the summary of what waits for the operator."""

    removed: dict[str, int] = field(default_factory=dict)
    transitions: dict[str, int] = field(default_factory=dict)
    held: dict[str, Any] | None = None


def apply_removals(
    database: Database, applied: Sequence[Applied], gate: ShrinkGate | None, *, run_id: int, now: datetime
) -> Removals:
    """Applies or holds the removals of one source's run; only complete full pulls have any. `gate` None: accepted.

    Supersedes older holds of the source whose streams were all pulled whole now. Raises what a look-up at the source
    raises; then nothing is removed, and the next run pulls in full again.
    """
    whole = [stream for stream in applied if stream.pulled.extent == "full" and stream.pulled.is_complete]
    if not whole:
        return Removals()
    tripped = [] if gate is None else _tripped(database, whole, gate)
    if not tripped:
        confirmed = [(stream, _confirmed(stream)) for stream in _in_leaving_order(whole)]
        return database.transact(lambda connection: _apply(connection, confirmed, run_id, now))
    assert gate is not None
    summary = _summary(whole, tripped, gate)
    database.transact(lambda connection: _hold(connection, whole, summary, run_id, now))
    return Removals(held=summary)


def is_shrinking(before: int, missing: int, gate: ShrinkGate) -> bool:
    """Whether so many missing of so many known rows trip the gate."""
    share = missing * 100 > gate.percent * before and missing > gate.rows
    return share or (missing >= FEW_ROWS and missing == before)


def release(database: Database, run_id: int, now: datetime) -> dict[str, int]:
    """Applies the removals held by the run and returns them by stream; nothing when they were decided on before.

    Rows that have left meanwhile are ignored. A row that came back unchanged since cannot be recognised, so it goes;
    the next full pull would bring it again.
    """
    return database.transact(lambda connection: _release(connection, run_id, now))


def discard(database: Database, run_id: int, now: datetime) -> bool:
    """Forgets the removals held by the run. False when they were decided on before."""
    return database.transact(lambda connection: _decide(connection, run_id, "discarded", now))


# Judging --------------------------------------------------------------------------------------------------------------


def _tripped(database: Database, whole: Sequence[Applied], gate: ShrinkGate) -> list[dict[str, Any]]:
    """The streams that trip the gate, judged by the rows known before the pull: new ones hide no loss of the old."""
    if not any(stream.missing for stream in whole):
        return []
    with database.begin() as connection:
        rows = store.count_rows(connection)
    before = {applied.pulled.stream.name: rows[applied.pulled.stream.name] - applied.added for applied in whole}
    missing = {applied.pulled.stream.name: len(applied.missing) for applied in whole}
    return [
        {"stream": name, "rows": before[name], "missing": missing[name]}
        for name in before
        if is_shrinking(before[name], missing[name], gate)
    ]


def _confirmed(applied: Applied) -> list[Key]:
    """The missing keys the source does not have when asked for them directly; all where it cannot be asked."""
    if not applied.missing or applied.pulled.confirm_gone is None:
        return list(applied.missing)
    gone = applied.pulled.confirm_gone(applied.missing)
    return [key for key in applied.missing if key in gone]


def _in_leaving_order(applied: Sequence[Applied]) -> list[Applied]:
    return sorted(applied, key=lambda stream: LEAVING_ORDER.index(stream.pulled.stream.name))


def _summary(whole: Sequence[Applied], tripped: list[dict[str, Any]], gate: ShrinkGate) -> dict[str, Any]:
    return {
        "removals": {stream.pulled.stream.name: len(stream.missing) for stream in whole if stream.missing},
        "samples": {stream.pulled.stream.name: list(stream.missing[:SAMPLES]) for stream in whole if stream.missing},
        "tripped": tripped,
        "limit": {"percent": gate.percent, "rows": gate.rows},
    }


# Applying and holding -------------------------------------------------------------------------------------------------


def _apply(
    connection: Connection, confirmed: Sequence[tuple[Applied, list[Key]]], run_id: int, now: datetime
) -> Removals:
    removed: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    for applied, keys in confirmed:
        deleted = deletions.remove(connection, applied.pulled.stream, keys, run_id, now)
        merged = {loser: winner for loser, winner in applied.pulled.merged.items() if loser in set(keys)}
        deletions.merge(connection, merged, now)
        removed[applied.pulled.stream.name] += deleted.removed
        steps.update(deleted.transitions)
    _supersede(connection, [applied for applied, _ in confirmed], run_id, now)
    _note_full(connection, [applied for applied, _ in confirmed], now)
    return Removals({name: count for name, count in removed.items() if count}, dict(steps))


def _hold(
    connection: Connection, whole: Sequence[Applied], summary: dict[str, Any], run_id: int, now: datetime
) -> None:
    _supersede(connection, whole, run_id, now)
    parameters = {
        "run_id": run_id,
        "gate": "shrink",
        "source": whole[0].pulled.stream.source,
        "summary": json.dumps(summary),
        "held_at": now,
    }
    connection.execute(sql.statement("holds/insert_held_run"), parameters)
    for applied in whole:
        ids = [str(key) for key in applied.missing]
        removals = {"run_id": run_id, "stream": applied.pulled.stream.name, "record_ids": ids}
        connection.execute(sql.statement("holds/insert_held_removals"), removals)
    _note_full(connection, whole, now)


def _note_full(connection: Connection, whole: Sequence[Applied], now: datetime) -> None:
    streams = [applied.pulled.stream.name for applied in whole]
    connection.execute(sql.statement("snapshot/note_streams_read_in_full"), {"streams": streams, "full_at": now})


def _supersede(connection: Connection, whole: Sequence[Applied], run_id: int, now: datetime) -> None:
    streams = {applied.pulled.stream.name for applied in whole}
    source = whole[0].pulled.stream.source
    for hold in connection.execute(sql.statement("holds/list_open_shrink_holds"), {"source": source}).all():
        if hold.run_id != run_id and streams >= set(hold.streams):
            _decide(connection, hold.run_id, "superseded", now)


def _release(connection: Connection, run_id: int, now: datetime) -> dict[str, int]:
    held = {
        row.stream: row.record_ids
        for row in connection.execute(sql.statement("holds/list_held_removals"), {"run_id": run_id})
    }
    if not _decide(connection, run_id, "released", now):
        return {}
    removed = {}
    for name in (name for name in LEAVING_ORDER if name in held):
        stream = STREAMS[name]
        keys: list[Key] = [int(key) for key in held[name]] if stream.has_integer_key else held[name]
        removed[name] = deletions.remove(connection, stream, keys, run_id, now).removed
    return removed


def _decide(connection: Connection, run_id: int, decision: str, now: datetime) -> bool:
    """Notes the decision, once; the run's outcome follows it and what it held is forgotten."""
    parameters = {"run_id": run_id, "decision": decision, "now": now}
    if connection.execute(sql.statement("holds/decide_shrink_hold"), parameters).first() is None:
        return False
    outcome = "succeeded" if decision == "released" else "discarded"
    connection.execute(sql.statement("holds/end_held_job_run"), {"run_id": run_id, "outcome": outcome})
    connection.execute(sql.statement("holds/delete_held_removals"), {"run_id": run_id})
    return True
