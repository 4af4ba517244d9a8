"""The statements of sql/queries on a pool of connections, each a transaction of its own."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

import sql
from readapi.problems import unavailable

Row = tuple[Any, ...]
RETRY_AFTER_SECONDS = 5
NOT_MIGRATED = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InvalidSchemaName)
NO_CONNECTION = (PoolTimeout, PoolClosed, TooManyRequests)


class Pool(ConnectionPool[Connection[TupleRow]]):
    """A pool that keeps a cursor of each connection at hand, for statements that are transactions of their own.

    They go from thread to thread, and back into the pool only when their connection broke.

    A checkout of psycopg_pool costs more than all else that a request does in Python besides its query: locks, a
    transaction's context, a new cursor. A cursor that stays also remembers how its last query reads.
    """

    def __init__(self, database_url: str, *, max_size: int, **options: Any) -> None:
        self._slots: SimpleQueue[Cursor[TupleRow] | None] = SimpleQueue()
        for _ in range(max_size):
            self._slots.put(None)
        super().__init__(database_url, max_size=max_size, **options)

    def run(self, query: bytes, parameters: dict[str, object]) -> list[Row]:
        """All rows. Raises psycopg's errors; PoolTimeout when every connection stays busy, or none can be made."""
        try:
            cursor = self._slots.get(timeout=self.timeout)
        except Empty:
            raise PoolTimeout("every connection is busy") from None
        try:
            if cursor is None:
                cursor = self.getconn().cursor()
            return cursor.execute(query, parameters, binary=True).fetchall()
        finally:
            self._slots.put(self._sound(cursor))

    def renew(self) -> None:
        """Has the pool check every idle connection and replace the broken ones."""
        self._give_back()
        self.check()

    def close(self, timeout: float = 5.0) -> None:
        self._give_back()
        super().close(timeout)

    def _give_back(self) -> None:
        for _ in range(self._slots.qsize()):
            with suppress(Empty):
                cursor = self._slots.get_nowait()
                self._slots.put(None)
                if cursor is not None:
                    self.putconn(cursor.connection)

    def _sound(self, cursor: Cursor[TupleRow] | None) -> Cursor[TupleRow] | None:
        if cursor is not None and cursor.connection.broken:
            self.putconn(cursor.connection)
            return None
        return cursor


def open_pool(database_url: str, *, connections: int) -> Pool:
    """A pool whose connections commit by themselves, speak UTC, and wait seconds rather than minutes.

    It opens in the background: a database that is down makes the first requests fail, not the process. Plans are
    generic: every statement finds its rows by key, and planning one anew takes longer than running it.
    """
    return Pool(
        database_url,
        kwargs={
            "autocommit": True,
            "application_name": "me-status api",
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c statement_timeout=10s -c lock_timeout=5s"
            " -c plan_cache_mode=force_generic_plan",
        },
        configure=_leave_json_as_bytes,
        min_size=min(2, connections),
        max_size=connections,
        timeout=5,
        open=True,
        name="me-status api",
    )


class Statements:
    """Runs statements by name. A database that does not answer is a 503 Problem; after a restart of it one retry."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def one(self, name: str, **parameters: object) -> Row | None:
        """The first row of queries/<name>.sql, or None."""
        rows = self.all(name, **parameters)
        return rows[0] if rows else None

    def all(self, name: str, **parameters: object) -> list[Row]:
        """All rows of queries/<name>.sql; json columns come as the bytes stored."""
        query = in_driver_style(name)
        try:
            return self._run(query, parameters)
        except NOT_MIGRATED as error:
            raise unavailable(
                "not-migrated", "The database has no current schema; run me-status migrate.", retry_after=60
            ) from error
        except psycopg.OperationalError as error:
            raise unavailable(
                "database-down", "The database does not answer.", retry_after=RETRY_AFTER_SECONDS
            ) from error

    def _run(self, query: bytes, parameters: dict[str, object]) -> list[Row]:
        try:
            return self._pool.run(query, parameters)
        except psycopg.OperationalError as error:
            if not _is_broken_connection(error):
                raise
            self._pool.renew()
            return self._pool.run(query, parameters)


@cache
def in_driver_style(name: str) -> bytes:
    """queries/<name>.sql with `:name` parameters in psycopg's spelling. The one place that rewrites statements."""
    doubled = sql.source(name).replace("%", "%%")
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", r"%(\1)s", doubled).encode()


def _leave_json_as_bytes(connection: Connection[TupleRow]) -> None:
    set_json_loads(lambda stored: bytes(stored) if isinstance(stored, bytes) else stored.encode(), connection)


def _is_broken_connection(error: psycopg.OperationalError) -> bool:
    """A lost connection carries no SQLSTATE, or one of class 57P (the server is stopping or was killed)."""
    return not isinstance(error, NO_CONNECTION) and (error.sqlstate is None or error.sqlstate.startswith("57P"))
