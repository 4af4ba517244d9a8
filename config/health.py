"""Whether the pipeline is well, and if not why: one verdict for `status`, the operator's page, readiness and metrics.

Healthy means: each source within its limit, no job overdue (no good run for three of its slots, or one running longer
than that), nothing marked or in the outbox for longer than that, nothing held, no last run failed, no stream found to
differ from its source, no document from its facts. Pure: the facts and the instant are arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.schedule import JobTiming, Schedule

SLOTS = 3
"""So many slots without a good run make a job overdue."""
KINDS = (
    "source-stale",
    "job-overdue",
    "job-running-long",
    "run-failed",
    "marks-waiting",
    "outbox-waiting",
    "run-held",
    "stream-differs",
    "document-differs",
)
"""Every kind of reason; docs/runbook.md has a chapter for each."""


@dataclass(frozen=True)
class SourceSeen:
    """A source, when all its streams were last read well, and what its last failed attempt said."""

    name: str
    synced_at: datetime | None
    failed_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True)
class JobSeen:
    """A job as the ledger knows it. Instants are aware; None: never, or not now."""

    name: str
    last_good_at: datetime | None = None
    running_since: datetime | None = None
    last_run_id: int | None = None
    last_outcome: str | None = None
    last_error: str | None = None
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    resumed_at: datetime | None = None

    def is_paused(self, now: datetime) -> bool:
        """Paused, and not until an instant that has come."""
        return self.paused_at is not None and (self.paused_until is None or now < self.paused_until)

    def slots_count_from(self) -> datetime | None:
        """Slots passed over while the job was paused are not missed ones."""
        return max(
            (at for at in (self.last_good_at, self.resumed_at, self.paused_until) if at is not None), default=None
        )


@dataclass(frozen=True)
class Seen:
    """What a verdict rests on; `held` are ids of runs."""

    sources: Sequence[SourceSeen]
    jobs: Sequence[JobSeen]
    first_run_at: datetime | None = None
    oldest_mark_at: datetime | None = None
    oldest_outbox_at: datetime | None = None
    held: Sequence[int] = ()
    differing_streams: Sequence[str] = ()
    differing_documents: Sequence[str] = ()


@dataclass(frozen=True)
class Reason:
    """One thing that is not well: its kind (of KINDS), what it is about, what is the matter, and what to do."""

    kind: str
    about: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Overdue:
    """A job without a good run since `since` (None: it never had one), or one running since `running_since`."""

    job: str
    since: datetime | None
    running_since: datetime | None


def judge(seen: Seen, schedule: Schedule, zone: ZoneInfo, now: datetime) -> list[Reason]:
    """Everything that is not well at `now`, in the order in which to look at it; empty: healthy."""
    return [
        *_of_sources(seen, schedule, now),
        *_of_jobs(seen, schedule, zone, now),
        *_of_last_runs(seen),
        *_of_waiting(seen, schedule, zone, now),
        *_of_holds(seen),
        *_of_proofs(seen),
    ]


def overdue(seen: Seen, schedule: Schedule, zone: ZoneInfo, now: datetime) -> list[Overdue]:
    """Jobs of the schedule without a good run for three slots, or running for longer than that; paused ones aside."""
    return list(_overdue(seen, schedule, zone, now))


def third_slot_before(timing: JobTiming, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The third last slot at or before `now`; None when there were not as many."""
    slot: datetime | None = now + timedelta(microseconds=1)
    for _ in range(SLOTS):
        slot = None if slot is None else timing.slot_before(slot - timedelta(microseconds=1), zone)
    return slot


def _of_sources(seen: Seen, schedule: Schedule, now: datetime) -> Iterator[Reason]:
    for source in seen.sources:
        limit = timedelta(minutes=getattr(schedule.freshness_minutes, source.name))
        if source.synced_at is not None and now - source.synced_at <= limit:
            continue
        age = "was never synced" if source.synced_at is None else f"was last synced {span(now - source.synced_at)} ago"
        failure = "" if source.failed_at is None else f"; its last attempt failed: {source.error}"
        yield Reason(
            "source-stale", source.name, f"{source.name} {age}, beyond its limit of {span(limit)}{failure}",
            f"run `me-status doctor`, then `me-status run sync-{source.name}`",
        )  # fmt: skip


