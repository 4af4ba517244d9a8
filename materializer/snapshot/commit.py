"""Takes a pulled stream into the snapshot: window by window, rows, transitions and marks in one transaction each.

A window is a unit of work: it commits under its name in the run, so that doing it twice is doing it once. A crash
between two windows loses nothing: the cursor moves in the stream's last transaction, and the next run compares anew.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

import sql
from config.database import Database
from materializer import units
from materializer.snapshot import (
    changes,
    content_hash,
    deletions,
    history,
    marks,
    readings,
    rejects,
    set_aside,
    store,
    transitions,
)
from materializer.snapshot.changes import Changes
from materializer.snapshot.pulls import HistoricChange, Key, Pulled, SetAsideRecord
from materializer.snapshot.store import Scope
from materializer.snapshot.streams import STREAMS, Stream
from materializer.snapshot.transitions import Transition, TransitionPolicy
from materializer.units import At, Batching


@dataclass(frozen=True)
class Window:
    """One window of a pull: rows with keys above `above` up to `up_to` (None: no bound). Plain data, to be submitted.

    `set_aside` are ids set aside in this pull, which are not missing; `owners` those an `owners` pull read whole.
    `rejected` are records of the window that the database did not take, and which are not in `rows` any more.
    """

    unit: str
    stream_name: str
    extent: Literal["full", "partial", "owners"]
    rows: pa.Table
    above: Key | None
    up_to: Key | None
    owners: tuple[Key, ...]
    is_hinted: bool
    began_at: datetime | None
    set_aside: frozenset[str]
    history: tuple[HistoricChange, ...]
    policy: TransitionPolicy
    at: At
    rejected: tuple[SetAsideRecord, ...] = ()

    @property
    def stream(self) -> Stream:
        return STREAMS[self.stream_name]

    def __getstate__(self) -> dict[str, Any]:
        """As it is sent to a worker: a pickled slice would take the whole table behind it along."""
        packed = io.BytesIO()
        with pa.ipc.new_stream(packed, self.rows.schema) as stream:
            stream.write_table(self.rows)
        return vars(self) | {"rows": packed.getvalue()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state | {"rows": pa.ipc.open_stream(state["rows"]).read_all()})


@dataclass(frozen=True)
class Applied:
    """What one stream's pull came to, in rows. `missing`: known keys the pull did not have, not yet removed.

    `removed` counts rows the source itself reported gone, `ignored` rows older than the known ones.
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


