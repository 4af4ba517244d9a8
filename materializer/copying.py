"""Rows into a table by COPY: one encoder for everything the product writes in bulk.

Arrow is imported by what writes: most refreshes, one each minute, find nothing to write and do not wait for it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql as compose
from sqlalchemy import Connection

if TYPE_CHECKING:
    import pyarrow as pa


def driver_of(connection: Connection) -> psycopg.Connection[Any]:
    """psycopg's own connection below, in the same transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def copy_in(connection: Connection, into: compose.Composable, rows: pa.Table) -> None:
    """Appends the rows to the columns of `into` that are named as those of `rows`. Text stands quoted, null as nothing.

    Raises psycopg.DataError when the server rejects a value.
    """
    from pyarrow import csv

    written = io.BytesIO()
    csv.write_csv(rows, written, csv.WriteOptions(include_header=False))
    names = compose.SQL(", ").join(map(compose.Identifier, rows.column_names))
    statement = compose.SQL("copy {} ({}) from stdin (format csv)").format(into, names)
    with driver_of(connection).cursor().copy(statement) as copy:
        copy.write(written.getbuffer())


def as_texts(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> pa.Table:
    """Rows, in the order of `columns`, as a table of texts; None stays null."""
    import pyarrow as pa

    texts = [
        pa.array([None if one is None else str(one) for one in values], pa.string())
        for values in zip(*rows, strict=True)
    ]
    return pa.table(texts, names=list(columns))
