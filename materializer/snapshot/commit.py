"""Applies a pulled stream to the snapshot: window by window, rows, transitions and marks in one transaction each.

A window is a unit of work: it commits under its name in the run, so that doing it twice is doing it once. A crash
between two windows loses nothing: the cursor moves in the stream's last transaction, and the next run compares anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

import sql
from config.database import Database
from materializer import units
from materializer.snapshot import (
    deletions,
    marks,
    readings,
    set_aside,
    store,
)
from materializer.snapshot.pulls import Key, Pulled
from materializer.snapshot.store import Scope
from materializer.snapshot.streams import Stream
from materializer.snapshot.transitions import TransitionPolicy
from materializer.snapshot.window import Window, commit_window, held
from materializer.units import At, Batching


@dataclass(frozen=True)
class Applied:
    """What one stream's pull came to, in rows. `missing`: known keys the pull did not have, not yet removed.

    `missing_of` are their owners. `removed` counts rows the source itself reported gone, `ignored` rows older than the
    known ones.
    """

    pulled: Pulled
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    ignored: int = 0
    set_aside: int = 0
    transitions: dict[str, int] = field(default_factory=dict)
    missing: tuple[Key, ...] = ()
    missing_of: tuple[Key, ...] = ()


def apply(
    database: Database,
    pulled: Pulled,
    policy: TransitionPolicy,
    at: At,
    batching: Batching,
) -> Applied:
    """Brings the snapshot to what was pulled: windows of about `batching.size` rows, then deletions, marks and cursor.

    Rows missing from a full pull, or from one of owners, are returned and left to `shrink_gate.apply_removals`, and so
    is saying that what they are missing from was read: until then nothing that shows them is younger than before. An
    incomplete pull is applied and leaves the cursor where it was; an incomplete first pull leaves the stream without
    its baseline. Raises OutdatedReading for a hinted pull that another one has overtaken.
    """
    if pulled.began_at is not None and not pulled.is_hinted:
        began_at = pulled.began_at
        database.transact(lambda connection: readings.note_applying(connection, pulled.stream, began_at))
    if batching.watch is not None:
        batching.watch.expect(pulled.spool.rows)
    calls = ((window,) for window in _windows(pulled, policy, at, batching.size))
    windows = units.done(database, commit_window, calls, batching.submit)
    applied = _summed(pulled, list(units.watched(windows, "read", batching.watch)))
    if policy.is_baseline and pulled.stream.linking:  # then everybody is marked, after who did not see these claims yet
        database.transact(marks.hold_claims_alone)
    ended = database.transact(lambda connection: _end(connection, applied, policy, at))
    steps = Counter(applied.transitions) + Counter(ended["transitions"])
    return replace(applied, removed=ended["removed"], transitions=dict(steps))


def note_readings(connection: Connection, applied: Applied, now: datetime) -> None:
    """Notes the reading of what `applied` had rows missing from, in the transaction that removes or holds them.

    Marks that come with the removals before it keep how old the documents are, and so does what is held.
    """
    pulled = applied.pulled
    if not applied.missing:
        return
    if pulled.extent == "full" and pulled.is_complete:
        parameters = {"stream": pulled.stream.name, "read_at": now}
        connection.execute(sql.statement("snapshot/note_stream_read"), parameters)
    elif pulled.extent == "owners" and pulled.stream.name == "pay_method":
        _note_pay_method_readings(connection, [int(client) for client in applied.missing_of], now)


def _windows(pulled: Pulled, policy: TransitionPolicy, at: At, window_rows: int) -> Iterator[Window]:
    """The windows of a pull, which cover the whole key space together: the last one is open-ended."""
    set_aside = frozenset(record.record_id for record in pulled.set_aside)
    above: Key | None = None
    for number, (rows, is_last) in enumerate(_with_end(pulled.spool.windows(window_rows), pulled.stream)):
        up_to = None if is_last else rows[pulled.stream.key][-1].as_py()
        yield Window(
            unit=f"{pulled.stream.name} {number}",
            stream_name=pulled.stream.name,
            extent=pulled.extent,
            rows=rows,
            above=above,
            up_to=up_to,
            owners=pulled.owners,
            is_hinted=pulled.is_hinted,
            began_at=pulled.began_at,
            set_aside=set_aside,
            history=pulled.history,
            policy=policy,
            at=at,
        )
        above = up_to


def _with_end(windows: Iterator[pa.Table], stream: Stream) -> Iterator[tuple[pa.Table, bool]]:
    """Each table with whether it is the last; an empty one when there is none."""
    previous = next(windows, stream.schema.empty_table())
    for rows in windows:
        yield previous, False
        previous = rows
    yield previous, True


# The end of a stream --------------------------------------------------------------------------------------------------


def _end(connection: Connection, applied: Applied, policy: TransitionPolicy, at: At) -> dict[str, Any]:
    """What comes after the windows, in one transaction, the cursor with it."""
    unit = f"{applied.pulled.stream.name} end"
    return units.once(connection, at, unit, lambda: _apply_end(connection, applied, policy, at))


def _apply_end(connection: Connection, applied: Applied, policy: TransitionPolicy, at: At) -> dict[str, Any]:
    pulled = applied.pulled
    newer = held(connection, pulled)
    gone = _gone(connection, pulled, newer)
    deleted = deletions.remove(connection, pulled.stream, gone, at, is_baseline=policy.is_baseline)
    deletions.merge(connection, {loser: pulled.merged[loser] for loser in pulled.merged if loser in gone}, at.now)
    set_aside.note(connection, pulled.stream, pulled.set_aside, at)
    _forget_set_aside(connection, pulled, at)
    _settle_held(connection, applied, newer)
    if pulled.stream.name == "balance":
        set_aside.forget_settled(connection, pulled.stream, at)
    if pulled.extent == "owners" and pulled.stream.name == "pay_method":
        unread = newer.union(map(str, applied.missing_of))
        _note_pay_method_readings(connection, [int(key) for key in pulled.owners if str(key) not in unread], at.now)
    if policy.is_baseline:
        store.analyze(connection, pulled.stream)
        marks.mark_everybody(connection, at.now)
    if not pulled.is_hinted:
        _move_cursor(connection, applied, at)
    return {"removed": deleted.removed, "transitions": deleted.transitions}


def _gone(connection: Connection, pulled: Pulled, newer: frozenset[str]) -> set[Key]:
    """What the source reported gone, but for records of owners that were read by themselves since."""
    gone = {*pulled.deleted, *pulled.merged}
    if not newer or not gone:
        return gone
    known = store.read_rows(connection, pulled.stream, Scope(keys=list(gone), only_keys=True))
    theirs = known.filter(pc.is_in(known[pulled.stream.owner].cast(pa.string()), pa.array(sorted(newer), pa.string())))
    readings.hint_again(connection, pulled.stream, readings.owners_of(pulled.stream, [theirs]))
    return gone - set(theirs[pulled.stream.key].to_pylist())


def _forget_set_aside(connection: Connection, pulled: Pulled, at: At) -> None:
    set_aside.forget(connection, pulled.stream, [str(key) for key in pulled.deleted], at)
    if pulled.extent == "full" and pulled.is_complete:
        set_aside.forget_not_seen(connection, pulled.stream, None, at)
    elif pulled.extent == "owners":
        set_aside.forget_not_seen(connection, pulled.stream, pulled.owners, at)


def _settle_held(connection: Connection, applied: Applied, newer: frozenset[str]) -> None:
    """What runs hold as gone and this complete reading was not missing is here again, or has left since."""
    pulled = applied.pulled
    if pulled.extent == "partial" or not pulled.is_complete:
        return
    parameters = {
        "stream": pulled.stream.name,
        "owner_ids": None if pulled.extent == "full" else [str(owner) for owner in pulled.owners],
        "newer_ids": sorted(newer),
        "missing_ids": [str(key) for key in applied.missing],
    }
    connection.execute(sql.statement("holds/settle_held_removals"), parameters)


def _note_pay_method_readings(connection: Connection, clients: Collection[int], now: datetime) -> None:
    """Clients read for the first time have a number of pay methods now, possibly zero."""
    parameters = {"client_ids": list(clients), "now": now}
    marks.mark_clients(
        connection,
        connection.execute(sql.statement("snapshot/upsert_pay_method_readings"), parameters).scalars().all(),
        now,
    )


def _move_cursor(connection: Connection, applied: Applied, at: At) -> None:
    pulled = applied.pulled
    is_all_read = pulled.stream.source == "salesforce" or pulled.extent == "full"
    parameters: dict[str, Any] = {"stream": pulled.stream.name, "synced_at": at.now, "run_id": at.run_id}
    if not pulled.is_complete:
        connection.execute(sql.statement("snapshot/touch_stream_state"), parameters)
        return
    parameters |= {
        "cursor_at": pulled.cursor_at,
        "source_time": pulled.source_time,
        "fields": list(pulled.fields),
        "is_whole": is_all_read and not applied.missing,
    }
    connection.execute(sql.statement("snapshot/upsert_stream_state"), parameters)


def _summed(pulled: Pulled, done: Sequence[dict[str, Any]]) -> Applied:
    sums: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    missing: list[Key] = []
    missing_of: set[Key] = set()
    for counts in done:
        sums.update({name: count for name, count in counts.items() if isinstance(count, int)})
        steps.update(counts["transitions"])
        missing += counts["missing"]
        missing_of.update(counts["missing_of"])
    rejected = sums.pop("rejected", 0)
    return Applied(
        pulled,
        **sums,
        set_aside=len(pulled.set_aside) + rejected,
        transitions=dict(steps),
        missing=tuple(missing),
        missing_of=tuple(missing_of),
    )
