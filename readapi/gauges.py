"""What the database knows about the jobs and the data, for the operator's page and the metrics: no customer's data."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from config.types import JOBS
from readapi.age import FreshnessLimits
from readapi.statements import Row, Statements

KEPT_SECONDS = 30.0
"""The counts are kept for as long as the page stands before it reloads."""
MOST_COUNTED = 20_000
"""Up to so many customers, marks or unread notifications are counted; of more, the figures are PostgreSQL's estimates,
so that a scrape costs milliseconds at any size."""

BY_TYPE = ("sent", "suppressed", "transitions")
TOTALS = {
    "runs_ended": ("Runs that ended.", ["job", "outcome"]),
    "run_seconds_spent": ("Time that runs took.", ["job"]),
    "notifications_sent": ("Notifications sent.", ["type"]),
    "notifications_suppressed": ("Notifications that dedupe suppressed.", ["type"]),
    "records": ("Records of the sources by what became of them.", ["stream", "change"]),
    "documents_written": ("Documents that changed.", []),
}
"""The totals of the database that are metrics, with their labels; each ends in _total."""
OF_STREAM = ("added", "changed", "removed", "set_aside")


@dataclass(frozen=True)
class Source:
    """A source as it was last pulled."""

    name: str
    synced_at: datetime | None
    failed_at: datetime | None
    error: str | None
    limit: timedelta

    def age(self, now: datetime) -> timedelta | None:
        """How far back the data lies; None: never synced."""
        return None if self.synced_at is None else max(now - self.synced_at, timedelta(0))

    def is_stale(self, now: datetime) -> bool:
        """Older than its limit, or never synced."""
        age = self.age(now)
        return age is None or age > self.limit

    def is_failing(self) -> bool:
        """The last attempt failed."""
        return self.failed_at is not None and (self.synced_at is None or self.failed_at > self.synced_at)


@dataclass(frozen=True)
class Usage:
    """A source's API requests of 24 hours, as it said at `told_at` (aware UTC)."""

    source: str
    used: int
    allowed: int
    told_at: datetime

    @property
    def left(self) -> int:
        """How many it still allows."""
        return max(self.allowed - self.used, 0)


@dataclass(frozen=True)
class Run:
    """One line of the ledger; times aware UTC, `took` None while it runs."""

    run_id: int
    job: str
    started_at: datetime
    took: timedelta | None
    outcome: str
    counts: dict[str, Any]
    error: str | None

    @property
    def streams(self) -> dict[str, dict[str, Any]]:
        """What a sync counted of each stream; `extent` says how much of it was pulled."""
        return {name: value for name, value in self.counts.items() if isinstance(value, dict) and "extent" in value}

    @property
    def stream_counts(self) -> tuple[str, ...]:
        """The counts that each stream has."""
        return ("read", *OF_STREAM)

    @property
    def other_counts(self) -> dict[str, Any]:
        """What was counted beside streams."""
        return {name: value for name, value in self.counts.items() if name not in self.streams}

    def did(self) -> str:
        """What the run counted, in a line: numbers as they stand, those of streams and types summed; zeros left out."""
        totals: Counter[str] = Counter()
        for name, value in self.counts.items():
            totals.update(_numbers(name, value))
        return ", ".join(f"{name.replace('_', ' ')} {total:,}" for name, total in totals.items() if total)


@dataclass(frozen=True)
class Hold:
    """A run that a gate stopped and nobody has decided yet."""

    run_id: int
    gate: str
    source: str | None
    summary: dict[str, Any]
    held_at: datetime


