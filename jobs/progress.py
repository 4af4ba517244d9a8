"""Progress bars on standard error, on a terminal only; elsewhere silence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.progress import Task as RichTask
from rich.text import Text


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


class _Rate(ProgressColumn):
    def render(self, task: RichTask) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


class _Bars:
    def __init__(self, bars: RichProgress) -> None:
        self.bars = bars

    def start(self, label: str, total: int | None = None) -> _Bar:
        return _Bar(self.bars, self.bars.add_task(label, total=total))


class _Bar:
    def __init__(self, bars: RichProgress, task: object) -> None:
        self.bars = bars
        self.task = task

    def advance(self, count: int = 1) -> None:
        self.bars.advance(self.task, count)  # type: ignore[arg-type]

    def expect(self, total: int) -> None:
        self.bars.update(self.task, total=total)  # type: ignore[arg-type]

    def finish(self) -> None:
        done = self.bars.tasks[self.bars.task_ids.index(self.task)].completed  # type: ignore[arg-type]
        self.bars.update(self.task, total=done)  # type: ignore[arg-type]


def silent() -> Progress:
    """Shows nothing."""
    return _Silent()


@contextmanager
def shown() -> Iterator[Progress]:
    """Bars with rate and time left while the block runs when standard error is a terminal; else silence."""
    if not sys.stderr.isatty():
        yield silent()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bars(bars)
