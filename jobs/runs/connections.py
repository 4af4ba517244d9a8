"""The sources as hinted readings use them: logged in when first needed, and kept from one reading to the next.

A hinted reading is a handful of calls; logging in and describing anew each time would double them. What fails is
given up and logged in again; so is what is old, since rights and fields change.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from config.database import Database
from config.schedule import Schedule
from config.settings import Settings
from config.tables import Tables
from jobs.runs import rate_limit
from jobs.runs.sync import require_same_organization
from jobs.sources import salesforce, whmcs
from jobs.sources.errors import SourceError
from jobs.sources.salesforce.source import SalesforceSource
from jobs.sources.whmcs.source import WhmcsSource
from materializer.snapshot.streams import Source

KEPT_SECONDS = 600
PATIENCE: dict[str, Any] = {"timeout_seconds": 20, "attempts": 2, "attempts_seconds": 15}
"""Of one request: a customer waits; when a source is away, its hints do."""


class Connections:
    """Both sources. One thread uses them at a time."""

    def __init__(self, settings: Settings, tables: Tables) -> None:
        self._settings = settings
        self._tables = tables
        self._salesforce: SalesforceSource | None = None
        self._whmcs: WhmcsSource | None = None
        self._since: dict[Source, float] = {}

    @contextmanager
    def checked(self, source: Source, database: Database) -> Iterator[None]:
        """Connects where that is needed, and gives the connection up when the block fails.

        Raises SourceError when the login failed or the organization is another one than the snapshot's.
        """
        if time.monotonic() - self._since.get(source, float("-inf")) > KEPT_SECONDS:
            self.drop(source)
        try:
            if source not in self._since:
                self._connect(source, database)
            yield
        except SourceError:
            self.drop(source)
            raise

    def salesforce(self) -> SalesforceSource:
        """The connected org; within `checked`."""
        assert self._salesforce is not None
        return self._salesforce

    def whmcs(self) -> WhmcsSource:
        """The connected installation; within `checked`."""
        assert self._whmcs is not None
        return self._whmcs

    def drop(self, source: Source) -> None:
        """Ends the connection, if there is one."""
        self._since.pop(source, None)
        if source == "salesforce":
            self._salesforce = None
        elif self._whmcs is not None:
            self._whmcs.close()
            self._whmcs = None

    def close(self) -> None:
        """Ends both."""
        self.drop("salesforce")
        self.drop("whmcs")

    def _connect(self, source: Source, database: Database) -> None:
        schedule, mapping = _impatient(self._tables.schedule), self._tables.mapping
        if source == "salesforce":
            self._salesforce = salesforce.connect(self._settings, mapping, schedule)
            require_same_organization(database, self._salesforce.organization_id)
        else:
            transport = rate_limit.own_transport(self._settings, schedule, database)
            self._whmcs = whmcs.unchecked(self._settings, mapping, schedule, transport)
        self._since[source] = time.monotonic()


def _impatient(schedule: Schedule) -> Schedule:
    limits = schedule.limits
    return schedule.model_copy(
        update={
            "limits": limits.model_copy(update={name: min(getattr(limits, name), PATIENCE[name]) for name in PATIENCE})
        }
    )