class Gauges:
    """Reads them; counts at most every 30 seconds per process."""

    def __init__(
        self, statements: Statements, limits: FreshnessLimits, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._statements = statements
        self._limits = {"salesforce": limits.salesforce, "whmcs": limits.whmcs}
        self._clock = clock
        self._counted: tuple[float, list[Row]] = (float("-inf"), [])
        self._lock = threading.Lock()

    def sources(self) -> list[Source]:
        """Both sources, by name."""
        rows = self._statements.all("ledger/list_source_states")
        return [Source(name, at, failed, error, self._limits[name]) for name, at, failed, error in rows]

    def usages(self) -> list[Usage]:
        """How much of its daily requests is used of each source that says so."""
        return [Usage(*row) for row in self._statements.all("ledger/list_source_usage")]

    def last_runs(self) -> list[Run]:
        """The newest run of each job."""
        return [_run(row) for row in self._statements.all("ledger/list_last_run_of_each_job")]

    def recent_runs(self, count: int = 15) -> list[Run]:
        """The newest runs of all jobs, newest first."""
        return [_run(row) for row in self._statements.all("ledger/list_newest_runs", count=count)]

    def holds(self) -> list[Hold]:
        """What waits for the operator, oldest first."""
        rows = self._statements.all("holds/list_undecided_holds")
        return [Hold(run_id, gate, source, orjson.loads(text), at) for run_id, gate, source, text, at in rows]

    def sent_by_day(self, zone: str, days: int = 30) -> list[tuple[str, int]]:
        """Notifications sent on each of the last days (business zone, ISO dates), oldest first, empty days included."""
        rows = self._statements.all("api/count_sent_by_day", zone=zone, days=days)
        return [(day.isoformat(), sent) for day, sent in rows]

    def runs_by_outcome(self) -> list[Row]:
        """(job, outcome, runs, seconds) over the ledger as far back as it is kept."""
        return self._statements.all("ledger/count_runs_by_outcome")

    def counts(self, kind: str) -> list[tuple[str, int]]:
        """Labelled counts of one kind: total, task, refused (count_everything.sql); estimates beyond MOST_COUNTED."""
        return [(label, number) for of, label, number in self._everything() if of == kind]

    def _everything(self) -> list[Row]:
        with self._lock:
            counted_at, rows = self._counted
            if self._clock() - counted_at >= KEPT_SECONDS:
                rows = self._statements.all("api/count_everything", most=MOST_COUNTED)
                self._counted = (self._clock(), rows)
            return rows

    def metrics(self) -> Iterator[Metric]:
        """All of it as Prometheus gauges; the same whichever worker answers."""
        yield from self._source_metrics(datetime.now(UTC))
        yield from self._proof_metrics(datetime.now(UTC))
        yield from self._fact_metrics(datetime.now(UTC))
        yield from self._hint_metrics(datetime.now(UTC))
        yield from self._run_metrics()
        yield from self._total_metrics()
        yield from self._count_metrics()

    def _source_metrics(self, now: datetime) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "me_status_source_age_seconds", "Seconds since a source was last synced whole.", labels=["source"]
        )
        stale = GaugeMetricFamily(
            "me_status_source_stale", "1 when a source is older than its limit or was never synced.", labels=["source"]
        )
        failing = GaugeMetricFamily(
            "me_status_source_failing", "1 when the last attempt at a source failed.", labels=["source"]
        )
        for source in self.sources():
            if (passed := source.age(now)) is not None:
                age.add_metric([source.name], passed.total_seconds())
            stale.add_metric([source.name], source.is_stale(now))
            failing.add_metric([source.name], source.is_failing())
        yield from (age, stale, failing)
        yield from self._usage_metrics()

    def _usage_metrics(self) -> Iterator[Metric]:
        used = GaugeMetricFamily(
            "me_status_source_requests_used",
            "API requests of 24 hours, as the source said last.",
            labels=["source"],
        )
        allowed = GaugeMetricFamily(
            "me_status_source_requests_allowed", "API requests the source allows in 24 hours.", labels=["source"]
        )
        for usage in self.usages():
            used.add_metric([usage.source], usage.used)
            allowed.add_metric([usage.source], usage.allowed)
        yield from (used, allowed)

    def _proof_metrics(self, now: datetime) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "me_status_stream_proved_age_seconds",
            "Seconds since the instant through which a stream is proved equal to its source.",
            labels=["stream"],
        )
        differs = GaugeMetricFamily(
            "me_status_stream_differs", "1 when a stream was found to differ from its source.", labels=["stream"]
        )
        for stream, proved_through, is_different in self._statements.all("api/list_stream_proofs"):
            if proved_through is not None:
                age.add_metric([stream], max((now - proved_through).total_seconds(), 0.0))
            differs.add_metric([stream], is_different)
        yield from (age, differs)

    def fact_ages(self) -> list[Row]:
        """Each stream with the oldest reading that somebody's facts rest on; None: never read whole."""
        return self._statements.all("snapshot/list_fact_ages")

    def waiting_hints(self) -> Row:
        """How many customers wait to be read again, and since when the first of them."""
        return self._statements.all("hints/read_waiting_hints")[0]

    def hint_counts(self) -> list[Row]:
        """(origin, outcome, hints) of all that were dealt with."""
        return self._statements.all("hints/list_hint_counts")

    def _fact_metrics(self, now: datetime) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "me_status_facts_age_seconds",
            "Seconds since the oldest reading of a stream that somebody's facts rest on.",
            labels=["stream"],
        )
        for stream, oldest_at in self.fact_ages():
            if oldest_at is not None:
                age.add_metric([stream], max((now - oldest_at).total_seconds(), 0.0))
        yield age

    def _hint_metrics(self, now: datetime) -> Iterator[Metric]:
        """What waits, how long the first has waited (0 when none does), and what became of the others."""
        waiting, oldest_at = self.waiting_hints()
        yield GaugeMetricFamily("me_status_hints_waiting", "Customers that wait to be read again.", value=waiting)
        waited = 0.0 if oldest_at is None else max((now - oldest_at).total_seconds(), 0.0)
        yield GaugeMetricFamily(
            "me_status_hints_oldest_seconds", "How long the first of them has waited.", value=waited
        )
        hints = CounterMetricFamily(
            "me_status_hints", "Hints by who gave them and what became of them.", labels=["origin", "outcome"]
        )
        for origin, outcome, number in self.hint_counts():
            hints.add_metric([origin, outcome], number)
        yield hints

    def _run_metrics(self) -> Iterator[Metric]:
        runs = GaugeMetricFamily("me_status_runs", "Runs in the ledger.", labels=["job", "outcome"])
        spent = GaugeMetricFamily("me_status_run_seconds", "Time of the runs in the ledger.", labels=["job", "outcome"])
        for job, outcome, number, seconds in self.runs_by_outcome():
            runs.add_metric([job, outcome], number)
            spent.add_metric([job, outcome], float(seconds or 0))
        started = GaugeMetricFamily("me_status_last_run_started", "Unix time of a job's last start.", labels=["job"])
        took = GaugeMetricFamily("me_status_last_run_seconds", "How long a job's last run took.", labels=["job"])
        for run in self.last_runs():
            started.add_metric([run.job], run.started_at.timestamp())
            if run.took is not None:
                took.add_metric([run.job], run.took.total_seconds())
        yield from (runs, spent, started, took)

    def _total_metrics(self) -> Iterator[Metric]:
        """What only grows, and since when each job and scheduler was last well."""
        families = {
            metric: CounterMetricFamily(f"me_status_{metric}", does, labels=labels)
            for metric, (does, labels) in TOTALS.items()
        }
        for metric, label, detail, amount in self._statements.all("ledger/list_totals"):
            if metric in families:
                families[metric].add_metric([label, detail][: len(TOTALS[metric][1])], amount)
        yield from families.values()
        good = GaugeMetricFamily(
            "me_status_job_last_success_timestamp_seconds", "When a job's last good run ended.", labels=["job"]
        )
        for row in self._statements.all("health/list_job_states", jobs=list(JOBS)):
            if row[1] is not None:
                good.add_metric([row[0]], row[1].timestamp())
        beat = GaugeMetricFamily(
            "me_status_scheduler_beat_timestamp_seconds", "A scheduler's last beat.", labels=["scheduler"]
        )
        for scheduler, _, beat_at in self._statements.all("ledger/list_heartbeats"):
            beat.add_metric([scheduler], beat_at.timestamp())
        yield from (good, beat)

    def _count_metrics(self) -> Iterator[Metric]:
        for name, number in self.counts("total"):
            yield GaugeMetricFamily(f"me_status_{name}", f"{name.replace('_', ' ').capitalize()}.", value=number)
        for kind, name, label in (
            ("task", "me_status_customers_by_first_task", "type"),
            ("set_aside", "me_status_refused_records", "stream"),
        ):
            family = GaugeMetricFamily(name, f"{name.replace('_', ' ')}.", labels=[label])
            for value, number in self.counts(kind):
                family.add_metric([value], number)
            yield family


def _numbers(name: str, value: Any) -> dict[str, int]:
    if isinstance(value, int):
        return {name: value}
    if not isinstance(value, dict):
        return {}
    if name in BY_TYPE:
        return {name: sum(count for count in value.values() if isinstance(count, int))}
    return {part: value[part] for part in OF_STREAM if isinstance(value.get(part), int)}


def _run(row: Row) -> Run:
    run_id, job, started_at, finished_at, outcome, counts, error = row
    took = None if finished_at is None else finished_at - started_at
    return Run(run_id, job, started_at, took, outcome, orjson.loads(counts), error)
