"""Rows by id, asked for together with those of whoever asks at the same time.

A statement takes PostgreSQL longer to set up than to find one more customer (210 µs for one, 90 for each of four), and
each question and answer costs both sides a system call. So who comes while the lines are busy, or in the same turn of
the event loop, shares a statement; nobody waits for company.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from readapi.connections import Row
from readapi.lines import Lines

MOST = 64
"""Rows of one statement: some 100 kB, which come in a few milliseconds."""


class Together:
    """Rows of the statement `name`: its parameter is an array of ids, and the first column of a row is its id."""

    def __init__(self, lines: Lines, name: str) -> None:
        self._lines = lines
        self._name = name
        self._wanted: list[tuple[str, asyncio.Future[Row | None]]] = []
        self._asking: set[asyncio.Task[None]] = set()

    async def row(self, wanted: str) -> Row | None:
        """The row of an id of letters and digits; None when there is none. Raises Unusual."""
        answer: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
        self._wanted.append((wanted, answer))
        if len(self._wanted) == 1:
            self._begin()
        return await answer

    def _begin(self) -> None:
        asking = asyncio.create_task(self._ask())
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    async def _ask(self) -> None:
        """Asks for all who came before a line was free."""
        together: list[tuple[str, asyncio.Future[Row | None]]] = []
        try:
            line = await self._lines.free()
            together = self._take()
            rows = await line.ask(self._name, array_of({wanted for wanted, _ in together}))
        except Exception as error:  # noqa: BLE001 (each of those who wait raises it)
            for _, answer in together or self._take():
                if not answer.done():
                    answer.set_exception(error)
        else:
            found = {row[0]: row for row in rows}
            for wanted, answer in together:
                if not answer.done():
                    answer.set_result(found.get(wanted))

    def _take(self) -> list[tuple[str, asyncio.Future[Row | None]]]:
        """The first of those who wait; whoever is left is asked for next."""
        taken, self._wanted = self._wanted[:MOST], self._wanted[MOST:]
        if self._wanted:
            self._begin()
        return taken


def array_of(ids: Iterable[str]) -> str:
    """As PostgreSQL writes an array of texts that need no quotes (manual, chapter 8.15.2)."""
    return f"{{{','.join(ids)}}}"
