"""The verdict on the pipeline: what makes it unhealthy, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config import health, schedule
from config.health import JobSeen, Seen, SourceSeen

ZONE = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)
SCHEDULE = schedule.load()


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def job(name: str, **given: object) -> JobSeen:
    return JobSeen(name, **({"last_good_at": ago(seconds=40), "last_outcome": "succeeded", "last_run_id": 9} | given))  # type: ignore[arg-type]


WELL = Seen(
    sources=[SourceSeen("salesforce", ago(minutes=2)), SourceSeen("whmcs", ago(minutes=8))],
    jobs=[job("sync-salesforce"), job("sync-whmcs"), job("refresh"), job("prune", last_good_at=ago(hours=20))],
    first_run_at=ago(days=30),
    oldest_mark_at=ago(seconds=20),
)


def kinds(seen: Seen, now: datetime = NOW) -> list[tuple[str, str]]:
    return [(reason.kind, reason.about) for reason in health.judge(seen, SCHEDULE, ZONE, now)]


def with_job(changed: JobSeen) -> Seen:
    return replace(WELL, jobs=[changed if changed.name == known.name else known for known in WELL.jobs])


def test_nothing_is_the_matter_with_what_is_well() -> None:
    """No reason, healthy."""
    assert [] == kinds(WELL)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (replace(WELL, sources=[SourceSeen("whmcs", ago(minutes=61))]), [("source-stale", "whmcs")]),
        (replace(WELL, sources=[SourceSeen("whmcs", ago(minutes=60))]), []),
        (replace(WELL, sources=[SourceSeen("whmcs", None)]), [("source-stale", "whmcs")]),
        (with_job(job("refresh", last_good_at=ago(hours=10))), [("job-overdue", "refresh")]),
        (with_job(job("prune", last_good_at=ago(days=4))), [("job-overdue", "prune")]),
        (with_job(job("prune", last_good_at=ago(days=2))), []),
        (with_job(job("refresh", running_since=ago(days=3))), [("job-running-long", "refresh")]),
        (with_job(job("sync-whmcs", running_since=ago(minutes=15))), []),
        (with_job(job("sync-whmcs", last_outcome="failed", last_error="x")), [("run-failed", "sync-whmcs")]),
        (replace(WELL, oldest_mark_at=ago(minutes=10)), [("marks-waiting", "refresh")]),
        (replace(WELL, oldest_outbox_at=ago(minutes=10)), [("outbox-waiting", "refresh")]),
        (replace(WELL, held=[7, 8]), [("run-held", "7"), ("run-held", "8")]),
    ],
)
def test_each_thing_that_is_not_well_is_a_reason(seen: Seen, expected: list[tuple[str, str]]) -> None:
    """At its limit it is well, beyond it is not."""
    assert expected == kinds(seen)


@pytest.mark.parametrize(("second", "is_overdue"), [(59, False), (60, True)])
def test_a_job_is_overdue_with_the_third_slot_that_had_no_good_run(second: int, is_overdue: bool) -> None:
    """Slots of refresh come each minute: 12:01, 12:02 and 12:03 come after a run that ended at 12:00:30."""
    now = datetime(2026, 3, 10, 12, 2, tzinfo=UTC) + timedelta(seconds=second)
    seen = replace(WELL, jobs=[job("refresh", last_good_at=NOW)], oldest_mark_at=None, sources=[])
    assert ([("job-overdue", "refresh")] if is_overdue else []) == kinds(seen, now)


def test_a_job_that_never_ran_is_overdue_three_slots_after_the_first_run_of_any() -> None:
    """Before any run at all nothing is overdue."""
    never = JobSeen("refresh")
    assert [] == kinds(replace(WELL, jobs=[never], first_run_at=None))
    assert [] == kinds(replace(WELL, jobs=[never], first_run_at=ago(seconds=100)))
    assert [("job-overdue", "refresh")] == kinds(replace(WELL, jobs=[never], first_run_at=ago(minutes=4)))


def test_a_paused_job_is_not_overdue_and_has_three_slots_after_it_was_resumed() -> None:
    """What was passed over was not missed; a pause that has ended by itself is over."""
    old = ago(hours=10)
    assert [] == kinds(with_job(job("refresh", last_good_at=old, paused_at=ago(hours=9))))
    assert [] == kinds(with_job(job("refresh", last_good_at=old, resumed_at=ago(seconds=50))))
    ended = job("refresh", last_good_at=old, paused_at=ago(hours=9), paused_until=ago(hours=1))
    assert [("job-overdue", "refresh")] == kinds(with_job(ended))


def test_every_reason_names_what_to_do() -> None:
    """In words, with a command where one helps."""
    (reason,) = health.judge(with_job(job("refresh", last_good_at=ago(hours=10))), SCHEDULE, ZONE, NOW)
    assert "refresh had no good run for 3 of its slots; the last one ended 10 h ago" == reason.reason
    assert "me-status run refresh" in reason.remedy


def test_every_kind_of_reason_has_a_chapter_in_the_runbook() -> None:
    """Whoever is woken finds what to do by the name they were woken with."""
    runbook = (Path(health.__file__).parent.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
    chapters = {line.removeprefix("## ") for line in runbook.splitlines() if line.startswith("## ")}
    assert {*health.KINDS, "ledger-away"} == chapters
