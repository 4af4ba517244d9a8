"""`pause` and `resume`: an operator takes a job out of the schedule for a while."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from config.errors import SettingsError
from jobs.program import SUCCESS, Program, answer, say
from jobs.runs import actions
from jobs.text import in_seconds, written


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Pauses the job, or resumes it. Both may be repeated."""
    now = datetime.now(UTC)
    if arguments.action == "resume":
        return _resume(program, arguments, now)
    if arguments.until is not None and arguments.until <= now:
        raise SettingsError([f"--until {written(arguments.until)} has passed; give a later instant"])
    with program.database() as engine:
        actions.pause(engine, arguments.job, now, arguments.until, arguments.reason)
    if arguments.json:
        answer({"job": arguments.job, "paused": True, "until": written(arguments.until), "reason": arguments.reason})
    else:
        until = "it is resumed" if arguments.until is None else written(arguments.until)
        say(in_seconds(f"{arguments.job} is paused: its slots are passed over until {until}"))
    return SUCCESS


def _resume(program: Program, arguments: argparse.Namespace, now: datetime) -> int:
    with program.database() as engine:
        was_paused = actions.resume(engine, arguments.job, now)
    if arguments.json:
        answer({"job": arguments.job, "paused": False, "changed": was_paused})
    else:
        say(f"{arguments.job} is resumed" if was_paused else f"{arguments.job} was not paused")
    return SUCCESS
