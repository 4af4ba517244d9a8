"""Who gets a server thread next: nobody holds more than a share of them, and nobody waits without a bound."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

WAITING_OF_ONE = 32
WAITING_OF_ALL = 512


class Crowded(Exception):  # noqa: N818 (named by what happened)
    """No room to wait; `is_own` is true when the caller's own requests fill it."""

    def __init__(self, *, is_own: bool) -> None:
        self.is_own = is_own
        super().__init__()


@dataclass(slots=True)
class _Queue:
    under_way: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Turns:
    """Turns of `caller`s at the threads: at most `share` at once for each, the next ones in order.

    Used by one thread, the event loop. Forgets a caller with its last request.
    """

    def __init__(self, share: int, *, waiting: int = WAITING_OF_ALL) -> None:
        self._share = share
        self._room = waiting
        self._present = 0
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def of(self, caller: str) -> AsyncIterator[None]:
        """Waits for the caller's turn, and ends it with the block. Raises Crowded at once when there is no room."""
        queue = self._queues.setdefault(caller, _Queue())
        if len(queue.waiting) >= WAITING_OF_ONE:
            raise Crowded(is_own=True)
        if self._present >= self._room:
            self._forget(caller, queue)
            raise Crowded(is_own=False)
        self._present += 1
        try:
            await self._turn(queue)
            try:
                yield
            finally:
                self._hand_on(queue)
        finally:
            self._present -= 1
            self._forget(caller, queue)

    async def _turn(self, queue: _Queue) -> None:
        if queue.under_way < self._share:
            queue.under_way += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._hand_on(queue)
            raise

    def _hand_on(self, queue: _Queue) -> None:
        """The turn goes to the next that waits; a count falls only when nobody does."""
        while queue.waiting:
            turn = queue.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        queue.under_way -= 1

    def _forget(self, caller: str, queue: _Queue) -> None:
        if not queue.under_way and not queue.waiting:
            self._queues.pop(caller, None)
