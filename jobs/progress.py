"""Progress bars on standard error, on a terminal only; elsewhere silence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Bar(Protocol):
    """One thing under way."""

    def advance(self, count: int = 1) -> None:
        """Moves on by `count`."""

    def expect(self, total: int) -> None:
        """Says how much there is in all, once it is known."""

    def finish(self) -> None:
        """Ends it; further calls do nothing."""


class Progress(Protocol):
    """Where jobs say how far they are."""

    def start(self, label: str, total: int | None = None) -> Bar:
        """A new thing under way, of `total` steps when that is known."""


class _Silent:
    def start(self, label: str, total: int | None = None) -> _Silent:
        return self

    def advance(self, count: int = 1) -> None: ...

    def expect(self, total: int) -> None: ...

    def finish(self) -> None: ...


def silent() -> Progress:
    """Shows nothing."""
    return _Silent()


@contextmanager
def shown() -> Iterator[Progress]:
    """Bars with rate and time left while the block runs when standard error is a terminal; else silence."""
    if not sys.stderr.isatty():
        yield silent()
        return
    from jobs import progress_bars  # rich is for those who watch; a start by cron does not wait for it

    with progress_bars.shown() as bars:
        yield bars
