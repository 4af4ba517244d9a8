"""One window of a pull, applied in one transaction: read beside the known rows, compared, judged, applied."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
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
from materializer.units import At


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
    newer = held(connection, window)
    known = store.read_hashes(connection, stream, _scope(stream, window))
    rows, hashes = content_hash.without_unchanged(stream, known, window.rows, with_history)
    previous = store.read_rows(connection, stream, Scope(keys=hashes[stream.key].to_pylist(), only_keys=True))
    return Read(rows, previous, hashes, with_history, newer)


def held(connection: Connection, reading: Window | Pulled) -> frozenset[str]:
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
    if not stream.linking:
        _mark(connection, window, found)
    store.insert_rows(connection, stream, found.added)
    store.update_rows(connection, stream, found.after)
    store.update_rows(connection, stream, _unhashed(stream, read, found))
    if stream.linking:  # whom they concern shows once they are stored
        _mark(connection, window, found)
    _readmit(connection, stream, _not_of(stream, window.rows, read.newer), window.at)
    set_aside.note(connection, stream, window.rejected, window.at)
    _note_balances(connection, stream, window, found)
    store.insert_transitions(connection, judged.transitions, window.at)
    if window.is_hinted and window.began_at is not None:
        readings.note_owners(connection, stream, window.owners, window.began_at)
    if not window.policy.is_baseline:
        store.insert_first_observations(connection, stream, found.added, window.at)


def _mark(connection: Connection, window: Window, found: Changes) -> None:
    """Marks whom the changes concern, before anything says that the facts are newer: marks keep how old they were."""
    if not window.policy.is_baseline:
        handed_over = changes.handed_over(window.stream, found)
        if window.stream.linking and any(map(len, (found.added, found.removed, *handed_over))):
            marks.hold_claims_alone(connection)
        changed = (found.added, found.removed, found.before, found.after)
        marks.mark_owners(connection, window.stream, changed, window.at.now)
        marks.tie(connection, marks.customers_of(connection, window.stream, handed_over))


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
        "missing_of": compared.missing[window.stream.owner].unique().to_pylist(),
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
    """Invoices that changed are asked for their balance again; balances that were read are so by now.

    With another status, paid or opened again, the balance known is not the invoice's any more: its total stands until
    it was asked for.
    """
    if stream.name == "invoice" and len(found.after):
        parameters = {"invoice_ids": found.after[stream.key].to_pylist()}
        connection.execute(sql.statement("snapshot/outdate_balances"), parameters)
        parameters = {"invoice_ids": _of_another_status(stream, found).to_pylist()}
        connection.execute(sql.statement("snapshot/forget_balances"), parameters)
    if stream.name == "balance" and len(window.rows):
        noted = {"invoice_ids": window.rows[stream.key].to_pylist(), "now": window.at.now}
        connection.execute(sql.statement("snapshot/upsert_balance_readings"), noted)


def _of_another_status(stream: Stream, found: Changes) -> pa.Array:
    before, after = (pc.fill_null(rows["status"], "") for rows in (found.before, found.after))
    return pc.filter(found.after[stream.key], pc.not_equal(before, after))


def _readmit(connection: Connection, stream: Stream, rows: pa.Table, at: At) -> None:
    if aside := set_aside.ids(connection, stream):
        keys = rows[stream.key].cast(pa.string())
        well = keys.filter(pc.is_in(keys, pa.array(sorted(aside))))
        set_aside.forget(connection, stream, well.to_pylist(), at)
    if stream.name == "account" and len(rows):
        deletions.undelete(connection, rows[stream.key].to_pylist())
