"""The ledger: one row per run, claimed, finished and explained in short transactions of its own."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

import sql
from config import logs
from config.database import Database, LiveDatabase, RehearsalDatabase
from config.errors import Interrupted
from config.types import Job
from jobs.progress import Progress, silent
from jobs.runs import totals
from jobs.runs.asking import AS_IT_GOES, Asking
from materializer import holds
from materializer.holds import Gate
from materializer.units import At, given_up

log = logs.get("runs")

interrupted = threading.Event()
"""Set when this process was asked to stop: units under way are finished, none is begun."""
INTERRUPTED = (
    "interrupted: the process was asked to stop; what was committed stays, and the next run goes on from there"
)
LOCK_OF_JOB: dict[Job, str] = {
    "sync-salesforce": "sync-salesforce",
    "sync-whmcs": "sync-whmcs",
    "sync-hinted": "sync-hinted",
    "refresh": "refresh",
    "rebuild": "refresh",
    "announce": "refresh",
    "prune": "prune",
}
"""Jobs under one lock never run at once: a rebuild or an announcement beside a refresh would share its outbox."""

LEVELS = {"failed": logging.ERROR, "held": logging.WARNING}
LOCKS = tuple(sorted(set(LOCK_OF_JOB.values())))


@dataclass(frozen=True)
class RunOptions:
    """How a job is to be done: read everything, let removals pass the shrink gate, where to show progress.

    `is_debounced`: hints are followed when they have paused, rather than all at once. `asking`: how sources are asked.
    """

    full: bool = False
    accept_shrink: bool = False
    is_debounced: bool = False
    progress: Progress = silent()  # noqa: RUF009, it holds no state
    asking: Asking = AS_IT_GOES


ORDINARY = RunOptions()


@dataclass
class Run:
    """A run under way. Jobs fill `counts`; `held` says that a gate stopped part of it, and why."""

    run_id: int
    job: Job
    now: datetime
    database: Database
    options: RunOptions = ORDINARY
    counts: dict[str, Any] = field(default_factory=dict)
    held: dict[str, Any] | None = None
    gate: Gate | None = None
    source: str | None = None

    @property
    def at(self) -> At:
        """What the materializer needs to know of the run."""
        return At(self.run_id, self.now)

    def hold(self, gate: Gate, source: str | None, summary: dict[str, Any]) -> None:
        """Notes that a gate holds this run; the ledger then says `held` and the operator decides.

        `source` is salesforce or whmcs for the shrink gate and None for the flood gate.
        """
        self.gate, self.source, self.held = gate, source, summary


class OwnDatabase(LiveDatabase):
    """Transactions of one run, none of them once the run was given up.

    The lock of a job goes with its session: when the server restarts under a run, or cuts off its idle connection,
    another run may take the job over and mark this one failed. From then on this one must not write.
    """

    def __init__(self, engine: Engine, run_id: int) -> None:
        super().__init__(engine)
        self.run_id = run_id

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Raises MeStatusError when the run was given up, Interrupted when the process was asked to stop."""
        _go_on()
        with super().begin() as connection:
            if connection.execute(sql.statement("ledger/hold_running_run"), {"run_id": self.run_id}).first() is None:
                raise given_up(self.run_id)
            yield connection


@contextmanager
def started(engine: Engine, job: Job, *, now: datetime, options: RunOptions = ORDINARY) -> Iterator[Run]:
    """A run by hand: waits for another run of the job, then has the job to itself.

    1. Runs of the job still called running are marked failed, since nobody holds their lock.
    2. A row is inserted, `started_at` being `now`.
    3. When the block ends the row gets its outcome, `finished_at` = `now` + the time taken, counts and error. An error
       goes on to the caller.
    """
    with alone(engine, LOCK_OF_JOB[job]), _claimed(engine, job, now, None, options) as run:
        assert run is not None, f"only a slot can be taken, and this run of {job} has none"
        yield run


@contextmanager
def claimed(
    engine: Engine, job: Job, *, now: datetime, due_at: datetime | None, options: RunOptions = ORDINARY
) -> Iterator[Run | None]:
    """A run of a slot; None when the slot is taken already or another run of the job is under way (it never waits).

    `due_at` None: a run that no slot calls for.
    """
    with alone_or_not(engine, LOCK_OF_JOB[job]) as is_alone:
        if not is_alone:
            log.info("slot skipped, the job is running", job=job, due_at=due_at and due_at.isoformat())
            yield None
            return
        with _claimed(engine, job, now, due_at, options) as run:
            yield run


@contextmanager
def rehearsed(database: RehearsalDatabase, job: Job, *, now: datetime, options: RunOptions = ORDINARY) -> Iterator[Run]:
    """A run inside a rehearsal: the same row, gone with the rehearsal. Hold `alone(engine, *LOCKS)` around it."""
    with database.begin() as connection:
        run_id = _insert(connection, job, now, None)
    assert run_id is not None
    yield Run(run_id, job, now, database, options)


