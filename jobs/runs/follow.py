"""Following hints under `schedule`: woken by the database when one is noted, and looking every few seconds besides."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from config import logs
from config.database import LiveDatabase
from config.errors import MeStatusError
from jobs.program import Program
from jobs.runs import hinted
from jobs.runs.connections import Connections
from jobs.runs.run import of_hints

log = logs.get("hints")
CHANNEL = "me_status_hint"
STEP_SECONDS = 0.5
"""So long at most until a wait sees that it is to stop."""
LOST = (SQLAlchemyError, psycopg.Error, MeStatusError)
Listener = psycopg.Connection[Any]


class Keeper(Protocol):
    """Who keeps the schedule: its program and engine may be replaced when it reads its settings again."""

    program: Program
    engine: Engine


def follow(keeper: Keeper, stop: threading.Event) -> None:
    """Follows hints until `stop` is set, where both sources are synced by the schedule."""
    while not stop.is_set():
        program, engine = keeper.program, keeper.engine
        if not {"sync-salesforce", "sync-whmcs"} <= set(program.tables.schedule.jobs):
            stop.wait(STEP_SECONDS)
            continue
        with closing(Connections(program.settings, program.tables)) as connections:
            try:
                with _listening(engine) as listener:
                    while not stop.is_set() and keeper.program is program:
                        _follow_once(engine, program, connections, listener, stop)
            except LOST as error:
                log.warning("hints are not followed for the moment", error=logs.describe(error))
                stop.wait(program.tables.schedule.hints.look_every_seconds)


def _follow_once(
    engine: Engine, program: Program, connections: Connections, listener: Listener, stop: threading.Event
) -> None:
    hints = program.tables.schedule.hints
    due = hinted.seconds_until_due(LiveDatabase(engine), hints, is_debounced=True)
    if due != 0:
        _wait(listener, hints.look_every_seconds if due is None else min(due, hints.look_every_seconds), stop)
    elif of_hints(engine, program, connections).outcome == "skipped":
        stop.wait(STEP_SECONDS)


@contextmanager
def _listening(engine: Engine) -> Iterator[Listener]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        driver.execute(f"listen {CHANNEL}")
        try:
            yield driver
        finally:
            connection.invalidate()


def _wait(listener: Listener, seconds: float, stop: threading.Event) -> None:
    """Waits until a hint is noted, so many seconds at most."""
    remaining = seconds
    while remaining > 0 and not stop.is_set():
        step = min(STEP_SECONDS, remaining)
        if list(listener.notifies(timeout=step, stop_after=1)):
            return
        remaining -= step
