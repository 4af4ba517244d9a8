"""Threads that the event loop hands work to, kept lean.

An executor of concurrent.futures chains two futures under locks for each piece of work, which took a third of a
request's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")
Task = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Threads:
    """So many threads that take work in the order it comes."""

    def __init__(self, count: int, name: str) -> None:
        self.count = count
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._threads = [Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """What `work` returns or raises, done by one of the threads. A cancelled caller's work is done all the same."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        self._tasks.put((loop, done, work, arguments))
        return await done

    def close(self) -> None:
        """The threads end with the work they have been given before."""
        for _ in self._threads:
            self._tasks.put(None)

    def _work(self) -> None:
        while task := self._tasks.get():
            loop, done, work, arguments = task
            try:
                settle, outcome = _return, work(*arguments)
            except Exception as error:  # noqa: BLE001 (the awaiting request raises it)
                settle, outcome = _raise, error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, done, outcome)


def _return(done: asyncio.Future[Any], outcome: Any) -> None:
    if not done.done():
        done.set_result(outcome)


def _raise(done: asyncio.Future[Any], outcome: Any) -> None:
    if not done.done():
        done.set_exception(outcome)
