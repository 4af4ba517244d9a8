"""The way to the database: a connection a thread, a deadline a statement, and a breaker for when it is away.

A pool would hand connections from thread to thread, which costs more than all else that a request does in Python
besides its query; the threads are few and stay, so each keeps one, with a cursor that remembers how its last query
reads. Measured figures: docs/decisions.md.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads

from config.errors import DatabaseAway

Row = tuple[Any, ...]
log = logging.getLogger(__name__)
CONNECT_SECONDS = 3
STATEMENT_SECONDS = 4.0
"""Ours; the server's own is shorter, so that a server which lets ours pass is taken for away."""
PROBE_SECONDS = 0.5
LIFETIME_SECONDS = 1800.0
"""A connection is replaced after so long, so that its server process does not grow for ever."""
OPTIONS = {
    "autocommit": True,
    "application_name": "me-status api",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
SESSION = (
    "set timezone = 'UTC'; set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres'; set search_path = public;"
    " set statement_timeout = '3s'; set lock_timeout = '2s'; set plan_cache_mode = 'force_generic_plan'"
)
"""Said after connecting, since poolers refuse it as a start-up option; a pooler must pool by session, so that it holds.

Plans are generic: every statement finds its rows by key, and planning one anew takes longer than running it.
"""


class Connections:
    """Runs statements, each a transaction of its own, on the calling thread's connection.

    Nothing is connected before the first statement. Once the database is found to be away, every statement raises
    DatabaseAway at once, and one thread looks for the database until it answers again.
    """

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._of_thread = threading.local()
        self._open: WeakSet[Connection[TupleRow]] = WeakSet()
        self._lock = threading.Lock()
        self._is_away = False
        self._is_closed = threading.Event()

    def run(self, query: bytes, parameters: dict[str, object]) -> list[Row]:
        """All rows; after a restart of the server one retry. Raises DatabaseAway, psycopg's errors of a statement."""
        try:
            return self._cursor().execute(query, parameters, binary=True).fetchall()
        except psycopg.OperationalError as error:
            if not self._is_lost(error):
                raise
        try:
            return self._cursor().execute(query, parameters, binary=True).fetchall()
        except psycopg.OperationalError as error:
            if self._is_lost(error):
                raise self._away(error) from None
            raise

    def close(self) -> None:
        """Ends every connection, and the search for a database that is away."""
        self._is_closed.set()
        for connection in list(self._open):
            connection.close()

    def _cursor(self) -> Cursor[TupleRow]:
        if self._is_away:
            raise DatabaseAway("the database did not answer, and is looked for")
        kept: tuple[float, Cursor[TupleRow]] | None = getattr(self._of_thread, "kept", None)
        if kept is not None and time.monotonic() < kept[0] and not kept[1].connection.closed:
            return kept[1]
        self._drop()
        try:
            connection = self.connect()
        except psycopg.OperationalError as error:
            raise self._away(error) from None
        cursor = connection.cursor()
        self._of_thread.kept = (time.monotonic() + LIFETIME_SECONDS, cursor)
        return cursor

    @property
    def is_away(self) -> bool:
        """Whether the database was found to be away, and is looked for."""
        return self._is_away

    def connect(self) -> Connection[TupleRow]:
        """A new connection, set up as every one of ours. Raises psycopg.OperationalError."""
        connection = _Bounded.connect(self._url, **OPTIONS)  # type: ignore[arg-type]
        connection.execute(SESSION)
        set_json_loads(_as_stored, connection)
        self._open.add(connection)
        return connection

    def _is_lost(self, error: psycopg.OperationalError) -> bool:
        """Whether the connection is of no more use, which is then dropped. Raises DatabaseAway when time was up."""
        if isinstance(error, StatementTooSlow):
            raise self._away(error) from None
        if not self._of_thread.kept[1].connection.closed:
            return False
        self._drop()
        return True

    def _drop(self) -> None:
        kept = getattr(self._of_thread, "kept", None)
        self._of_thread.kept = None
        if kept is not None:
            with suppress(psycopg.Error):
                kept[1].connection.close()

    def _away(self, error: psycopg.Error) -> DatabaseAway:
        """Opens the breaker, unless it is open already."""
        self._drop()
        with self._lock:
            if not self._is_away and not self._is_closed.is_set():
                self._is_away = True
                log.warning("the database is away (%s); looking for it", type(error).__name__)
                threading.Thread(target=self._look, name="database search", daemon=True).start()
        return DatabaseAway("the database does not answer")

    def _look(self) -> None:
        while not self._is_closed.wait(PROBE_SECONDS):
            try:
                with self.connect() as connection:
                    connection.execute("select 1")
            except psycopg.OperationalError:
                continue
            self._is_away = False
            log.warning("the database is back")
            return


class StatementTooSlow(psycopg.OperationalError):
    """No answer within our deadline."""


class _Bounded(Connection[TupleRow]):
    """A connection that never waits for its server beyond the deadline; it is of no use afterwards."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, timeout or STATEMENT_SECONDS)
        except psycopg.errors._WaitTimeout:
            self.close()
            raise StatementTooSlow("the database did not answer in time") from None


def _as_stored(stored: str | bytes) -> bytes:
    """json columns as the bytes stored: they are passed on, not read."""
    return bytes(stored) if isinstance(stored, bytes) else stored.encode()
