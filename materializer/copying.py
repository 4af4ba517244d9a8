"""Rows into a table by COPY: one encoder for everything the product writes in bulk."""

from __future__ import annotations

import io
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
from psycopg import sql as compose
from sqlalchemy import Connection

WITHOUT_HEADER = arrow_csv.WriteOptions(include_header=False)


def driver_of(connection: Connection) -> psycopg.Connection[Any]:
    """psycopg's own connection below, in the same transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def copy_in(connection: Connection, into: compose.Composable, rows: pa.Table) -> None:
    """Appends the rows to the columns of `into` that are named as those of `rows`. Text stands quoted, null as nothing.

    Raises psycopg.DataError when the server rejects a value.
    """
    written = io.BytesIO()
    arrow_csv.write_csv(rows, written, WITHOUT_HEADER)
    names = compose.SQL(", ").join(map(compose.Identifier, rows.column_names))
    statement = compose.SQL("copy {} ({}) from stdin (format csv)").format(into, names)
    with driver_of(connection).cursor().copy(statement) as copy:
        copy.write(written.getbuffer())
