"""What every command starts from: settings, data files and the database, and how it answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from config import database, given, logs, scratch, settings, tables
from config.errors import SettingsError
from config.settings import Settings
from config.tables import Tables
from jobs import migrate

log = logs.get("settings")

SUCCESS, FAILED, WRONG_USE, NEEDS_ATTENTION = 0, 1, 2, 3
"""Exit codes of the contract; the last: held, or finished with records refused."""


@dataclass(frozen=True)
class Program:
    """This process's settings and data files."""

    settings: Settings
    tables: Tables

    @property
    def is_embedded(self) -> bool:
        """True when the database is the embedded one."""
        return self.settings.database_url is None

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """An engine on the database at the current schema.

        The embedded database is migrated on the way: nobody else looks after it. One named by DATABASE_URL is not:
        it may be shared, and `me-status migrate` is the operator's step.
        Raises MeStatusError when the database cannot be reached, or its schema is missing or behind.
        """
        engine = database.connect(self.settings)
        try:
            if self.is_embedded:
                migrate.migrate(engine)
            else:
                migrate.require_current(engine)
            yield engine
        finally:
            engine.dispose()


def load(*jobs: str) -> Program:
    """Settings and data files, with what the sync jobs among `jobs` need. Raises SettingsError with all faults."""
    loaded, wrong = settings.read()
    faults = list(wrong.values())
    logs.configure(loaded)
    scratch.sweep()
    for sentence in given.unknown(settings.known_names(), given.everything()):
        log.warning(sentence)
    try:
        read = tables.load(loaded)
    except SettingsError as error:
        faults += error.faults
    try:
        loaded.require(*(source for source in ("salesforce", "whmcs") if {f"sync-{source}", "sync-hinted"} & set(jobs)))
    except SettingsError as error:
        faults += [fault for fault in error.faults if fault.split(" ")[0] not in wrong]
    if faults:
        raise SettingsError(faults)
    return Program(loaded, read)


def say(text: str) -> None:
    """A line for people on standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def answer(value: dict[str, Any]) -> None:
    """The one JSON object of `--json` on standard output."""
    sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """A line on standard error, without secrets."""
    sys.stderr.write(logs.scrub(text) + "\n")
    sys.stderr.flush()
