"""Removes what full pulls found gone, unless that is suspiciously much: then the run is held for the operator.

The order, per source and run: the gate judges the rows missing from the complete full pulls. When it trips, all
removals of the source are held as they are, without asking the source about thousands of rows one by one. When it does
not, each removal is confirmed by a direct look-up and applied; confirmation can only lessen their number, so the gate
need not be asked again.

A pull that is not complete proves nothing, with one exception: an unpaid invoice that it did not have is looked up, a
few in each run, or one that was deleted would be dunned for as long as the source miscounts. Those found gone are
judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

import sql
from config.database import Database
from config.schedule import ShrinkGate
from materializer import holds
from materializer.snapshot import commit, deletions, marks, store
from materializer.snapshot.commit import Applied
from materializer.snapshot.pulls import Key, Pulled
from materializer.snapshot.store import Scope
from materializer.snapshot.streams import STREAMS, Stream
from materializer.units import At

LEAVING_ORDER = ("cancellation", "pay_method", "invoice", "service", "client", "case", "order", "account")
"""Streams whose rows lead to a customer by another stream's go before that one, so that the customer is marked."""
SAMPLES = 5
"""Ids of each stream that the operator is shown of a hold."""
MOST_SUSPECTS = 100
"""So many are looked up in one run; in the next one, those that follow."""
FEW_ROWS = 3
"""A stream of this many rows or more never loses all of them unasked."""


@dataclass(frozen=True)
class Removals:
    """What became of the removals: counts by stream, or `held`, the summary of what waits for the operator.

    `left`: by stream the owners (as text) who were read by themselves and still have rows that they were read without:
    what the source has elsewhere by now, or what is held. Their documents do not rest on that reading.
    """

    removed: dict[str, int] = field(default_factory=dict)
    transitions: dict[str, int] = field(default_factory=dict)
    held: dict[str, Any] | None = None
    left: dict[str, frozenset[str]] = field(default_factory=dict)


def apply_removals(database: Database, applied: Sequence[Applied], gate: ShrinkGate | None, at: At) -> Removals:
    """Applies or holds the removals of one source's run; complete pulls of everything, or of owners, have some.

    So have incomplete ones, of their suspects.

    The gate judges a pull of owners against the rows known of them; `gate` None: accepted. Supersedes older holds of
    the source whose streams were all pulled whole now. Raises what a look-up at the source raises; then nothing is
    removed, and the next run pulls in full again.
    """
    whole = [judged for stream in applied if (judged := _judged(stream, at.run_id)) is not None]
    if not whole:
        return Removals()
    tripped = [] if gate is None else _tripped(database, whole, gate)
    if not tripped:
        confirmed = [(stream, _confirmed(stream)) for stream in _in_leaving_order(whole)]
        return database.transact(lambda connection: _apply(connection, confirmed, at))
    assert gate is not None
    summary = _summary(whole, tripped, gate)
    return database.transact(lambda connection: _hold(connection, whole, summary, at))


def left_by(applied: Iterable[Applied]) -> dict[str, frozenset[str]]:
    """`Removals.left` when nothing of what these pulls were missing is removed."""
    return {
        stream.pulled.stream.name: frozenset(map(str, stream.missing_of))
        for stream in applied
        if stream.pulled.is_hinted and stream.missing
    }


def is_shrinking(before: int, missing: int, gate: ShrinkGate, *, is_everything: bool = True) -> bool:
    """Whether so many missing of so many known rows trip the gate.

    `is_everything`: the rows are those of everybody; one customer alone may lose all it had.
    """
    share = missing * 100 > gate.percent * before and missing > gate.rows
    return share or (is_everything and missing >= FEW_ROWS and missing == before)


def release(database: Database, at: At) -> dict[str, int]:
    """Applies the removals held by the run and returns them by stream; nothing when they were decided on before.

    Rows that have left meanwhile are ignored, and so are those that a complete reading has had again.
    """
    return database.transact(lambda connection: _release(connection, at))


def discard(database: Database, at: At) -> bool:
    """Keeps the rows, as old as they are until a reading has them again. False when they were decided on before."""
    return database.transact(lambda connection: holds.decide(connection, at.run_id, "shrink", "discarded", at.now))


# Judging --------------------------------------------------------------------------------------------------------------


def _tripped(database: Database, whole: Sequence[Applied], gate: ShrinkGate) -> list[dict[str, Any]]:
    """The streams that trip the gate, judged by the rows known before the pull: new ones hide no loss of the old."""
    if not any(stream.missing for stream in whole):
        return []
    with database.begin() as connection:
        found = [_extent(connection, applied) for applied in whole]
    return [
        {"stream": extent.stream, "rows": extent.rows, "missing": extent.missing}
        for extent in found
        if is_shrinking(extent.rows, extent.missing, gate, is_everything=extent.is_everything)
    ]


def _judged(applied: Applied, run_id: int) -> Applied | None:
    """The pull with what may be removed for it; None: it proves nothing."""
    pulled = applied.pulled
    if pulled.extent == "partial":
        return None
    if pulled.is_complete:
        return applied
    suspects = [key for key in applied.missing if key in pulled.suspects]
    if not suspects:
        return None
    start = run_id * MOST_SUSPECTS % len(suspects)
    turn = (suspects[start:] + suspects[:start])[:MOST_SUSPECTS]
    return replace(applied, missing=tuple(_looked_up(replace(applied, missing=tuple(turn)))))


@dataclass(frozen=True)
class _Extent:
    """How many rows were known of what a pull read, and how many of them it did not have."""

    stream: str
    rows: int
    missing: int
    is_everything: bool


