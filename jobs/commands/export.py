"""`export`: a published table or view into a CSV or Parquet file, as one snapshot, at the speed of COPY."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql as compose
from sqlalchemy import Engine

import sql
from config import database
from config.errors import MeStatusError, SettingsError
from jobs import progress
from jobs.commands import export_file
from jobs.commands.export_file import Column
from jobs.program import SUCCESS, Program, answer, say
from jobs.progress import Bar, Progress

ENDINGS = (".csv", ".parquet")
Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(frozen=True)
class Wanted:
    """What to export: a published relation by name, these columns (None: all one may read), rows changed since."""

    table: str
    columns: Sequence[str] | None = None
    since: datetime | None = None


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Writes the file and says how many rows it has. Raises SettingsError (exit 2) for an unknown table or ending."""
    wanted = Wanted(arguments.table, arguments.columns, arguments.since)
    with _reading(program) as engine, progress.shown() as bars:
        rows = export(engine, wanted, arguments.to, bars)
    if arguments.json:
        answer({"table": wanted.table, "file": str(arguments.to), "rows": rows})
    else:
        say(f"{rows:,} rows of {wanted.table} in {arguments.to}")
    return SUCCESS


@contextmanager
def _reading(program: Program) -> Iterator[Engine]:
    """An engine for whoever may read what is published: an analyst sees nothing of the schema's bookkeeping."""
    if program.is_embedded:
        with program.database() as engine:
            yield engine
        return
    engine = database.connect(program.settings)
    try:
        yield engine
    finally:
        engine.dispose()


def export(engine: Engine, wanted: Wanted, file: Path, bars: Progress | None = None) -> int:
    """Writes the rows of the published relation, as one snapshot; how many. The file is complete or absent.

    Raises SettingsError for what may not be exported and for a file that cannot be written.
    """
    if file.suffix not in ENDINGS:
        raise SettingsError([f"--to {file}: the name must end in .csv or .parquet"])
    quoted, columns = _found(engine, wanted)
    unfinished = file.with_name(file.name + ".part")
    try:
        with _snapshot(engine) as cursor:
            query = _query(quoted, columns, wanted.since)
            if file.suffix == ".parquet":
                columns = _measured(cursor, query, columns)
            chunks = _chunks(cursor, query, (bars or progress.silent()).start(f"Export {wanted.table}, KiB"))
            if file.suffix == ".csv":
                export_file.write_csv(chunks, unfinished)
            else:
                export_file.write_parquet(chunks, columns, unfinished)
            rows = cursor.rowcount
        unfinished.replace(file)
    except OSError as error:
        raise SettingsError([f"--to {file}: cannot be written ({error.strerror or error})"]) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return rows


def _found(engine: Engine, wanted: Wanted) -> tuple[str, list[Column]]:
    """The relation, quoted, and the columns to export. Raises SettingsError naming what there is instead."""
    with engine.connect() as connection:
        relations: dict[str, str] = {
            row.name: row.quoted for row in connection.execute(sql.statement("export/list_published_relations"))
        }
        if not relations:
            raise MeStatusError("the database has no me-status schema; run `me-status migrate`")
        if wanted.table not in relations:
            raise SettingsError(
                [f"{wanted.table!r} is not a published table or view; there are {', '.join(relations)}"]
            )
        quoted = relations[wanted.table]
        rows = connection.execute(sql.statement("export/list_columns"), {"relation": quoted})
        readable = {row.name: Column(row.name, row.type) for row in rows}
    names = list(readable) if wanted.columns is None else list(dict.fromkeys(wanted.columns))
    faults = [
        f"--columns: {wanted.table} has no column {name!r} for this login; there are {', '.join(readable)}"
        for name in names
        if name not in readable
    ]
    if wanted.since is not None and "changed_at" not in readable:
        faults.append(f"--since: {wanted.table} has no changed_at; leave out --since, or export a published table")
    if faults or not names:
        raise SettingsError(faults or [f"{wanted.table} has no column that this login may read"])
    return quoted, [readable[name] for name in names]


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Cursor]:
    """A cursor whose statements all see the same rows, with instants in UTC."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.transaction(), driver.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            cursor.execute("set local timezone to 'UTC'")
            cursor.execute("set local datestyle to 'ISO'")
            yield cursor


def _query(quoted: str, columns: list[Column], since: datetime | None) -> compose.Composable:
    names = compose.SQL(", ").join(compose.Identifier(column.name) for column in columns)
    query = compose.SQL("select {} from {}").format(names, compose.SQL(quoted))
    return query if since is None else query + compose.SQL(" where changed_at >= {}").format(compose.Literal(since))


def _measured(cursor: Cursor, query: compose.Composable, columns: list[Column]) -> list[Column]:
    """The columns, numerics with the digits their values need: a file of decimals has one scale per column."""
    numerics = [column for column in columns if column.type == "numeric"]
    if not numerics:
        return columns
    digits = compose.SQL(", ").join(
        compose.SQL("coalesce(max(length(trunc(abs({0}))::text)), 1), coalesce(max(scale({0})), 0)").format(
            compose.Identifier(column.name)
        )
        for column in numerics
    )
    found = cursor.execute(compose.SQL("select {} from ({}) as exported").format(digits, query)).fetchone()
    assert found is not None
    needed = {column.name: found[2 * place : 2 * place + 2] for place, column in enumerate(numerics)}
    return [
        replace(column, whole_digits=needed[column.name][0], scale=needed[column.name][1])
        if column.name in needed
        else column
        for column in columns
    ]


def _chunks(cursor: Cursor, query: compose.Composable, task: Bar) -> Iterator[bytes]:
    with cursor.copy(compose.SQL("copy ({}) to stdout (format csv, header)").format(query)) as copy:
        for chunk in copy:
            task.advance(len(chunk) // 1024)
            yield bytes(chunk)
    task.finish()
