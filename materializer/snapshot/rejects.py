"""Rows that the database does not take, such as a text too long for its index: found by halving."""

from __future__ import annotations

import psycopg
import pyarrow as pa
from sqlalchemy import Connection

from materializer.snapshot import store
from materializer.snapshot.pulls import SetAsideRecord
from materializer.snapshot.streams import Stream

REJECTIONS = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)
"""What the server says of a row that it does not take, however often it is asked."""


def found(connection: Connection, stream: Stream, rows: pa.Table) -> list[SetAsideRecord]:
    """The rows that cannot be stored, each tried by itself in the end; nothing stays stored."""
    if not len(rows) or (reason := _rejection(connection, stream, rows)) is None:
        return []
    if len(rows) == 1:
        row = rows.to_pylist()[0]
        owner = row[stream.owner]
        return [SetAsideRecord(str(row[stream.key]), "row", reason, None if owner is None else str(owner))]
    half = len(rows) // 2
    return [*found(connection, stream, rows.slice(0, half)), *found(connection, stream, rows.slice(half))]


def _rejection(connection: Connection, stream: Stream, rows: pa.Table) -> str | None:
    """What the server says of the rows; None when it takes them all."""
    savepoint = connection.begin_nested()
    try:
        store.update_rows(connection, stream, rows)
    except REJECTIONS as error:
        return f"the database does not take it: {error.diag.message_primary or type(error).__name__}"
    finally:
        savepoint.rollback()
    return None
