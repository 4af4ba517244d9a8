"""Which of two readings is the newer: pulls of whole streams beside readings of some owners because of a hint.

Rows of WHMCS carry no stamp, and a sweep takes long: a row it read may be older than what a hint had read again since.
So every reading has the instant at which it began, by the database's clock, and two rules keep answers from going back:

1. What a pull found of an owner that was read by itself after the pull began is left alone. Where it would have been a
   change, the owner gets a hint, so that nothing is lost.
2. A hinted reading that began before a pull which changes the stream by now is not applied; it is done again.

Windows of a pull hold the stream together, a hinted reading holds it alone, so that neither compares with rows which
the other is about to change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Connection

import sql
from config.errors import MeStatusError
from materializer.snapshot.streams import Stream


class OutdatedReading(MeStatusError):  # noqa: N818, the glossary's word
    """A hinted reading that a pull has overtaken: nothing of it was applied."""


def clock(connection: Connection) -> datetime:
    """The database's clock: read it before the first call of a reading."""
    now: datetime = connection.execute(sql.statement("snapshot/read_clock")).scalar_one()
    return now


def note_applying(connection: Connection, stream: Stream, began_at: datetime) -> None:
    """Says that a pull begins to change the stream; before its first window, in a transaction of its own."""
    connection.execute(sql.statement("snapshot/note_applying"), {"stream": stream.name, "began_at": began_at})


def hold(connection: Connection, stream: Stream) -> None:
    """Holds the stream for a window of a pull, beside other windows."""
    _lock(connection, stream, is_alone=False)


def hold_alone(connection: Connection, stream: Stream, began_at: datetime) -> None:
    """Holds the stream for a hinted reading. Raises OutdatedReading when a pull that began later is being applied."""
    _lock(connection, stream, is_alone=True)
    applying = connection.execute(sql.statement("snapshot/read_applying_since"), {"stream": stream.name}).scalar()
    if applying is not None and applying > began_at:
        raise OutdatedReading(f"a pull of {stream.name} overtook the reading of some customers; they are read again")


def owners_read_since(connection: Connection, stream: Stream, began_at: datetime | None) -> frozenset[str]:
    """The owners, as text, whose records of the stream were read by themselves after `began_at`."""
    if began_at is None:
        return frozenset()
    parameters = {"stream": stream.name, "began_at": began_at}
    return frozenset(connection.execute(sql.statement("snapshot/list_owners_read_since"), parameters).scalars())


def note_owners(connection: Connection, stream: Stream, owners: Iterable[str | int], began_at: datetime) -> None:
    """Notes that the owners' records of the stream were read by themselves."""
    parameters = {
        "stream": stream.name,
        "owner_ids": [str(owner) for owner in owners],
        "began_at": began_at,
    }
    connection.execute(sql.statement("snapshot/upsert_owner_readings"), parameters)


def owners_of(stream: Stream, tables: Iterable[pa.Table]) -> set[str]:
    """The owners of the rows, as text."""
    return {str(owner) for table in tables for owner in table[stream.owner].to_pylist() if owner is not None}


def hint_again(connection: Connection, stream: Stream, owners: Collection[str]) -> None:
    """Has the owners read again: a pull saw something of theirs that it may not apply."""
    if owners:
        is_account = stream.source == "salesforce"
        parameters = {
            "account_ids": sorted(owners) if is_account else [],
            "client_ids": [] if is_account else sorted(map(int, owners)),
            "origin": "sync",
        }
        connection.execute(sql.statement("hints/insert_hints"), parameters)


def _lock(connection: Connection, stream: Stream, *, is_alone: bool) -> None:
    parameters = {"name": f"me-status stream {stream.name}", "is_alone": is_alone}
    connection.execute(sql.statement("snapshot/lock_by_name"), parameters)