@contextmanager
def alone(engine: Engine, *locks: str) -> Iterator[None]:
    """Holds the locks while the block runs, waiting for whoever has them."""
    with _session(engine) as connection:
        for name in sorted(locks):
            _wait_for(connection, name)
        try:
            yield
        finally:
            _give_back(connection, locks)


@contextmanager
def alone_or_not(engine: Engine, name: str) -> Iterator[bool]:
    """Holds the lock while the block runs, unless somebody has it: whether it is held."""
    with _session(engine) as connection:
        is_alone = _try(connection, name)
        try:
            yield is_alone
        finally:
            if is_alone:
                _give_back(connection, [name])


@contextmanager
def _claimed(
    engine: Engine, job: Job, now: datetime, due_at: datetime | None, options: RunOptions
) -> Iterator[Run | None]:
    if job == "refresh":
        _fail_dead_hinted(engine)
    with engine.begin() as connection:
        _fail_dead(connection, LOCK_OF_JOB[job])
        run_id = _insert(connection, job, now, due_at)
    if run_id is None:
        yield None
        return
    run = Run(run_id, job, now, OwnDatabase(engine, run_id), options)
    began = time.monotonic()
    with logs.about(job=job, run_id=run_id):
        try:
            yield run
        except BaseException as error:
            _finish(engine, run, "failed", logs.describe(error), began)
            raise
        if not _finish(engine, run, "held" if run.held is not None else "succeeded", None, began):
            raise given_up(run_id)


def _finish(engine: Engine, run: Run, outcome: str, error: str | None, began: float) -> bool:
    """Whether the run was still this process's to end."""
    elapsed = timedelta(seconds=time.monotonic() - began)
    if run.held is not None and error is None:
        error = f"held by the {run.gate} gate; see `me-status held list`"
    with engine.begin() as connection:
        finished = connection.execute(
            sql.statement("ledger/finish_run"),
            {
                "run_id": run.run_id,
                "outcome": outcome,
                "elapsed": elapsed,
                "counts": json.dumps(run.counts, default=str),
                "error": error,
            },
        )
        if not finished.rowcount:
            return False
        if run.held is not None and run.gate is not None:
            holds.note(connection, run.at, run.gate, run.held, run.source)
        totals.add(connection, run.job, outcome, elapsed, run.counts)
    log.log(
        LEVELS.get(outcome, logging.INFO), "run finished", job=run.job, run_id=run.run_id, outcome=outcome,
        seconds=round(elapsed.total_seconds(), 3), counts=run.counts, error=error,
    )  # fmt: skip
    return True


def add_released(database: LiveDatabase, run_id: int, sent: dict[str, int], suppressed: dict[str, int]) -> None:
    """Adds to the counts of a held run, and to the totals, what its release sent."""

    def work(connection: Connection) -> None:
        counts = connection.execute(sql.statement("ledger/read_counts"), {"run_id": run_id}).scalar_one()
        for name, more in (("sent", sent), ("suppressed", suppressed)):
            counts[name] = dict(Counter(counts.get(name) or {}) + Counter(more))
        parameters = {"run_id": run_id, "counts": json.dumps(counts)}
        connection.execute(sql.statement("ledger/write_counts"), parameters)
        totals.add_counts(connection, {"sent": sent, "suppressed": suppressed})

    database.transact(work)


def _go_on() -> None:
    if interrupted.is_set():
        raise Interrupted(INTERRUPTED)


def _fail_dead(connection: Connection, lock: str) -> None:
    jobs = [job for job, name in LOCK_OF_JOB.items() if name == lock]
    for run_id, job in connection.execute(sql.statement("ledger/fail_dead_runs"), {"jobs": jobs}):
        log.warning("a run died before it ended", job=job, run_id=run_id)


def _fail_dead_hinted(engine: Engine) -> None:
    """A refresh takes over what a hinted run had decided and not sent, once nobody can be doing that run any more."""
    with alone_or_not(engine, LOCK_OF_JOB["sync-hinted"]) as is_alone:
        if is_alone:
            with engine.begin() as connection:
                _fail_dead(connection, LOCK_OF_JOB["sync-hinted"])


def _insert(connection: Connection, job: str, now: datetime, due_at: datetime | None) -> int | None:
    run_id = connection.execute(
        sql.statement("ledger/insert_run"), {"job": job, "due_at": due_at, "started_at": now}
    ).scalar_one_or_none()
    return None if run_id is None else int(run_id)


@contextmanager
def _session(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def _wait_for(connection: Connection, name: str) -> None:
    if _try(connection, name):
        return
    log.info("waiting for another run", lock=name)
    while not _try(connection, name):
        _go_on()
        time.sleep(0.2)


def _try(connection: Connection, name: str) -> bool:
    return bool(connection.execute(sql.statement("ledger/try_session_lock"), {"name": _named(name)}).scalar_one())


def _give_back(connection: Connection, names: Sequence[str]) -> None:
    """A session that has ended has given its locks back already."""
    if connection.invalidated or connection.closed:
        return
    try:
        for name in names:
            connection.execute(sql.statement("ledger/release_session_lock"), {"name": _named(name)})
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise


def _named(lock: str) -> str:
    return f"me-status job {lock}"
