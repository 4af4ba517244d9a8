"""Playing the script: the jobs run at each instant, the operator releases and announces, and everything is counted."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sql
from config.errors import MeStatusError
from config.types import NOTIFICATION_TYPES, TASK_TYPES
from jobs.commands import announce, held
from jobs.demo.stage import Stage
from jobs.progress import Progress
from jobs.runs.ledger import RunOptions
from jobs.runs.run import Report, by_hand
from materializer.refresh.outbox import Announcement, NeedsConfirmation
from materializer.units import At

ANNOUNCEMENT = Announcement(
    title="Maintenance on Sunday",
    message="Internet access is interrupted for some minutes on Sunday between 2:00 and 4:00.",
    url="/account",
)


@dataclass
class Day:
    """One simulated day: what happened in the sources, and what the runs did with it."""

    on: date
    events: list[str] = field(default_factory=list)
    runs: int = 0
    records: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    suppressed: int = 0
    resolved: int = 0
    operator: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Play:
    """The whole demo so far: its days, and the tasks seen on anybody's dashboard at any time."""

    days: list[Day] = field(default_factory=list)
    tasks_seen: Counter[str] = field(default_factory=Counter)
    notifications: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    customer: str | None = None

    @property
    def missing(self) -> list[str]:
        """Notification types and tasks that did not occur."""
        return [name for name in NOTIFICATION_TYPES if not self.notifications.get(name)] + [
            name for name in TASK_TYPES if not self.tasks_seen[name]
        ]

    @property
    def failed(self) -> list[str]:
        return [line for day in self.days for line in day.failed]


def play_day(stage: Stage, play: Play, on: date, progress: Progress, *, is_last: bool) -> Day:
    """All instants of one day, and on the last one the operator's announcement."""
    began = time.monotonic()
    day = Day(on)
    play.days.append(day)
    instants = [run for run in stage.runs if run.astimezone(stage.population.zone).date() == on]
    for instant in instants:
        _run_all(stage, play, day, instant, progress)
    if is_last:
        _announce(stage, day, instants[-1])
    day.seconds = time.monotonic() - began
    return day


def catch_up(stage: Stage, play: Play, progress: Progress) -> Day:
    """One more run now, by the real clock, so that what is served is fresh; and the final counts."""
    began = time.monotonic()
    now = datetime.now(UTC)
    day = Day(now.astimezone(stage.population.zone).date())
    play.days.append(day)
    _run_all(stage, play, day, now, progress)
    with stage.engine.connect() as connection:
        play.notifications = _counts(connection.execute(sql.statement("demo/count_notifications")))
        play.tasks = _counts(connection.execute(sql.statement("demo/count_tasks"), {"run_id": None}))
        play.customer = connection.execute(sql.statement("demo/find_busiest_customer")).scalar_one_or_none()
    day.seconds = time.monotonic() - began
    return day


def _run_all(stage: Stage, play: Play, day: Day, instant: datetime, progress: Progress) -> None:
    day.events += stage.happens(instant)
    for report in by_hand(stage.engine, stage.program, "all", RunOptions(progress=progress), instant):
        _note(stage, play, day, report)
    day.runs += 1


def _note(stage: Stage, play: Play, day: Day, report: Report) -> None:
    if report.outcome == "failed":
        day.failed.append(f"{report.job}: {report.error}")
    if report.job == "refresh":
        day.sent.update({row["type"]: row["notifications"] for row in report.notifications})
        day.suppressed += sum(report.counts.get("suppressed", {}).values())
        day.resolved += report.counts.get("resolved", 0)
        _see_tasks(stage, play, report.run_id)
    else:
        day.records.update(_records(report.counts))
    if report.held is not None and report.run_id is not None:
        _release(stage, day, report)


def _see_tasks(stage: Stage, play: Play, run_id: int | None) -> None:
    with stage.engine.connect() as connection:
        play.tasks_seen.update(_counts(connection.execute(sql.statement("demo/count_tasks"), {"run_id": run_id})))


def _release(stage: Stage, day: Day, report: Report) -> None:
    """What `me-status held release RUN` does, at the simulated now."""
    assert report.run_id is not None
    done = held.decide(stage.engine, "release", At(report.run_id, stage.clock.now()), None)
    sent: dict[str, int] = done.get("sent", {})
    day.sent.update(sent)
    released = ", ".join(f"{count:,} {name}" for name, count in sent.items()) or str(done.get("removed", "nothing"))
    day.operator.append(
        f"run {report.run_id} was held by the {done['gate']} gate; the operator released it: {released}"
    )


def _announce(stage: Stage, day: Day, now: datetime) -> None:
    """What `me-status announce --yes` does."""
    done = announce.announce(stage.engine, stage.program, ANNOUNCEMENT, now, confirmed=True)
    if isinstance(done, NeedsConfirmation):
        raise MeStatusError("the announcement was not sent although it was confirmed")
    day.sent["SYSTEM_ANNOUNCEMENT"] += done.sent
    day.operator.append(f"the operator announced “{ANNOUNCEMENT.title}” to {done.sent:,} customers")


def _records(counts: dict[str, Any]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for name, value in counts.items():
        if isinstance(value, dict):
            totals += _records(value)
        elif name in ("added", "changed", "removed", "set_aside"):
            totals[name] += value
    return totals


def _counts(rows: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in rows}
