"""`schedule`: offers each due slot to the ledger until it is stopped. APScheduler is the clock, the ledger decides.

The rules, the same for every job:

- **Slots** come from `schedule.toml`: `every` so many minutes from midnight UTC, or `cron` in the business zone.
  A slot becomes one run, however many schedulers (or `run JOB --slot` by cron) offer it: the ledger is unique on job
  and slot.
- **Overlap**: a slot that comes while a run of the job is under way is skipped and leaves no row.
- **Catch-up**: at the start, and after the process or the machine slept, only the latest missed slot is run.
- **Misfire**: a slot is never too late to run unless a later one has come.
- **Stop**: SIGTERM or SIGINT lets the runs under way finish, then the process exits 0; a second signal ends it at once.
"""

from __future__ import annotations

import argparse
import signal
import threading
from datetime import UTC, datetime
from types import FrameType
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Engine

from config import logs
from config.errors import SettingsError
from config.schedule import JobTiming
from config.types import Job
from jobs import program
from jobs.program import SUCCESS, Program
from jobs.runs import dispatch
from jobs.runs.ledger import ORDINARY, RunOptions
from jobs.runs.run import Report, of_slot

log = logs.get("schedule")


class SlotTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires at the slots of one job."""

    def __init__(self, timing: JobTiming, zone: ZoneInfo) -> None:
        self.timing = timing
        self.zone = zone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The slot after the previous one; the first time the one that `now` is in, which is the catch-up."""
        if previous_fire_time is None:
            return self.timing.slot_before(now, self.zone) or self.timing.slot_after(now, self.zone)
        return self.timing.slot_after(previous_fire_time, self.zone)


def command(arguments: argparse.Namespace) -> int:
    """Keeps the schedule until SIGTERM or SIGINT, then finishes the runs under way."""
    loaded = program.load()
    dispatch.require(loaded.settings, *loaded.tables.schedule.jobs)
    stop = threading.Event()
    _stop_on_signals(stop)
    with loaded.database() as engine:
        keep(engine, loaded, stop)
    return SUCCESS


def keep(engine: Engine, program: Program, stop: threading.Event) -> None:
    """Offers slots until `stop` is set, then waits for the runs under way."""
    jobs = program.tables.schedule.jobs
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(max(1, len(jobs)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for job, timing in jobs.items():
        trigger = SlotTrigger(timing, program.settings.zone)
        scheduler.add_job(offer, trigger, id=job, args=(engine, program, job))
    scheduler.start()
    log.info("schedule kept", jobs=sorted(jobs))
    stop.wait()
    log.info("stopping after the runs under way")
    scheduler.shutdown(wait=True)


def offer(
    engine: Engine, program: Program, job: Job, *, now: datetime | None = None, options: RunOptions = ORDINARY
) -> Report:
    """Runs the job for the slot that `now` (None: the clock) is in, unless it was run or the job is under way."""
    timing = program.tables.schedule.jobs.get(job)
    if timing is None:
        raise SettingsError([f"{job} has no timing in the schedule, so it has no slot"])
    due_at = timing.slot_before(now or datetime.now(UTC), program.settings.zone)
    if due_at is None:
        return Report(job, "skipped")
    return of_slot(engine, program, job, options, due_at)


def _stop_on_signals(stop: threading.Event) -> None:
    def set_stop(number: int, frame: FrameType | None) -> None:
        stop.set()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, set_stop)
