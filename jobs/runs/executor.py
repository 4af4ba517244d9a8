"""Where units of work run, as ME_STATUS_EXECUTOR says: in threads, in processes beside this one, on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from multiprocessing import get_context
from typing import Any

from sqlalchemy import Engine

from config import logs
from config.database import Database, LiveDatabase, most_connections, open_engine
from config.settings import Settings
from jobs.runs import cluster
from materializer.units import Submit, Unit

FEW = 8
"""So many units are done by threads before processes are started: starting them takes as long."""

OF_THE_RUN = 4
"""Connections left for the run itself: the job's lock, its own transactions, those of the schedule beside it."""

_of_this_worker: Database | None = None


@contextmanager
def submitting(settings: Settings, database: Database) -> Iterator[Submit | None]:
    """A `submit` for the block; None in a rehearsal, whose one connection does everything itself.

    At the end of the block units begun are awaited and workers end. A process that dies fails the run; its unit was
    not committed, and the next run does it. On a cluster another worker does it, in the same run.
    """
    if not isinstance(database, LiveDatabase):
        yield None
    elif settings.me_status_executor == "threads":
        with ThreadPoolExecutor(threads_for(database.engine), thread_name_prefix="unit") as threads:
            yield _InThreads(database, threads)
    elif settings.me_status_executor == "processes":
        with (
            ThreadPoolExecutor(threads_for(database.engine)) as threads,
            _processes(settings, database.engine) as processes,
        ):
            yield _Growing(database, threads, processes)
    else:
        with cluster.submitting(settings, database) as submit:
            yield submit


class _InThreads:
    """A `submit` to threads."""

    def __init__(self, database: LiveDatabase, threads: Executor) -> None:
        self._database = database
        self._threads = threads
        self.ahead = workers()
        self.shares = min(threads_for(database.engine), FEW)

    def __call__(self, unit: Unit, *arguments: Any) -> Future[dict[str, Any]]:
        return self._threads.submit(copy_context().run, unit, self._database, *arguments)


class _Growing(_InThreads):
    """A `submit` to threads for the first few units, to processes for all beyond them."""

    def __init__(self, database: LiveDatabase, threads: Executor, processes: Executor) -> None:
        super().__init__(database, threads)
        self._processes = processes
        self._begun = 0

    def __call__(self, unit: Unit, *arguments: Any) -> Future[dict[str, Any]]:
        self._begun += 1
        if self._begun <= FEW:
            return super().__call__(unit, *arguments)
        return self._processes.submit(_in_worker, unit, *arguments)


def workers() -> int:
    """One for each core this process may use, and no fewer than two: while one computes the other awaits the server."""
    return max(2, len(os.sched_getaffinity(0)))


def threads_for(engine: Engine) -> int:
    """As many as `workers`, but never more than find a connection in the engine's pool beside the run's own."""
    return max(1, min(workers(), most_connections(engine) - OF_THE_RUN))


def _processes(settings: Settings, engine: Engine) -> Executor:
    """Started afresh rather than forked: a forked connection would be shared. They start with the first unit."""
    url = engine.url.render_as_string(hide_password=False)
    return ProcessPoolExecutor(workers(), get_context("spawn"), _connect_worker, (settings, url))


def _connect_worker(settings: Settings, url: str) -> None:
    global _of_this_worker
    logs.configure(settings)
    _of_this_worker = LiveDatabase(open_engine(url, pool_size=1))


def _in_worker(unit: Unit, *arguments: Any) -> dict[str, Any]:
    assert _of_this_worker is not None
    return unit(_of_this_worker, *arguments)
