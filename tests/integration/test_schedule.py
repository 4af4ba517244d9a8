"""The schedule offers slots; the ledger lets one run through for each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from config import tables
from config.schedule import JobTiming
from config.settings import Settings
from jobs.commands import schedule
from jobs.program import Program

TOKYO = ZoneInfo("Asia/Tokyo")


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def program(database_url: str) -> Program:
    settings = Settings(_env_file=None, database_url=database_url)  # type: ignore[call-arg]
    return Program(settings, tables.load(settings))


def test_interval_slots_are_counted_from_midnight_utc() -> None:
    """Every scheduler finds the same slots, whenever it started; the count starts over each day."""
    every_7 = JobTiming(every=7)
    assert at("2026-03-01 00:07") == every_7.slot_before(at("2026-03-01 00:13"), TOKYO)
    assert at("2026-03-01 00:14") == every_7.slot_after(at("2026-03-01 00:13"), TOKYO)
    assert at("2026-03-02 00:00") == every_7.slot_after(at("2026-03-01 23:59"), TOKYO)


def test_a_slot_begins_at_its_instant() -> None:
    """At the very instant the slot has come, and the next one is a step away."""
    every_5 = JobTiming(every=5)
    assert at("2026-03-01 00:05") == every_5.slot_before(at("2026-03-01 00:05"), TOKYO)
    assert at("2026-03-01 00:10") == every_5.slot_after(at("2026-03-01 00:05"), TOKYO)


def test_cron_slots_are_read_in_the_business_zone() -> None:
    """03:30 in Tokyo is 18:30 UTC of the day before."""
    nightly = JobTiming(cron="30 3 * * *")
    assert at("2026-02-28 18:30") == nightly.slot_before(at("2026-03-01 12:00"), TOKYO)
    assert at("2026-03-01 18:30") == nightly.slot_after(at("2026-03-01 12:00"), TOKYO)


def test_a_yearly_slot_is_found_looking_back() -> None:
    """However rare a cron expression is, its last slot is found."""
    assert at("2025-12-31 15:00") == JobTiming(cron="0 0 1 1 *").slot_before(at("2026-11-01 12:00"), TOKYO)


def test_ten_schedulers_run_a_slot_once(engine: Engine, database_url: str) -> None:
    """Whoever comes second finds the slot taken."""
    loaded, now = program(database_url), at("2026-03-01 09:00")
    reports = []
    threads = [
        threading.Thread(target=lambda: reports.append(schedule.offer(engine, loaded, "prune", now=now)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 == [report.outcome for report in reports].count("succeeded")
    assert 9 == [report.outcome for report in reports].count("skipped")


def test_it_runs_what_is_due_and_stops_on_sigterm_with_exit_0(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    """At the start the latest missed slot is run; the signal ends the schedule in good order."""
    timing = tmp_path / "schedule.toml"
    off = "".join(f"[jobs.{job}]\noff = true\n" for job in ("sync-salesforce", "sync-whmcs", "refresh"))
    timing.write_text(off + "[jobs.prune]\nevery = 60\n")
    environment = {**os.environ, "DATABASE_URL": database_url, "ME_STATUS_SCHEDULE": str(timing)}
    process = subprocess.Popen([sys.executable, "-m", "jobs", "schedule"], env=environment, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 30
        while not _runs(engine) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(timeout=20)
    finally:
        process.kill()
    assert [("prune", "succeeded")] == _runs(engine)


def _runs(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(text("select job, outcome from job_run where due_at is not null"))
        return [(row.job, row.outcome) for row in rows]
