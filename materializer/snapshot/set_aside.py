"""Records set aside: named, kept apart with the reason, and unknown to their owner until they are read well or gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

import sql
from materializer.snapshot import marks, store
from materializer.snapshot.pulls import Key, SetAsideRecord
from materializer.snapshot.store import Scope
from materializer.snapshot.streams import Stream
from materializer.units import At

WHOLE_CLIENT = "client "
"""Begins the record id of a client whose own answer could not be read; what was known of it stays known."""


def note(connection: Connection, stream: Stream, records: Sequence[SetAsideRecord], at: At) -> None:
    """Sets records aside, and marks the owners of those that were not before."""
    if not records:
        return
    owners = _known_owners(connection, stream, records)
    parameters = {
        "record_ids": [record.record_id for record in records],
        "fields": [record.field for record in records],
        "reasons": [record.reason for record in records],
        "owner_ids": [owners.get(record.record_id, record.owner) for record in records],
        "are_known": [_is_known(record, owners) for record in records],
        "stream": stream.name,
        "run_id": at.run_id,
        "now": at.now,
    }
    new = connection.execute(sql.statement("snapshot/set_aside_records"), parameters).scalars().all()
    marks.mark_owner_ids(connection, stream, new, at.now)


def ids(connection: Connection, stream: Stream) -> set[str]:
    """Ids of the stream's records that are set aside at present."""
    return set(connection.execute(sql.statement("snapshot/list_set_aside_ids"), {"stream": stream.name}).scalars())


def forget(connection: Connection, stream: Stream, record_ids: Collection[str], at: At) -> None:
    """Forgets that these records were set aside: they were read well, or are gone."""
    if record_ids:
        parameters = {"stream": stream.name, "record_ids": list(record_ids)}
        owners = connection.execute(sql.statement("snapshot/delete_set_aside_records"), parameters).scalars().all()
        marks.mark_owner_ids(connection, stream, owners, at.now)


def forget_not_seen(connection: Connection, stream: Stream, owners: Sequence[Key] | None, at: At) -> None:
    """Forgets those that a complete reading did not see again: of everything (None), or of these owners."""
    parameters = {
        "stream": stream.name,
        "run_id": at.run_id,
        "owner_ids": None if owners is None else [str(owner) for owner in owners],
    }
    left = connection.execute(sql.statement("snapshot/delete_set_aside_not_seen"), parameters).scalars().all()
    marks.mark_owner_ids(connection, stream, left, at.now)


def forget_settled(connection: Connection, stream: Stream, at: At) -> None:
    """Forgets balances that could not be read of invoices that are not unpaid any more."""
    owners = connection.execute(sql.statement("snapshot/delete_settled_set_aside")).scalars().all()
    marks.mark_owner_ids(connection, stream, owners, at.now)


def _known_owners(connection: Connection, stream: Stream, records: Sequence[SetAsideRecord]) -> dict[str, str]:
    """By record id, the owners of those records that the snapshot has from an earlier good reading."""
    keys: list[Key] = [record.record_id for record in records]
    if stream.has_integer_key:
        keys = [int(key) for key in keys if str(key).isdecimal() and len(str(key)) < 19]
    rows = store.read_rows(connection, stream, Scope(keys=keys, only_keys=True))
    owners = zip(rows[stream.key].to_pylist(), rows[stream.owner].to_pylist(), strict=True)
    return {str(key): str(owner) for key, owner in owners if owner is not None}


def _is_known(record: SetAsideRecord, owners: dict[str, str]) -> bool:
    return record.record_id in owners or record.record_id.startswith(WHOLE_CLIENT)