def _extent(connection: Connection, applied: Applied) -> _Extent:
    pulled, missing = applied.pulled, len(applied.missing)
    if pulled.extent == "full":
        rows = store.count_rows(connection)[pulled.stream.name]
        return _Extent(pulled.stream.name, rows - applied.added, missing, is_everything=True)
    rows = store.count_rows_of(connection, pulled.stream, pulled.owners)
    return _Extent(pulled.stream.name, rows - applied.added, missing, _is_of_everybody(connection, pulled))


def _is_of_everybody(connection: Connection, pulled: Pulled) -> bool:
    """Whether a complete pull read its stream whole: at once, or owner by owner."""
    if pulled.extent == "full":
        return pulled.is_complete
    return not pulled.is_hinted and len(set(pulled.owners)) >= store.count_rows(connection)["client"]


def _confirmed(applied: Applied) -> list[Key]:
    """The missing keys that are gone; suspects were looked up before the gate judged them."""
    return _looked_up(applied) if applied.pulled.is_complete else list(applied.missing)


def _looked_up(applied: Applied) -> list[Key]:
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


def _apply(connection: Connection, confirmed: Sequence[tuple[Applied, list[Key]]], at: At) -> Removals:
    removed: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    _hold_claims(connection, (applied.pulled.stream for applied, keys in confirmed if keys))
    for applied, keys in confirmed:
        deleted = deletions.remove(connection, applied.pulled.stream, keys, at)
        merged = {loser: winner for loser, winner in applied.pulled.merged.items() if loser in set(keys)}
        deletions.merge(connection, merged, at.now)
        removed[applied.pulled.stream.name] += deleted.removed
        steps.update(deleted.transitions)
    for applied, _ in confirmed:
        commit.note_readings(connection, applied, at.now)
    full = _full(applied for applied, _ in confirmed)
    _supersede(connection, [applied for applied, _ in confirmed], at)
    _note_full(connection, full, at.now)
    _note_proved(connection, full, at.now)
    kept = [applied for applied, keys in confirmed if len(keys) < len(applied.missing)]
    return Removals({name: count for name, count in removed.items() if count}, dict(steps), left=left_by(kept))


def _hold(connection: Connection, whole: Sequence[Applied], summary: dict[str, Any], at: At) -> Removals:
    holds.note(connection, at, "shrink", summary, whole[0].pulled.stream.source)
    for applied in whole:
        _note_held(connection, applied, at.run_id)
        commit.note_readings(connection, applied, at.now)
    _supersede(connection, whole, at)
    _note_full(connection, _full(whole), at.now)
    return Removals(held=summary, left=left_by(whole))


def _hold_claims(connection: Connection, streams: Iterable[Stream]) -> None:
    """Alone from the start, if accounts or clients go: who looks claims up before cannot have them alone any more."""
    if any(stream.linking for stream in streams):
        marks.hold_claims_alone(connection)


def _note_held(connection: Connection, applied: Applied, run_id: int) -> None:
    """Keeps the rows for the decision, as old as the reading before this one, or before an earlier hold of theirs."""
    stream = applied.pulled.stream
    rows = store.read_rows(connection, stream, Scope(keys=applied.missing, only_keys=True))
    removals = {
        "run_id": run_id,
        "stream": stream.name,
        "record_ids": rows[stream.key].cast(pa.string()).to_pylist(),
        "owner_ids": rows[stream.owner].cast(pa.string()).to_pylist(),
    }
    connection.execute(sql.statement("holds/insert_held_removals"), removals)


def _full(applied: Iterable[Applied]) -> list[Applied]:
    return [stream for stream in applied if stream.pulled.extent == "full" and stream.pulled.is_complete]


def _note_full(connection: Connection, whole: Sequence[Applied], now: datetime) -> None:
    streams = [applied.pulled.stream.name for applied in whole]
    connection.execute(sql.statement("snapshot/note_streams_read_in_full"), {"streams": streams, "full_at": now})


def _note_proved(connection: Connection, whole: Sequence[Applied], now: datetime) -> None:
    """Complete pulls whose removals were applied have made their streams equal to the source."""
    streams = [applied.pulled.stream.name for applied in whole]
    connection.execute(sql.statement("proof/note_streams_proved"), {"streams": streams, "through": now})


def _supersede(connection: Connection, whole: Sequence[Applied], at: At) -> None:
    source = whole[0].pulled.stream.source
    older = connection.execute(sql.statement("holds/list_open_shrink_holds"), {"source": source}).all()
    if not older:
        return
    streams = {applied.pulled.stream.name for applied in whole if _is_of_everybody(connection, applied.pulled)}
    for hold in older:
        is_void = hold.run_id != at.run_id and streams >= set(hold.streams)
        if is_void and holds.decide(connection, hold.run_id, "shrink", "superseded", at.now):
            _forget(connection, hold.run_id)


def _release(connection: Connection, at: At) -> dict[str, int]:
    held = {
        row.stream: row.record_ids
        for row in connection.execute(sql.statement("holds/list_held_removals"), {"run_id": at.run_id})
    }
    if not holds.decide(connection, at.run_id, "shrink", "released", at.now):
        return {}
    removed = {}
    _hold_claims(connection, (STREAMS[name] for name in held))
    for name in (name for name in LEAVING_ORDER if name in held):
        stream = STREAMS[name]
        keys: list[Key] = [int(key) for key in held[name]] if stream.has_integer_key else held[name]
        removed[name] = deletions.remove(connection, stream, keys, at).removed
    _forget(connection, at.run_id)
    return removed


def _forget(connection: Connection, run_id: int) -> None:
    """After removals, whose marks keep the age of what was held."""
    connection.execute(sql.statement("holds/delete_held_removals"), {"run_id": run_id})
