"""Offering a job its slot: the ledger decides whether it becomes a run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Engine

from config.errors import SettingsError
from config.schedule import JobTiming
from config.types import HINTED, Job
from jobs.program import Program
from jobs.runs.ledger import ORDINARY, RunOptions
from jobs.runs.run import Report, of_slot

EACH_MINUTE = JobTiming(every=1)
"""The slots of hints, for those who keep the schedule by cron; `schedule` follows hints as they come."""


def offer(
    engine: Engine, program: Program, job: str, *, now: datetime | None = None, options: RunOptions = ORDINARY
) -> Report:
    """Runs the job for the slot that `now` (None: the clock) is in, unless it was run, is under way, or is paused."""
    timing = program.tables.schedule.jobs.get(job, EACH_MINUTE if job == HINTED else None)
    if timing is None:
        raise SettingsError([f"{job} has no timing in the schedule, so it has no slot"])
    due_at = timing.slot_before(now or datetime.now(UTC), program.settings.zone)
    if due_at is None:
        return Report(job, "skipped", error="it had no slot yet")
    return of_slot(engine, program, cast(Job, job), options, due_at)
