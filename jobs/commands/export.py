"""`export`: a published table or view into a CSV or Parquet file, a batch of rows at a time."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import psycopg.sql
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from psycopg.types.string import TextLoader
from sqlalchemy import Engine

import sql
from config.errors import SettingsError
from jobs.program import SUCCESS, Program, answer, say

ROWS_AT_ONCE = 10_000

ARROW_OF_OID: dict[int, pa.DataType] = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int64(),
    23: pa.int64(),
    700: pa.float64(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}
"""Arrow type by PostgreSQL type oid; what is not listed travels as text."""

KEPT_AS_TEXT = ("numeric", "json", "jsonb", "uuid", "interval")
"""Written with the characters the database has: amounts exactly, documents byte for byte."""


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Writes the file and says how many rows it has. Raises SettingsError (exit 2) for an unknown table or ending."""
    write = _writer(arguments.to)
    with program.database() as engine:
        rows = export(engine, arguments.table, arguments.to, write)
    if arguments.json:
        answer({"table": arguments.table, "file": str(arguments.to), "rows": rows})
    else:
        say(f"{rows:,} rows of {arguments.table} in {arguments.to}")
    return SUCCESS


def export(engine: Engine, table: str, file: Path, write: Callable[[Path, pa.Schema], Any] | None = None) -> int:
    """Writes every row of the published relation, as one snapshot; how many. The file is complete or absent."""
    quoted = _published(engine, table)
    unfinished = file.with_name(file.name + ".part")
    try:
        with _rows(engine, quoted) as (schema, batches), (write or _writer(file))(unfinished, schema) as out:
            count = 0
            for batch in batches:
                out.write_batch(batch)
                count += batch.num_rows
        unfinished.replace(file)
    except OSError as error:
        raise SettingsError([f"--to {file}: cannot be written ({error.strerror or error})"]) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _published(engine: Engine, table: str) -> str:
    with engine.connect() as connection:
        relations: dict[str, str] = {
            row.name: row.quoted for row in connection.execute(sql.statement("export/list_published_relations"))
        }
    if table not in relations:
        raise SettingsError([f"{table!r} is not a published table or view; there are {', '.join(relations)}"])
    return relations[table]


def _writer(file: Path) -> Callable[[Path, pa.Schema], Any]:
    if file.suffix == ".csv":
        return lambda path, schema: pyarrow.csv.CSVWriter(path, schema)
    if file.suffix == ".parquet":
        return lambda path, schema: pyarrow.parquet.ParquetWriter(path, schema)
    raise SettingsError([f"--to {file}: the name must end in .csv or .parquet"])


@contextmanager
def _rows(engine: Engine, quoted: str) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.transaction(), psycopg.ServerCursor(driver, "export") as cursor:
            for kind in KEPT_AS_TEXT:
                cursor.adapters.register_loader(kind, TextLoader)
            cursor.execute(psycopg.sql.SQL("select * from ") + psycopg.sql.SQL(quoted))
            assert cursor.description is not None
            schema = pa.schema(
                [(column.name, ARROW_OF_OID.get(column.type_code, pa.string())) for column in cursor.description]
            )
            yield schema, _batches(cursor, schema)


def _batches(cursor: psycopg.ServerCursor[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        columns = list(zip(*rows, strict=True))
        yield pa.record_batch(
            [_array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema
        )


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        return pa.array([_as_text(value) for value in values], kind)
    return pa.array(values, kind)


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)
