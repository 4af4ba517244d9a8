"""The configured rate limit towards WHMCS, kept by all processes of a cluster together.

Each request holds one of `whmcs.concurrency` advisory locks of PostgreSQL. A lock belongs to a session, so that a
worker that dies gives its lease back with its connection, and one that is only thought dead still holds it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from sqlalchemy import Engine

import sql
from config import settings as settings_of_process
from config.database import Database, LiveDatabase
from config.schedule import Schedule
from config.settings import Settings
from jobs.runs.cluster import ClusterSubmit
from jobs.sources.whmcs.spread import SharingTransport, SpreadTransport, travelling
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.units import Submit

WHMCS_LEASES = "me-status whmcs request"
PAUSE = 0.005
"""Seconds, on average, between two looks for a free lease: an order less than a request takes."""
_lock = Lock()


class Leases:
    """So many leases of a name, shared by everybody on the database."""

    def __init__(self, engine: Engine, name: str, leases: int) -> None:
        self._engine = engine
        self._name = name
        self._leases = leases

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds a lease while the block runs; waits until one is free."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            taking = {"name": self._name, "leases": self._leases}
            while (lease := connection.execute(sql.statement("ledger/take_free_lease"), taking).scalar()) is None:
                time.sleep(PAUSE * (0.5 + random.random()))  # noqa: S311, no secret
            try:
                yield
            finally:
                connection.execute(sql.statement("ledger/release_lease"), {"name": self._name, "lease": lease})


def transport(settings: Settings, schedule: Schedule, database: Database, submit: Submit | None) -> WhmcsTransport:
    """How WHMCS is called: by the workers where they are a cluster, else by this process alone.

    Threads and processes of one machine gain nothing: waiting for answers is what this process's threads do well.
    """
    if not isinstance(submit, ClusterSubmit) or not isinstance(database, LiveDatabase):
        return WhmcsTransport(settings, schedule)
    leases = Leases(database.engine, WHMCS_LEASES, schedule.whmcs.concurrency)
    return SpreadTransport(settings, schedule, leases.held, lambda *request: submit(ask, schedule, *request))


def own_transport(settings: Settings, schedule: Schedule, database: Database) -> WhmcsTransport:
    """How this process calls WHMCS by itself, beside the workers of a cluster where there is one."""
    if not settings.me_status_executor.startswith("dask:") or not isinstance(database, LiveDatabase):
        return WhmcsTransport(settings, schedule)
    return SharingTransport(settings, schedule, Leases(database.engine, WHMCS_LEASES, schedule.whmcs.concurrency).held)


# On a worker ----------------------------------------------------------------------------------------------------------


def ask(database: LiveDatabase, schedule: Schedule, method: str, *request: Any) -> dict[str, Any]:
    """One call with the worker's own credentials: its `answer`, and the server's `time`."""
    with _lock:
        transport = _transport(database, schedule.model_dump_json())
    *arguments, parameters = request
    answer = getattr(transport, method)(*arguments, **parameters)
    if method == "call":
        answer = travelling(arguments[0], answer)
    return {"answer": answer, "time": transport.server_time}


@cache
def _transport(database: LiveDatabase, schedule: str) -> SharingTransport:
    read = Schedule.model_validate_json(schedule)
    own = settings_of_process.load()
    own.require("whmcs")
    return SharingTransport(own, read, Leases(database.engine, WHMCS_LEASES, read.whmcs.concurrency).held)
