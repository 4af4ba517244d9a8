"""Progress bars of rich, for who watches on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


class _Rate(ProgressColumn):
    def render(self, task: RichTask) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


class Bars:
    """Progress as bars with rate and time left."""

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


@contextmanager
def shown() -> Iterator[Bars]:
    """Bars on standard error while the block runs."""
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
        yield Bars(bars)