def _overdue(seen: Seen, schedule: Schedule, zone: ZoneInfo, now: datetime) -> Iterator[Overdue]:
    for job in seen.jobs:
        timing = schedule.jobs.get(job.name)
        third = None if timing is None else third_slot_before(timing, zone, now)
        if third is None or seen.first_run_at is None or job.is_paused(now):
            continue
        if job.running_since is not None and job.running_since < third:
            yield Overdue(job.name, job.last_good_at, job.running_since)
        elif (job.slots_count_from() or seen.first_run_at) < third:
            yield Overdue(job.name, job.last_good_at, None)


def _of_jobs(seen: Seen, schedule: Schedule, zone: ZoneInfo, now: datetime) -> Iterator[Reason]:
    for job in _overdue(seen, schedule, zone, now):
        if job.running_since is not None:
            yield Reason(
                "job-running-long", job.job,
                f"{job.job} has been running for {span(now - job.running_since)}, longer than {SLOTS} of its slots",
                "look at its log; if its process is gone, the next run of the job ends it and goes on",
            )  # fmt: skip
            continue
        last = "it never had one" if job.since is None else f"the last one ended {span(now - job.since)} ago"
        yield Reason(
            "job-overdue", job.job, f"{job.job} had no good run for {SLOTS} of its slots; {last}",
            f"see that `me-status schedule` or cron is running, then try `me-status run {job.job}`",
        )  # fmt: skip


def _of_last_runs(seen: Seen) -> Iterator[Reason]:
    for job in seen.jobs:
        if job.last_outcome == "failed":
            yield Reason(
                "run-failed", job.name, f"the last {job.name} failed as run {job.last_run_id}: {job.last_error}",
                f"mend what it names; a good `me-status run {job.name}` clears this",
            )  # fmt: skip


def _of_waiting(seen: Seen, schedule: Schedule, zone: ZoneInfo, now: datetime) -> Iterator[Reason]:
    timing = schedule.jobs.get("refresh")
    third = None if timing is None else third_slot_before(timing, zone, now)
    if third is None:
        return
    if seen.oldest_mark_at is not None and seen.oldest_mark_at < third:
        yield Reason(
            "marks-waiting", "refresh",
            f"customers have waited for a refresh for {span(now - seen.oldest_mark_at)}, over {SLOTS} of its slots",
            "`me-status run refresh`; if it is slower than what comes, see docs/scaling.md",
        )  # fmt: skip
    if seen.oldest_outbox_at is not None and seen.oldest_outbox_at < third:
        yield Reason(
            "outbox-waiting", "refresh",
            f"notifications have waited to be sent for {span(now - seen.oldest_outbox_at)}",
            "`me-status run refresh` sends them",
        )  # fmt: skip


def _of_holds(seen: Seen) -> Iterator[Reason]:
    for run_id in seen.held:
        yield Reason(
            "run-held", str(run_id), f"run {run_id} is held by a gate",
            f"`me-status held list`, then `me-status held release {run_id}` or `me-status held discard {run_id}`",
        )  # fmt: skip


def _of_proofs(seen: Seen) -> Iterator[Reason]:
    for stream in seen.differing_streams:
        yield Reason(
            "stream-differs", stream, f"{stream} is not what its source has, as `me-status verify` found",
            "run the source's sync with --full, then `me-status verify` again",
        )  # fmt: skip
    for document in seen.differing_documents:
        yield Reason(
            "document-differs", document.split(" ")[0], f"a document is not what its facts give: {document}",
            "keep pipeline.document_difference for whoever mends the rule, then `me-status rebuild`",
        )  # fmt: skip


def span(duration: timedelta) -> str:
    """A duration for people: 42 s, 17 min, 5 h, 3 days."""
    seconds = max(duration.total_seconds(), 0.0)
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} days"
