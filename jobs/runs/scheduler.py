"""The scheduler: a clock that offers slots, a beat that says it lives, and an end when it cannot do its work.

Every few seconds it beats: it writes its heartbeat, carries out what operators asked for, and looks at the clock.
Where the ledger stays away for longer than `scheduler.give_up_after_seconds`, it ends, so that a supervisor starts it
anew. A clock that stepped (or a machine that slept) is logged, and slots are counted anew from now.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Engine

import sql
from config import logs
from config.schedule import JobTiming
from config.types import HINTED, SCHEDULED_JOBS
from jobs import migrate
from jobs.program import Program
from jobs.runs import slots
from jobs.runs.follow import follow

log = logs.get("schedule")
STEP = timedelta(seconds=5)
"""A clock that moved by so much more or less than time passed has stepped."""
OFFERS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
"""However many slots were slept through, one is offered, however late."""
Chore = Callable[[Engine, Program], None]
"""What is done between beats: short, or begun in a thread of its own."""


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


class Clock:
    """Tells a step of the wall clock from the passing of time."""

    def __init__(self, wall: Callable[[], datetime], passed: Callable[[], float]) -> None:
        self._wall, self._passed = wall, passed
        self._seen = (wall(), passed())

    def step(self) -> timedelta:
        """By how much the wall clock moved more than time passed since the last look; none within the ordinary."""
        before, since = self._seen
        self._seen = (self._wall(), self._passed())
        moved = (self._seen[0] - before) - timedelta(seconds=self._seen[1] - since)
        return moved if abs(moved) > STEP else timedelta()


class Scheduler:
    """Keeps the schedule of one program, which `reload` replaces."""

    def __init__(self, program: Program, chores: tuple[Chore, ...] = ()) -> None:
        self.program = program
        self.started_at = datetime.now(UTC)
        self.ledger_seen = time.monotonic()
        self._chores = chores
        self._name = f"{socket.gethostname()} {os.getpid()}"
        self._stack = ExitStack()
        self._clock = Clock(lambda: datetime.now(UTC), time.monotonic)
        self._is_silent = False
        self.engine = self._stack.enter_context(program.database())
        self._slots = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(SCHEDULED_JOBS))},
            job_defaults=OFFERS,
        )

    def keep(self, stop: threading.Event) -> bool:
        """Offers slots until `stop` is set, then waits for the runs under way.

        False when it gave the ledger up: `stop` is set then, which ends what goes on beside, and nothing is awaited.
        """
        self._add_jobs()
        self._slots.start()
        following = threading.Thread(target=follow, args=(self, stop), name="hints", daemon=True)
        following.start()
        log.info("schedule kept", jobs=sorted(self.program.tables.schedule.jobs))
        limits = self.program.tables.schedule.scheduler
        while not stop.is_set():
            self.beat()
            if self.silent_seconds() > limits.give_up_after_seconds:
                log.error("the ledger cannot be reached; giving up", seconds=round(self.silent_seconds()))
                stop.set()
                self._slots.shutdown(wait=False)
                return False
            stop.wait(limits.beat_seconds)
        log.info("stopping after the runs under way")
        self._slots.shutdown(wait=True)
        following.join()
        self._leave()
        return True

    def reload(self, program: Program) -> None:
        """From now on this program's settings and data files; runs under way end with those they began with."""
        engine = self._stack.enter_context(program.database())
        self.program, self.engine = program, engine
        self._add_jobs()
        log.info("settings and data files read again", jobs=sorted(program.tables.schedule.jobs))

    def beat(self) -> None:
        """One beat: heartbeat, chores, clock. What fails is logged once, and again when it is mended."""
        try:
            with self.engine.begin() as connection:
                connection.execute(sql.statement("ledger/beat"), self._beat_of())
            self.ledger_seen = time.monotonic()
            if self._is_silent:
                log.warning("the ledger is back")
            self._is_silent = False
            self._do_chores()
        except Exception as error:  # noqa: BLE001, the next beat tries again
            if not self._is_silent:
                log.error("the ledger cannot be reached", error=logs.describe(error))
            self._is_silent = True
        if moved := self._clock.step():
            log.warning("the clock stepped; slots are counted from now", seconds=round(moved.total_seconds(), 1))
            self._add_jobs()

    def _do_chores(self) -> None:
        for chore in self._chores:
            try:
                chore(self.engine, self.program)
            except Exception as error:  # noqa: BLE001, a chore that fails stops neither slots nor the other chores
                log.error("chore failed", chore=chore.__name__, error=logs.describe(error))

    def silent_seconds(self) -> float:
        """How long ago the ledger was last reached."""
        return time.monotonic() - self.ledger_seen

    def next_slot(self) -> datetime | None:
        """The next slot of any job."""
        times = [job.next_run_time for job in self._slots.get_jobs() if job.next_run_time is not None]
        return min(times, default=None)

    def _add_jobs(self) -> None:
        jobs = self.program.tables.schedule.jobs
        for job in {known.id for known in self._slots.get_jobs()} - jobs.keys():
            self._slots.remove_job(job)
        for job, timing in jobs.items():
            if job == HINTED:
                continue  # followed as they come
            trigger = SlotTrigger(timing, self.program.settings.zone)
            self._slots.add_job(self._offer, trigger, id=job, args=(job,), replace_existing=True)

    def _offer(self, job: str) -> None:
        """A finished run has logged its line; of a slot that became none the line is here."""
        began = time.monotonic()
        report = slots.offer(self.engine, self.program, job)
        seconds = round(time.monotonic() - began, 3)
        if report.outcome == "skipped":
            log.info("slot passed over", job=job, seconds=seconds, why=report.error or "it is taken, or the job runs")
        elif report.run_id is None:
            log.error("slot could not start", job=job, seconds=seconds, error=report.error)

    def _beat_of(self) -> dict[str, object]:
        return {"scheduler": self._name, "started_at": self.started_at, "version": migrate.head()}

    def _leave(self) -> None:
        try:
            with self.engine.begin() as connection:
                connection.execute(sql.statement("ledger/forget_scheduler"), {"scheduler": self._name})
        except Exception as error:  # noqa: BLE001, its row is swept by another within a week
            log.warning("the heartbeat could not be taken away", error=logs.describe(error))
        self._stack.close()
