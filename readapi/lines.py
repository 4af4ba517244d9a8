"""The short way to the database: statements of every day, sent and waited for by the event loop itself.

A line is a connection that knows these statements, prepared (libpq's asynchronous interface, PostgreSQL manual, chapter
34.4, by psycopg.pq). It answers what is usual, and leaves all else to the threads and their connections, with their
retries, deadlines and breaker: as soon as anything is unusual, `Unusual` says so and the request goes the long way.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import Connection, pq
from psycopg.adapt import Transformer

import sql
from readapi.connections import LIFETIME_SECONDS, Connections, Row
from readapi.threads import Threads

LINES = 2
"""While PostgreSQL answers on one, the next question goes out on the other."""
BY_KEY = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off"
"""Rows are found by key, whatever the tables held when the plan was made: one of an empty table would read it whole."""
PATIENCE_SECONDS = 0.5
"""An answer that takes longer is not of every day, and neither is a connection that lets us wait so long."""
AGAIN_SECONDS = 1.0
"""So long after a failure to connect it is tried again."""


class Unusual(Exception):  # noqa: N818 (named by what happened)
    """Not to be had this way; the long way knows what it is."""


class Lines:
    """Runs the statements of `names`. Used by one thread, the event loop; connects in `threads`, once it is needed."""

    def __init__(self, connections: Connections, threads: Threads, names: Sequence[str], *, count: int = LINES) -> None:
        self._connections = connections
        self._threads = threads
        self._names = names
        self._count = count
        self._lines: set[Line] = set()
        self._idle: list[Line] = []
        self._waiting: deque[asyncio.Future[Line]] = deque()
        self._connecting: asyncio.Task[None] | None = None
        self._connect_at = 0.0

    async def all(self, name: str, *parameters: str) -> list[Row]:
        """All rows of queries/<name>.sql, in a transaction of its own; parameters in the statement's order.

        Raises Unusual.
        """
        line = await self.free()
        return await line.ask(name, *parameters)

    def close(self) -> None:
        """Ends every line; what is asked then is Unusual."""
        self._count = 0
        if self._connecting is not None:
            self._connecting.cancel()
        for line in list(self._lines):
            line.close()

    async def free(self) -> Line:
        """The next line that is free, to be asked at once. Raises Unusual when there is none at all."""
        if self._is_short() and self._connecting is None and time.monotonic() >= self._connect_at:
            self._connecting = asyncio.create_task(self._connect())
        if self._idle:
            return self._idle.pop()
        if not self._lines:
            raise Unusual
        turn: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self._freed(turn.result())
            raise

    def _is_short(self) -> bool:
        """Whether lines are wanted, and may be had: threads that look for the database need no company."""
        return len(self._lines) < self._count and not self._connections.is_away

    async def _connect(self) -> None:
        try:
            while self._is_short():
                connection = await self._threads.run(_connected, self._connections, self._names)
                line = Line(connection, self._freed, self._lost)
                self._lines.add(line)
                self._freed(line)
        except psycopg.Error:
            self._connect_at = time.monotonic() + AGAIN_SECONDS
        finally:
            self._connecting = None

    def _freed(self, line: Line) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(line)
                return
        if line.is_old():
            line.close()
        else:
            self._idle.append(line)

    def _lost(self, line: Line) -> None:
        self._lines.discard(line)
        if line in self._idle:
            self._idle.remove(line)
        while self._waiting and not self._lines:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(Unusual())


class Line:
    """One connection, asked one thing at a time. `freed` gets it when an answer is whole, `lost` when it is closed."""

    def __init__(
        self, connection: Connection[Any], freed: Callable[[Line], None], lost: Callable[[Line], None]
    ) -> None:
        self._connection = connection
        self._server = connection.pgconn
        self._freed, self._lost = freed, lost
        self._loop = asyncio.get_running_loop()
        self._rows = Transformer(connection)
        self._result: pq.abc.PGresult | None = None
        self._answer: asyncio.Future[list[Row]] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._closes_at = time.monotonic() + LIFETIME_SECONDS
        self._is_closed = False
        self._server.nonblocking = 1
        self._socket = self._server.socket
        self._loop.add_reader(self._socket, self._read)

    def is_old(self) -> bool:
        """Whether it has served long enough, so that its server process does not grow for ever."""
        return time.monotonic() > self._closes_at

    def ask(self, name: str, *parameters: str) -> asyncio.Future[list[Row]]:
        """The rows, or Unusual. A caller that gives up leaves the line busy until the answer is here."""
        answer = self._answer = self._loop.create_future()
        self._deadline = self._loop.call_later(PATIENCE_SECONDS, self.close)
        try:
            given = [parameter.encode() for parameter in parameters]
            self._server.send_query_prepared(name.encode(), given, result_format=pq.Format.BINARY)
            if self._server.flush():  # the server takes nothing any more, or a statement of ours became huge
                self.close()
        except psycopg.Error:
            self.close()
        return answer

    def close(self) -> None:
        """Whoever waits for an answer goes the long way, also one who was given the line just before it was lost."""
        self._settle(None)
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._socket)
        self._connection.close()
        self._lost(self)

    def _read(self) -> None:
        """Takes what the server sent: a part of an answer, a whole one, or the end of the connection."""
        try:
            self._server.consume_input()
            while not self._server.is_busy():
                result = self._server.get_result()
                if result is None:
                    return self._finish()
                self._result = result
        except psycopg.Error:
            self.close()

    def _finish(self) -> None:
        if self._answer is None:  # a notice, not an answer
            return
        result = self._result
        if result is None or result.status != pq.ExecStatus.TUPLES_OK:
            self.close()
            return
        self._rows.set_pgresult(result)
        self._settle(self._rows.load_rows(0, result.ntuples, tuple))
        self._freed(self)

    def _settle(self, rows: list[Row] | None) -> None:
        answer, self._answer, self._result = self._answer, None, None
        if self._deadline is not None:
            self._deadline.cancel()
        if answer is None or answer.done():
            return
        if rows is None:
            answer.set_exception(Unusual())
        else:
            answer.set_result(rows)


def _connected(connections: Connections, names: Sequence[str]) -> Connection[Any]:
    """A new connection on which the statements are prepared. Raises psycopg.Error."""
    connection = connections.connect()
    connection.execute(BY_KEY)
    for name in names:
        result = connection.pgconn.prepare(name.encode(), sql.server_text(name))
        if result.status != pq.ExecStatus.COMMAND_OK:
            connection.close()
            raise psycopg.ProgrammingError(f"{name} cannot be prepared")
    return connection