def apply(
    database: Database,
    pulled: Pulled,
    policy: TransitionPolicy,
    at: At,
    batching: Batching,
) -> Applied:
    """Brings the snapshot to what was pulled: windows of about `batching.size` rows, then deletions, marks and cursor.

    Rows missing from a full pull, or from one of owners, are returned and left to `shrink_gate.apply_removals`. An
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
    counts = list(units.watched(windows, "read", batching.watch))
    return _summed(pulled, [*counts, database.transact(lambda connection: _end(connection, pulled, policy, at))])


def commit_window(database: Database, window: Window) -> dict[str, Any]:
    """Commits one window and returns its counts; the counts of the first time when it was committed before.

    Rows that the database does not take are found and set aside; the rest goes in.
    """
    try:
        return _commit(database, window)
    except rejects.REJECTIONS:
        rejected = database.transact(lambda connection: rejects.found(connection, window.stream, window.rows))
        if not rejected:
            raise
        return _commit(database, _without(window, rejected))


def _commit(database: Database, window: Window) -> dict[str, Any]:
    return database.transact(
        lambda connection: units.once(connection, window.at, window.unit, lambda: _apply_window(connection, window))
    )


def _without(window: Window, rejected: Sequence[SetAsideRecord]) -> Window:
    ids = frozenset(record.record_id for record in rejected)
    keys = window.rows[window.stream.key].cast(pa.string())
    rows = window.rows.filter(pc.invert(pc.is_in(keys, pa.array(sorted(ids)))))
    return replace(window, rows=rows, set_aside=window.set_aside | ids, rejected=tuple(rejected))


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


# One window -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Read:
    """Pulled rows that may differ, the known rows of their keys (`previous`), and the `hashes` of the known ones.

    `with_history`: accounts whose field history has steps; they count as changed, for their stamps. `newer`: owners
    that were read by themselves since the pull began, whose rows here are left alone.
    """

    rows: pa.Table
    previous: pa.Table
    hashes: pa.Table
    with_history: pa.Array
    newer: frozenset[str]


@dataclass(frozen=True)
class Compared:
    """What differs: changes to apply, known rows the pull did not have, and how many pulled rows are too old.

    `passed_over`: owners with differences that are left alone, since they were read by themselves meanwhile.
    """

    changes: Changes
    missing: pa.Table
    ignored: int
    passed_over: frozenset[str]


@dataclass(frozen=True)
class Judged:
    """What the differences mean: the changes, widened by accounts that have only history, and the transitions."""

    changes: Changes
    transitions: list[Transition]


def _apply_window(connection: Connection, window: Window) -> dict[str, Any]:
    read = _read(connection, window)
    compared = _compare(window, read)
    judged = _judge(window, read, compared)
    _apply(connection, window, read, judged)
    readings.hint_again(connection, window.stream, compared.passed_over)
    return _counts(window, read, compared, judged)


def _read(connection: Connection, window: Window) -> Read:
    stream, with_history = window.stream, _with_history(window)
    newer = _held(connection, window)
    known = store.read_hashes(connection, stream, _scope(stream, window))
    rows, hashes = content_hash.without_unchanged(stream, known, window.rows, with_history)
    previous = store.read_rows(connection, stream, Scope(keys=hashes[stream.key].to_pylist(), only_keys=True))
    return Read(rows, previous, hashes, with_history, newer)


def _held(connection: Connection, reading: Window | Pulled) -> frozenset[str]:
    """Holds the stream for the transaction; the owners of whom the reading holds less than is known by now."""
    if reading.is_hinted and reading.began_at is not None:
        readings.hold_alone(connection, reading.stream, reading.began_at)
        return frozenset()
    readings.hold(connection, reading.stream)
    return readings.owners_read_since(connection, reading.stream, reading.began_at)


def _compare(window: Window, read: Read) -> Compared:
    found, ignored = changes.without_stale(changes.compare(window.stream, read.previous, read.rows))
    found = replace(found, removed=_missing(window, found))
    found, passed_over = changes.without_owners(window.stream, found, read.newer)
    return Compared(replace(found, removed=found.removed.slice(0, 0)), found.removed, ignored, passed_over)


def _judge(window: Window, read: Read, compared: Compared) -> Judged:
    """The transitions of the window, those that the history of accounts reports among them."""
    steps = transitions.from_changes(window.stream, compared.changes, window.policy)
    if not len(read.with_history):
        return Judged(compared.changes, steps)
    with_history = pc.filter(read.with_history, pc.invert(pc.is_in(read.with_history, _texts(read.newer))))
    widened = changes.with_rows(window.stream, compared.changes, read.previous, read.rows, with_history)
    has_history = pc.is_in(widened.after[window.stream.key], read.with_history)
    after = widened.after.filter(has_history).to_pylist()
    before = widened.before.filter(has_history).to_pylist()
    ends = {new["account_id"]: (old, new) for old, new in zip(before, after, strict=True)}
    return Judged(widened, history.with_steps(steps, ends, window.history, window.policy))


def _apply(connection: Connection, window: Window, read: Read, judged: Judged) -> None:
    stream, found = window.stream, judged.changes
    store.insert_rows(connection, stream, found.added)
    store.update_rows(connection, stream, found.after)
    store.update_rows(connection, stream, _unhashed(stream, read, found))
    _readmit(connection, stream, _not_of(stream, window.rows, read.newer), window.at)
    set_aside.note(connection, stream, window.rejected, window.at)
    _note_balances(connection, stream, window, found)
    store.insert_transitions(connection, judged.transitions, window.at)
    if window.is_hinted and window.began_at is not None:
        readings.note_owners(connection, stream, window.owners, window.began_at, window.at.now)
    if not window.policy.is_baseline:
        store.insert_first_observations(connection, stream, found.added, window.at)
        marks.mark_owners(connection, stream, (found.added, found.removed, found.before, found.after), window.at.now)


def _counts(window: Window, read: Read, compared: Compared, judged: Judged) -> dict[str, Any]:
    found = judged.changes
    return {
        "read": len(window.rows),
        "rejected": len(window.rejected),
        "added": len(found.added),
        "changed": len(found.after),
        "unchanged": found.unchanged + len(window.rows) - len(read.rows),
        "removed": 0,
        "ignored": compared.ignored,
        "transitions": transitions.counted(judged.transitions),
        "missing": compared.missing[window.stream.key].to_pylist(),
    }


def _scope(stream: Stream, window: Window) -> Scope:
    """The known rows to compare with: the same slice of the keys, of the owners read, or just the pulled keys."""
    if window.extent == "full":
        return Scope(above=window.above, up_to=window.up_to)
    keys = window.rows[stream.key].to_pylist()
    if window.extent == "partial":
        return Scope(keys=keys, only_keys=True)
    return Scope(above=window.above, up_to=window.up_to, owners=window.owners, keys=keys)


def _missing(window: Window, found: Changes) -> pa.Table:
    """Known rows the pull did not have, without those it had and set aside."""
    set_aside = _texts(window.set_aside)
    is_set_aside = pc.is_in(found.removed[window.stream.key].cast(pa.string()), set_aside)
    return found.removed.filter(pc.invert(is_set_aside))


def _texts(values: Collection[str]) -> pa.Array:
    return pa.array(sorted(values), pa.string())


def _not_of(stream: Stream, rows: pa.Table, owners: Collection[str]) -> pa.Table:
    """The rows without those of the owners, which are ids as text."""
    return rows.filter(pc.invert(pc.is_in(rows[stream.owner].cast(pa.string()), _texts(owners)))) if owners else rows


def _with_history(window: Window) -> pa.Array:
    accounts = set() if window.policy.is_baseline else {step.account_id for step in window.history}
    return pa.array(sorted(accounts), pa.string())


def _unhashed(stream: Stream, read: Read, found: Changes) -> pa.Table:
    """The rows that stay as they are and have no hash, as after an update that no sync made."""
    keys = read.previous[stream.key]
    stays = pc.and_not(pc.is_in(keys, read.rows[stream.key]), pc.is_in(keys, found.after[stream.key]))
    return content_hash.without_hash(stream, read.hashes, read.previous.filter(stays))


def _note_balances(connection: Connection, stream: Stream, window: Window, found: Changes) -> None:
    """Invoices that changed are asked for their balance again; balances that were read are so by now."""
    if stream.name == "invoice" and len(found.after):
        parameters = {"invoice_ids": found.after[stream.key].to_pylist()}
        connection.execute(sql.statement("snapshot/outdate_balances"), parameters)
    if stream.name == "balance" and len(window.rows):
        noted = {"invoice_ids": window.rows[stream.key].to_pylist(), "now": window.at.now}
        connection.execute(sql.statement("snapshot/upsert_balance_readings"), noted)


def _readmit(connection: Connection, stream: Stream, rows: pa.Table, at: At) -> None:
    if aside := set_aside.ids(connection, stream):
        keys = rows[stream.key].cast(pa.string())
        well = keys.filter(pc.is_in(keys, pa.array(sorted(aside))))
        set_aside.forget(connection, stream, well.to_pylist(), at)
    if stream.name == "account" and len(rows):
        deletions.undelete(connection, rows[stream.key].to_pylist())


# The end of a stream --------------------------------------------------------------------------------------------------


def _end(connection: Connection, pulled: Pulled, policy: TransitionPolicy, at: At) -> dict[str, Any]:
    """What comes after the windows, in one transaction, the cursor with it."""
    unit = f"{pulled.stream.name} end"
    return units.once(connection, at, unit, lambda: _apply_end(connection, pulled, policy, at))


def _apply_end(connection: Connection, pulled: Pulled, policy: TransitionPolicy, at: At) -> dict[str, Any]:
    newer = _held(connection, pulled)
    gone = _gone(connection, pulled, newer)
    deleted = deletions.remove(connection, pulled.stream, gone, at, is_baseline=policy.is_baseline)
    deletions.merge(connection, {loser: pulled.merged[loser] for loser in pulled.merged if loser in gone}, at.now)
    set_aside.note(connection, pulled.stream, pulled.set_aside, at)
    _forget_set_aside(connection, pulled, at)
    if pulled.stream.name == "balance":
        set_aside.forget_settled(connection, pulled.stream, at)
    if pulled.extent == "owners":
        _note_owners(connection, pulled, newer, at.now)
    if policy.is_baseline:
        store.analyze(connection, pulled.stream)
        marks.mark_everybody(connection, at.now)
    if not pulled.is_hinted:
        _move_cursor(connection, pulled, at)
    return {"removed": deleted.removed, "transitions": deleted.transitions}


def _gone(connection: Connection, pulled: Pulled, newer: frozenset[str]) -> set[Key]:
    """What the source reported gone, but for records of owners that were read by themselves since."""
    gone = {*pulled.deleted, *pulled.merged}
    if not newer or not gone:
        return gone
    known = store.read_rows(connection, pulled.stream, Scope(keys=list(gone), only_keys=True))
    theirs = known.filter(pc.is_in(known[pulled.stream.owner].cast(pa.string()), _texts(newer)))
    readings.hint_again(connection, pulled.stream, readings.owners_of(pulled.stream, [theirs]))
    return gone - set(theirs[pulled.stream.key].to_pylist())


def _forget_set_aside(connection: Connection, pulled: Pulled, at: At) -> None:
    set_aside.forget(connection, pulled.stream, [str(key) for key in pulled.deleted], at)
    if pulled.extent == "full" and pulled.is_complete:
        set_aside.forget_not_seen(connection, pulled.stream, None, at)
    elif pulled.extent == "owners":
        set_aside.forget_not_seen(connection, pulled.stream, pulled.owners, at)


def _note_owners(connection: Connection, pulled: Pulled, newer: frozenset[str], now: datetime) -> None:
    """What is known of owners that were read whole."""
    if pulled.stream.name == "pay_method":
        _note_pay_method_readings(connection, [int(key) for key in pulled.owners if str(key) not in newer], now)


def _note_pay_method_readings(connection: Connection, clients: Collection[int], now: datetime) -> None:
    """Clients read for the first time have a number of pay methods now, possibly zero."""
    parameters = {"client_ids": list(clients), "now": now}
    marks.mark_clients(
        connection,
        connection.execute(sql.statement("snapshot/upsert_pay_method_readings"), parameters).scalars().all(),
        now,
    )


def _move_cursor(connection: Connection, pulled: Pulled, at: At) -> None:
    parameters: dict[str, Any] = {"stream": pulled.stream.name, "synced_at": at.now, "run_id": at.run_id}
    if not pulled.is_complete:
        connection.execute(sql.statement("snapshot/touch_stream_state"), parameters)
        return
    parameters |= {
        "cursor_at": pulled.cursor_at,
        "source_time": pulled.source_time,
        "fields": list(pulled.fields),
        "is_whole": pulled.stream.source == "salesforce" or pulled.extent == "full",
    }
    connection.execute(sql.statement("snapshot/upsert_stream_state"), parameters)


def _summed(pulled: Pulled, done: Sequence[dict[str, Any]]) -> Applied:
    sums: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    missing: list[Key] = []
    for counts in done:
        sums.update({name: count for name, count in counts.items() if isinstance(count, int)})
        steps.update(counts["transitions"])
        missing += counts.get("missing", ())
    rejected = sums.pop("rejected", 0)
    return Applied(
        pulled, **sums, set_aside=len(pulled.set_aside) + rejected, transitions=dict(steps), missing=tuple(missing)
    )
