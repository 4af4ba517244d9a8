"""The schedule offers slots; the ledger lets one run through for each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs

from config import tables
from config.database import connect
from config.errors import Interrupted
from config.schedule import JobTiming
from config.settings import Settings
from jobs.commands import decisions
from jobs.program import Program
from jobs.runs import ledger, slots
from jobs.runs.scheduler import Clock, Scheduler, SlotTrigger

TOKYO = ZoneInfo("Asia/Tokyo")
PATIENCE = 120
"""Seconds that another process may take, on however busy a machine; a test that needs them all fails, and ends."""


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
        threading.Thread(target=lambda: reports.append(slots.offer(engine, loaded, "prune", now=now)), daemon=True)
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
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
    log = tmp_path / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs", "schedule", "--health", "0"], env=environment, cwd=tmp_path, stderr=stream
        )
    try:
        _await(process, lambda: bool(_runs(engine)), log)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(timeout=PATIENCE), log.read_text()
    finally:
        process.kill()
        process.wait()
    assert [("prune", "succeeded")] == _runs(engine)
    assert '"event": "health answered"' in log.read_text()
    with engine.connect() as connection:
        assert [] == connection.execute(text("select 1 from pipeline.scheduler_heartbeat")).all()


def test_a_step_of_the_clock_is_told_from_passing_time() -> None:
    """A machine that slept, and a clock set back, step; seconds that pass do not."""
    walls = iter([at("2026-03-01 00:00"), at("2026-03-01 00:01"), at("2026-03-02 00:01"), at("2026-03-01 23:00")])
    passed = iter([0.0, 60.0, 63.0, 66.0])
    clock = Clock(lambda: next(walls), lambda: next(passed))
    assert timedelta() == clock.step()
    assert timedelta(days=1) - timedelta(seconds=3) == clock.step()
    assert clock.step() < timedelta(hours=-1)


@pytest.mark.parametrize("jump", ["2026-03-02 12:00", "2026-02-27 12:00"])
def test_after_a_jump_the_slot_it_is_in_comes_next(jump: str) -> None:
    """Forward: of the many missed slots only the latest is run. Backward: slots go on at once."""
    trigger = SlotTrigger(JobTiming(every=5), TOKYO)
    assert trigger.get_next_fire_time(at("2026-03-01 00:05"), at("2026-03-01 00:06")) == at("2026-03-01 00:10")
    assert at(jump) == trigger.get_next_fire_time(None, at(jump) + timedelta(minutes=4))


def test_a_scheduler_without_its_ledger_says_so_and_gives_up(empty_database_url: str, database_url: str) -> None:
    """One line when it is lost, one when it is back; after the settable time `keep` ends."""
    loaded = program(database_url)
    scheduler = Scheduler(loaded)
    scheduler.beat()
    scheduler.engine = connect(Settings(_env_file=None, database_url=empty_database_url))  # type: ignore[call-arg]
    with capture_logs() as lines:
        scheduler.beat()
        scheduler.beat()
    assert [("error", "the ledger cannot be reached")] == [(line["log_level"], line["event"]) for line in lines]
    scheduler.ledger_seen -= loaded.tables.schedule.scheduler.give_up_after_seconds + 1
    stop = threading.Event()
    patience = threading.Timer(PATIENCE, stop.set)
    patience.daemon = True
    patience.start()
    assert not scheduler.keep(stop), "it was stopped from outside: it did not give up"
    patience.cancel()
    assert stop.is_set(), "what goes on beside the schedule has to end with it"


def test_what_was_asked_for_on_the_page_is_carried_out(engine: Engine, database_url: str) -> None:
    """Once, however many look; what fails is written down as failed."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into pipeline.operator_action (action, job, run_id, actor, origin) values"
                " ('pause', 'refresh', null, 'ada', 'page'), ('run', 'prune', null, 'ada', 'page'),"
                " ('release', null, 77, 'ada', 'page')"
            )
        )
    assert 3 == decisions.carry_out(engine, program(database_url))
    assert 0 == decisions.carry_out(engine, program(database_url))
    with engine.connect() as connection:
        ends = connection.execute(
            text("select outcome, detail from pipeline.operator_action_end order by action_id")
        ).all()
        paused = connection.execute(text("select job from pipeline.job_pause where paused_at is not null")).scalar_one()
    told = [(end.outcome, end.detail) for end in ends]
    assert [("done", "paused"), ("done", "prune: nothing changed")] == told[:2]
    assert ("failed", True) == (ends[2].outcome, "never held" in ends[2].detail)
    assert "refresh" == paused


def test_sigterm_closes_the_run_and_exits_143(engine: Engine, database_url: str, tmp_path: Path) -> None:
    """A run that waits for another of its job, or works, ends in good order; the ledger has no open row."""
    environment = {**os.environ, "DATABASE_URL": database_url, "ME_STATUS_LOG_LEVEL": "info"}
    log = tmp_path / "log"
    with ledger.started(engine, "refresh", now=at("2026-03-01 09:00")), log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs", "run", "refresh"], env=environment, cwd=tmp_path, stderr=stream
        )
        try:
            _await(process, lambda: "waiting for another run" in log.read_text(), log)
            process.send_signal(signal.SIGTERM)
            assert 143 == process.wait(timeout=PATIENCE), log.read_text()
        finally:
            process.kill()
            process.wait()
    assert "interrupted by SIGTERM" in log.read_text()


def test_a_unit_is_not_begun_once_the_process_was_asked_to_stop(engine: Engine) -> None:
    """The row says why, within the outcomes there are."""
    ledger.interrupted.set()
    try:
        with pytest.raises(Interrupted), ledger.started(engine, "refresh", now=at("2026-03-01 09:00")) as run:
            run.database.transact(lambda connection: None)
    finally:
        ledger.interrupted.clear()
    with engine.connect() as connection:
        ((outcome, error),) = connection.execute(text("select outcome, error from job_run"))
    assert ("failed", True) == (outcome, error.startswith("interrupted"))


def _await(process: subprocess.Popen[bytes], happened: Callable[[], bool], log: Path) -> None:
    """Waits until it happened; fails with what the process said once it has ended, or patience has."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None, f"it ended with {process.returncode}: {log.read_text()}"
        assert time.monotonic() < deadline, f"it did not happen: {log.read_text()}"
        time.sleep(0.1)


def _runs(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(text("select job, outcome from job_run where due_at is not null"))
        return [(row.job, row.outcome) for row in rows]
