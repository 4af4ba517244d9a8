"""Where units of work run: in threads of this process, in processes beside it, as ME_STATUS_EXECUTOR says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from sqlalchemy import Engine

from config.database import Database, LiveDatabase, open_engine
from config.errors import MeStatusError
from config.settings import Settings
from materializer.units import Submit, Unit

_of_this_worker: Database | None = None


@contextmanager
def submitting(settings: Settings, database: Database) -> Iterator[Submit | None]:
    """A `submit` for the block; None in a rehearsal, whose one connection does everything itself.

    At the end of the block units begun are awaited and workers end. A worker that dies fails the run; its unit was
    not committed, and the next run does it.
    """
    if not isinstance(database, LiveDatabase):
        yield None
    elif settings.me_status_executor == "threads":
        with ThreadPoolExecutor(workers(), thread_name_prefix="unit") as threads:
            yield lambda unit, *arguments: threads.submit(unit, database, *arguments)
    elif settings.me_status_executor == "processes":
        with _processes(database.engine) as processes:
            yield lambda unit, *arguments: processes.submit(_in_worker, unit, *arguments)
    else:
        raise MeStatusError(
            f"ME_STATUS_EXECUTOR: {settings.me_status_executor} is not served; use threads or processes"
        )


def workers() -> int:
    """One for each core this process may use, and no fewer than two: while one computes the other awaits the server."""
    return max(2, len(os.sched_getaffinity(0)))


def _processes(engine: Engine) -> Executor:
    """Started afresh rather than forked: a forked connection would be shared. They start with the first unit."""
    url = engine.url.render_as_string(hide_password=False)
    return ProcessPoolExecutor(workers(), get_context("spawn"), _connect_worker, (url,))


def _connect_worker(url: str) -> None:
    global _of_this_worker
    _of_this_worker = LiveDatabase(open_engine(url, pool_size=1))


def _in_worker(unit: Unit, *arguments: Any) -> dict[str, Any]:
    assert _of_this_worker is not None
    return unit(_of_this_worker, *arguments)
