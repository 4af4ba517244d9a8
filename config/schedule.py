"""The schedule: when jobs run, freshness limits, politeness and gates, as `schedule.toml` gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from apscheduler.triggers.cron import CronTrigger
from pydantic import Field, model_validator

from config.datafile import Table, read

JOBS = ("sync-salesforce", "sync-whmcs", "refresh", "prune")


class JobTiming(Table):
    """When one job is due: every so many minutes, or by a cron expression in the business zone."""

    every: int | None = Field(default=None, ge=1, le=1440)
    cron: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.every is None) == (self.cron is None):
            raise ValueError("give either every (minutes) or cron (five fields)")
        if self.cron is not None:
            CronTrigger.from_crontab(self.cron, timezone="UTC")
        return self


class Freshness(Table):
    """Minutes after which a source's data is stale."""

    salesforce: int = Field(ge=1)
    whmcs: int = Field(ge=1)


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
    concurrency: int = Field(ge=1, le=64)
    pause_milliseconds: int = Field(ge=0)


class Limits(Table):
    """Sizes of units of work, and bounds on requests."""

    window_rows: int = Field(ge=1)
    batch_customers: int = Field(ge=1)
    timeout_seconds: float = Field(gt=0)
    attempts: int = Field(ge=1)
    attempts_seconds: float = Field(gt=0)


class ShrinkGate(Table):
    """A full pull is held when it would remove more than `percent` of a stream and more than `rows` rows."""

    percent: float = Field(ge=0, le=100)
    rows: int = Field(ge=0)


class Retention(Table):
    """Days that history is kept."""

    transitions: int = Field(ge=1)
    notifications: int = Field(ge=36)
    runs: int = Field(ge=36)


class Schedule(Table):
    """The whole of `schedule.toml`."""

    jobs: dict[str, JobTiming]
    freshness_minutes: Freshness
    salesforce: SalesforcePulls
    whmcs: WhmcsPulls
    limits: Limits
    shrink_gate: ShrinkGate
    retention_days: Retention

    @model_validator(mode="after")
    def _known_jobs(self) -> Self:
        if unknown := sorted(set(self.jobs) - set(JOBS)):
            raise ValueError(f"jobs: {', '.join(unknown)} is no job; there are {', '.join(JOBS)}")
        return self


def load(replacement: Path | None = None) -> Schedule:
    """The packaged schedule, or the operator's. Raises SettingsError."""
    return read(Schedule, "schedule.toml", replacement)
