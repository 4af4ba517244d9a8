"""`schedule`: offers each due slot to the ledger until it is stopped. APScheduler is the clock, the ledger decides.

The rules, the same for every job:

- **Slots** come from `schedule.toml`: `every` so many minutes from midnight UTC, or `cron` in the business zone.
  A slot becomes one run, however many schedulers (or `run JOB --slot` by cron) offer it: the ledger is unique on job
  and slot.
- **Overlap**: a slot that comes while a run of the job is under way is skipped and leaves no row.
- **Pause**: slots of a paused job are passed over.
- **Catch-up**: at the start, and after the process or the machine slept, only the latest missed slot is run.
- **Misfire**: a slot is never too late to run unless a later one has come.
- **Hints** are followed within seconds, woken by the database: `sync-hinted` needs no slots here, and has one each
  minute for those who keep the schedule by cron.
- **Stop**: SIGTERM or SIGINT lets the runs under way finish, then the process exits 0; a second signal ends it at once.
- **Events**: where SALESFORCE_EVENT_CHANNELS is set, `listen` goes on beside it; nothing of it stops the schedule.
- **Reload**: SIGHUP reads settings and data files again (channels of events at the next start); when anything is wrong
  with them it says so and keeps the old.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from contextlib import nullcontext
from types import FrameType

from config import logs
from config.errors import MeStatusError, SettingsError
from jobs import program
from jobs.commands.decisions import Hand
from jobs.program import FAILED, SUCCESS, Program
from jobs.runs import alerts, dispatch, listener, scheduler_health
from jobs.runs.scheduler import Scheduler

log = logs.get("schedule")


def command(arguments: argparse.Namespace) -> int:
    """Keeps the schedule until SIGTERM or SIGINT, then finishes the runs under way; exit 1 without the ledger."""
    stop = threading.Event()
    stop_on_signals(stop)
    hand = Hand()
    scheduler = Scheduler(_loaded(), chores=(hand.carry_out, alerts.Bell().look))
    _reload_on_signal(scheduler)
    host, port = arguments.health or ("", None)
    health = nullcontext() if port is None else scheduler_health.served(scheduler, host, port)
    with health, listener.beside(scheduler.program, stop):
        if not scheduler.keep(stop):
            logs.flush()
            os._exit(FAILED)  # runs under way wait for the same database, and would hold the process
    hand.close()
    return SUCCESS


def _loaded() -> Program:
    """Settings and data files, with what the jobs of the schedule need. Raises SettingsError."""
    loaded = program.load()
    dispatch.require(loaded.settings, *loaded.tables.schedule.jobs)
    if loaded.settings.event_channels:
        listener.require(loaded.settings)
    return loaded


def stop_on_signals(stop: threading.Event) -> None:
    def set_stop(number: int, frame: FrameType | None) -> None:
        stop.set()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, set_stop)


def _reload_on_signal(scheduler: Scheduler) -> None:
    def read_again() -> None:
        try:
            scheduler.reload(_loaded())
        except SettingsError as error:
            log.error("settings not read again: the old ones stay", faults=error.faults)
        except MeStatusError as error:
            log.error("settings not read again: the old ones stay", error=logs.describe(error))

    signal.signal(signal.SIGHUP, lambda number, frame: threading.Thread(target=read_again, name="reload").start())
