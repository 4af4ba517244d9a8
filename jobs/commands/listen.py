"""`listen`: hears Salesforce's events until it is stopped, and has the customers they name read again."""

from __future__ import annotations

import argparse
import threading

from config import logs
from jobs.commands.schedule import stop_on_signals
from jobs.program import SUCCESS, Program
from jobs.runs import listener
from jobs.sources.errors import TransientError

log = logs.get("events")


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Listens until SIGTERM or SIGINT. Raises SettingsError (exit 2) with everything that keeps it from listening."""
    listener.require(program.settings)
    try:
        listener.check(program)
    except TransientError as error:
        log.warning("the channels could not be checked; listening all the same", error=str(error))
    stop = threading.Event()
    stop_on_signals(stop)
    with program.database() as engine:
        log.info("listening", topics=[channel.topic for channel in program.settings.event_channels])
        listener.listen(engine, program, stop)
    return SUCCESS
