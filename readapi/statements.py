"""The statements of sql/queries on a pool of connections, each a transaction of its own."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

import sql
from readapi.problems import unavailable

Pool = ConnectionPool[Connection[TupleRow]]
Row = tuple[Any, ...]
RETRY_AFTER_SECONDS = 5
NOT_MIGRATED = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InvalidSchemaName)
NO_CONNECTION = (PoolTimeout, PoolClosed, TooManyRequests)


def open_pool(database_url: str, *, connections: int) -> Pool:
    """A pool whose connections commit by themselves, speak UTC, and wait seconds rather than minutes.

    It opens in the background: a database that is down makes the first requests fail, not the process.
    """
    return ConnectionPool(
        database_url,
        kwargs={
            "autocommit": True,
            "application_name": "me-status api",
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c statement_timeout=10s -c lock_timeout=5s",
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
        self.pool = pool

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
            return self._once(query, parameters)
        except psycopg.OperationalError as error:
            if not _is_broken_connection(error):
                raise
            self.pool.check()
            return self._once(query, parameters)

    def _once(self, query: bytes, parameters: dict[str, object]) -> list[Row]:
        with self.pool.connection() as connection:
            return connection.execute(query, parameters, binary=True).fetchall()


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
