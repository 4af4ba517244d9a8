"""What operators decide: pauses, and the append-only record of every decision, whether from the page or a command."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Engine

import sql
from config.types import ScheduledJob

Action = Literal["release", "discard", "pause", "resume", "run"]


@dataclass(frozen=True)
class Asked:
    """What is asked for: of a held run (release, discard), or of a job (pause, resume, run)."""

    action: Action
    job: str | None = None
    run_id: int | None = None
    until: datetime | None = None
    reason: str | None = None


def pause(engine: Engine, job: ScheduledJob, now: datetime, until: datetime | None, reason: str | None) -> None:
    """From now on the job's slots are passed over, until `until` or until it is resumed."""
    with engine.begin() as connection:
        set_pause(connection, job, now, until, reason)
        note(connection, Asked("pause", job=job, until=until, reason=reason), "paused")


def resume(engine: Engine, job: ScheduledJob, now: datetime) -> bool:
    """The job's slots count again; False when it was not paused."""
    with engine.begin() as connection:
        was_paused = end_pause(connection, job, now)
        note(connection, Asked("resume", job=job), "resumed" if was_paused else "it was not paused")
    return was_paused


def set_pause(connection: Connection, job: str, now: datetime, until: datetime | None, reason: str | None) -> None:
    """The pause alone, without a record of who asked."""
    parameters = {"job": job, "now": now, "paused_until": until, "reason": reason}
    connection.execute(sql.statement("operator/pause_job"), parameters)


def end_pause(connection: Connection, job: str, now: datetime) -> bool:
    """The end of a pause alone; False when there was none."""
    return connection.execute(sql.statement("operator/resume_job"), {"job": job, "now": now}).first() is not None


def is_paused(connection: Connection, job: str, now: datetime) -> bool:
    """Whether the job's slots are to be passed over at `now`."""
    return job in {row.job for row in connection.execute(sql.statement("operator/list_pauses"), {"now": now})}


def note(connection: Connection, asked: Asked, detail: str) -> None:
    """Writes down what a command did, who and why."""
    action_id = connection.execute(
        sql.statement("operator/insert_action"), {**vars(asked), "actor": actor(), "origin": "command"}
    ).scalar_one()
    end(connection, action_id, "done", detail)


def end(connection: Connection, action_id: int, outcome: Literal["done", "failed"], detail: str) -> None:
    """Writes down what came of an action; the first word on it stands."""
    parameters = {"action_id": action_id, "outcome": outcome, "detail": detail}
    connection.execute(sql.statement("operator/end_action"), parameters)


def actor() -> str:
    """The user of this process; its number where it has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        import os

        return f"uid {os.getuid()}"
