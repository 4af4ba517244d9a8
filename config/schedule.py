"""The schedule: when jobs run, freshness limits, rate limits and gates, as `schedule.toml` gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from config import cron
from config.datafile import Table, read
from config.nearest import did_you_mean
from config.types import SCHEDULED_JOBS


class JobTiming(Table):
    """When one job is due: every so many minutes, or by a cron expression in the business zone; or never, when off."""

    every: int | None = Field(default=None, ge=1, le=1440)
    cron: str | None = None
    off: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if [self.every is not None, self.cron is not None, self.off].count(True) != 1:
            raise ValueError("give one of every (minutes), cron (five fields) and off = true")
        if self.cron is not None:
            cron.check(self.cron)
        return self

    def slot_after(self, instant: datetime, zone: ZoneInfo) -> datetime | None:
        """The first slot later than `instant`, aware UTC; None for a cron expression that never comes again.

        Slots of `every` are counted from each midnight UTC; those of `cron` are read in `zone`, the business zone.
        """
        if self.every is not None:
            return _counted_slot(instant, self.every) + timedelta(minutes=_step(instant, self.every))
        return None if self.cron is None else cron.slot_after(self.cron, instant, zone)

    def slot_before(self, instant: datetime, zone: ZoneInfo) -> datetime | None:
        """The last slot at or before `instant`, aware UTC; None when there was none."""
        if self.every is not None:
            return _counted_slot(instant, self.every)
        return None if self.cron is None else cron.slot_before(self.cron, instant, zone)


def _counted_slot(instant: datetime, minutes: int) -> datetime:
    midnight = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (instant - midnight) // timedelta(minutes=minutes) * timedelta(minutes=minutes)


def _step(instant: datetime, minutes: int) -> int:
    slot = _counted_slot(instant, minutes)
    until_midnight = 24 * 60 - slot.hour * 60 - slot.minute
    return min(minutes, until_midnight)


class Freshness(Table):
    """Minutes after which data is stale: of a source, and of what WHMCS gives for one client or invoice only."""

    salesforce: int = Field(ge=1)
    whmcs: int = Field(ge=1)
    pay_methods: int = Field(ge=1)
    balances: int = Field(ge=1)


class SalesforcePulls(Table):
    """How Salesforce is read."""

    overlap_minutes: int = Field(ge=0)
    full_every_hours: int = Field(ge=1)
    bulk_above_rows: int = Field(ge=0)
    page_size: int = Field(ge=200, le=2000)
    quota_stop_percent: int = Field(ge=1, le=100)


class WhmcsPulls(Table):
    """How WHMCS is read."""

    page_size: int = Field(ge=1, le=2500)
    sweep_every_minutes: int = Field(ge=1)
    sweep_always_below_rows: int = Field(ge=0)
    pay_methods_every_hours: int = Field(ge=1)
    pay_methods_minutes: float = Field(ge=0)
    balances_every_hours: int = Field(ge=1)
    concurrency: int = Field(ge=1, le=64)
    pause_milliseconds: int = Field(ge=0)


class Hints(Table):
    """How soon hints are followed: seconds after the last one of a customer, at most so many after its first."""

    quiet_seconds: float = Field(ge=0)
    longest_seconds: float = Field(ge=0)
    look_every_seconds: float = Field(gt=0)
    refresh_gap_seconds: int = Field(ge=1)
    batch_customers: int = Field(ge=1, le=200)
    retry_seconds: int = Field(ge=1)
    retry_longest_seconds: int = Field(ge=1)
    keep_hours: int = Field(ge=1)


class Limits(Table):
    """Sizes of units of work, and bounds on requests."""

    window_rows: int = Field(ge=1)
    batch_customers: int = Field(ge=1)
    other_rules_customers: int = Field(ge=0)
    timeout_seconds: float = Field(gt=0)
    attempts: int = Field(ge=1)
    attempts_seconds: float = Field(gt=0)


class SchedulerLimits(Table):
    """How `me-status schedule` watches itself."""

    beat_seconds: float = Field(gt=0, le=60)
    give_up_after_seconds: float = Field(gt=0)


class ShrinkGate(Table):
    """A full pull is held when it would remove more than `percent` of a stream and more than `rows` rows."""

    percent: float = Field(ge=0, le=100)
    rows: int = Field(ge=0)


class ShadowCheck(Table):
    """How many documents each refresh compares with their facts at least (0: none), and within which hours all are."""

    customers: int = Field(ge=0, le=1000)
    hours: int = Field(ge=1)


class Retention(Table):
    """Days that history is kept."""

    transitions: int = Field(ge=1)
    notifications: int = Field(ge=36)
    runs: int = Field(ge=36)
    hinted_runs: int = Field(ge=1)
    hints: int = Field(ge=1)
    history: int = Field(ge=1)
    change_feed: int = Field(ge=1)


class Notify(Table):
    """Who is notified: everybody, or only the customers listed in the file `only` (config/guests.py)."""

    only: str = ""


class Schedule(Table):
    """The whole of `schedule.toml`."""

    jobs: dict[str, JobTiming]
    freshness_minutes: Freshness
    salesforce: SalesforcePulls
    whmcs: WhmcsPulls
    hints: Hints
    limits: Limits
    scheduler: SchedulerLimits
    shrink_gate: ShrinkGate
    shadow_check: ShadowCheck
    notify: Notify
    retention_days: Retention

    @field_validator("jobs")
    @classmethod
    def _known_jobs_that_are_not_off(cls, jobs: dict[str, JobTiming]) -> dict[str, JobTiming]:
        if unknown := sorted(set(jobs) - set(SCHEDULED_JOBS)):
            hint = did_you_mean(unknown[0], SCHEDULED_JOBS)
            raise ValueError(f"{', '.join(unknown)} is not a job; there are {', '.join(SCHEDULED_JOBS)}{hint}")
        return {job: timing for job, timing in jobs.items() if not timing.off}


def load(overlay: Path | None = None) -> Schedule:
    """The packaged schedule with the operator's laid over. Raises SettingsError."""
    return read(Schedule, "schedule.toml", overlay)
