"""Units of work on a Dask cluster, when one machine is not enough (`ME_STATUS_EXECUTOR=dask://HOST:PORT`).

Dask runs a task at least once: again when its worker dies, even after the work was done. Each unit commits under its
name in the run, so the second time changes nothing and returns what the first one counted.

A worker takes DATABASE_URL and the credentials of the sources from its own environment: no secret travels through the
scheduler. Only the address of the embedded database, a socket without a password, is sent along.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from functools import cache
from threading import Lock
from typing import Any

import sql
from config import settings as settings_of_process
from config.database import LiveDatabase, connect, open_engine
from config.errors import MeStatusError, SettingsError
from config.settings import Settings
from materializer.units import Unit

PATIENCE = 30
"""Seconds to wait for the scheduler, and for a first worker."""
_lock = Lock()


class ClusterSubmit:
    """A `Submit` over the cluster. It connects with the first unit; two units per thread of the workers wait ahead."""

    def __init__(self, settings: Settings, database: LiveDatabase, ends: ExitStack) -> None:
        self.ahead = 8
        self.shares = 1
        self._settings = settings
        self._ends = ends
        self._executor: Executor | None = None
        self._url = database.engine.url.render_as_string(hide_password=False) if settings.database_url is None else None
        with database.begin() as connection:
            self._identity: str = connection.execute(sql.statement("ledger/read_database_identity")).scalar_one()

    def __call__(self, unit: Unit, *arguments: Any) -> Future[Any]:
        if self._executor is None:
            self._executor = self._connected()
        return self._executor.submit(in_worker, self._url, self._identity, unit, *arguments)

    def _connected(self) -> Executor:
        client = self._ends.enter_context(_client(self._settings.me_status_executor))
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise MeStatusError(
                f"ME_STATUS_EXECUTOR: {self._settings.me_status_executor} has no workers; start some with "
                "`dask worker HOST:PORT` in the environment of me-status"
            ) from None
        self.ahead = max(self.ahead, 2 * sum(client.nthreads().values()))
        executor: Executor = client.get_executor()
        return executor


@contextmanager
def submitting(settings: Settings, database: LiveDatabase) -> Iterator[ClusterSubmit]:
    """A `submit` for the block. Raises MeStatusError: `distributed` not installed, no scheduler, no worker."""
    with ExitStack() as ends:
        yield ClusterSubmit(settings, database, ends)


def _client(address: str) -> Any:
    try:
        import dask
        from distributed import Client
    except ImportError:
        raise MeStatusError(
            f"ME_STATUS_EXECUTOR: {address} needs the package distributed; install me-status[dask]"
        ) from None
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"})  # a window is larger than its 10 MB
    try:
        return Client(address.replace("dask://", "tcp://", 1), timeout=PATIENCE, set_as_default=False)
    except OSError:
        raise MeStatusError(
            f"ME_STATUS_EXECUTOR: no Dask scheduler answers at {address}; start one with `dask scheduler`"
        ) from None


# On a worker ----------------------------------------------------------------------------------------------------------


def in_worker(url: str | None, identity: str, unit: Unit, *arguments: Any) -> Any:
    """Runs the unit on the worker's database: the one at `url`, or the one its own settings name.

    Raises MeStatusError when that is not the database `identity`, where the run is.
    """
    with _lock:
        database = _database(url, identity)
    return unit(database, *arguments)


@cache
def _database(url: str | None, identity: str) -> LiveDatabase:
    database = LiveDatabase(open_engine(url) if url is not None else _own_engine())
    with database.begin() as connection:
        if connection.execute(sql.statement("ledger/read_database_identity")).scalar_one() != identity:
            raise MeStatusError(
                "a Dask worker's DATABASE_URL names another database than the run's; start it with ours"
            )
    return database


def _own_engine() -> Any:
    own = settings_of_process.load()
    if own.database_url is None:
        raise SettingsError(["DATABASE_URL is not set on a Dask worker; give the workers the settings of me-status"])
    return connect(own)
