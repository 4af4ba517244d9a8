"""`run JOB`: one run of one job, or of both syncs and the refresh, for real or rehearsed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Engine

from config import logs
from config.database import RehearsalDatabase, rehearsal
from config.types import HINTED, OF_ALL, Job
from jobs.program import FAILED, NEEDS_ATTENTION, SUCCESS, Program
from jobs.runs import actions, dispatch, ledger, summary
from jobs.runs.asking import AskingAhead, NotAskedYet
from jobs.runs.ledger import Run, RunOptions
from jobs.text import as_object

if TYPE_CHECKING:
    from jobs.runs.connections import Connections

log = logs.get("run")


@dataclass(frozen=True)
class Report:
    """How one run went. `outcome`: succeeded, failed, held, or skipped (its slot was taken or the job was running).

    `concerned`, of a rehearsal: how many customers a sync would mark or a refresh would write, and a few of them.
    """

    job: str
    outcome: str
    run_id: int | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    transitions: list[dict[str, Any]] = field(default_factory=list)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    held: dict[str, Any] | None = None
    gate: str | None = None
    error: str | None = None
    is_rehearsal: bool = False
    concerned: dict[str, Any] | None = None

    @property
    def exit_code(self) -> int:
        if self.outcome == "failed":
            return FAILED
        return NEEDS_ATTENTION if self.outcome == "held" or summary.set_aside_in(self.counts) else SUCCESS

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "job": self.job,
            "runId": self.run_id,
            "outcome": self.outcome,
            "dryRun": self.is_rehearsal,
            "counts": self.counts,
            "transitions": [as_object(row) for row in self.transitions],
            "notifications": [as_object(row) for row in self.notifications],
            "held": self.held,
            "error": self.error,
        } | ({"concerned": self.concerned} if self.is_rehearsal else {})

    def in_words(self) -> str:
        """One line for people."""
        if self.outcome == "skipped":
            return f"{self.job}: skipped, {self.error or 'its slot is taken or the job is running'}"
        if self.outcome == "failed":
            return f"{self.job}: failed: {self.error}"
        line = f"{self.job}: {summary.in_words(self.job, self.counts, self.transitions)}"
        if self.is_rehearsal:
            return line + (f"; the {self.gate} gate would hold it" if self.held is not None else "")
        return line + ("" if self.held is None else f"; held as run {self.run_id}, see `me-status held list`")

    def details_in_words(self) -> list[str]:
        """What a rehearsal would have done: a line per kind, to or of how many, with a few ids."""
        return summary.details(self.job, self.counts, self.concerned, self.transitions, self.notifications) + (
            [] if self.held is None else list(summary.of_held(self.gate, self.held))
        )


def exit_code(reports: list[Report]) -> int:
    """Of several runs: failed comes before held or records set aside, those before success."""
    codes = {report.exit_code for report in reports}
    return next((code for code in (FAILED, NEEDS_ATTENTION) if code in codes), SUCCESS)


def by_hand(
    engine: Engine, program: Program, job: Job | Literal["all"], options: RunOptions, now: datetime | None
) -> list[Report]:
    """Runs the job at `now` (None: the clock, read as each run starts); of `all` one failing does not stop the next."""
    return [_live(engine, program, name, options, now) for name in _jobs_of(job)]


def in_rehearsal(
    engine: Engine, program: Program, job: Job | Literal["all"], options: RunOptions, now: datetime | None
) -> list[Report]:
    """Does what `by_hand` does and keeps nothing; other runs wait meanwhile, since it holds what it touches.

    It holds nothing while a source is asked: it starts over with each answer.
    """
    with ledger.alone(engine, *ledger.LOCKS), closing(AskingAhead(engine)) as asking:
        asked_before, at = replace(options, asking=asking), now or datetime.now(UTC)
        while True:
            try:
                with rehearsal(engine) as database:
                    return [_rehearsed(database, program, name, asked_before, at) for name in _jobs_of(job)]
            except NotAskedYet as missing:
                asks = missing.asks
            for ask in asks:
                ask()


def _jobs_of(job: Job | Literal["all"]) -> tuple[Job, ...]:
    return OF_ALL if job == "all" else (job,)


def of_hints(engine: Engine, program: Program, connections: Connections) -> Report:
    """Follows the hints that are due, unless another process does so at the moment, or the job is paused."""
    run: Run | None = None
    try:
        if _is_paused(engine, HINTED):
            return Report(HINTED, "skipped", error="it is paused")
        options = RunOptions(is_debounced=True)
        with ledger.claimed(engine, HINTED, now=_clock(engine, HINTED), due_at=None, options=options) as run:
            if run is None:
                return Report(HINTED, "skipped")
            dispatch.dispatch(run, program.settings, program.tables, connections)
    except Exception as error:  # noqa: BLE001, the ledger has it; the scheduler goes on
        return _failed(HINTED, run, error)
    return _finished(engine, run)


def of_slot(engine: Engine, program: Program, job: Job, options: RunOptions, due_at: datetime) -> Report:
    """Runs the job for the slot unless that was done, the job is under way, or it is paused."""
    run: Run | None = None
    try:
        if _is_paused(engine, job):
            return Report(job, "skipped", error="it is paused")
        if _has_nothing_to_do(engine, program, job):
            return Report(job, "skipped", error="no hint waits")
        with ledger.claimed(engine, job, now=_clock(engine, job), due_at=due_at, options=options) as run:
            if run is None:
                return Report(job, "skipped")
            dispatch.dispatch(run, program.settings, program.tables)
    except Exception as error:  # noqa: BLE001, the ledger has it; the scheduler goes on
        return _failed(job, run, error)
    return _finished(engine, run)


def _live(engine: Engine, program: Program, job: Job, options: RunOptions, now: datetime | None) -> Report:
    run: Run | None = None
    try:
        if _has_nothing_to_do(engine, program, job):
            return Report(job, "succeeded", counts={"hints_read": 0})
        with ledger.started(engine, job, now=now or _clock(engine, job), options=options) as run:
            dispatch.dispatch(run, program.settings, program.tables)
    except Exception as error:  # noqa: BLE001, it is in the report; the ledger has it
        return _failed(job, run, error)
    return _finished(engine, run)


def _clock(engine: Engine, job: Job) -> datetime:
    """The clock of a run that begins now; hints are followed by the database's, where that is ahead."""
    if job != HINTED:
        return datetime.now(UTC)
    from jobs.runs import hinted

    return hinted.now(engine)


def _has_nothing_to_do(engine: Engine, program: Program, job: Job) -> bool:
    """Whether it follows hints and none waits. What a job needs is imported when it is done: an offer costs little."""
    if job != HINTED:
        return False
    from jobs.runs import hinted

    return not hinted.is_waiting(engine, program.tables.schedule.hints)


def _is_paused(engine: Engine, job: Job) -> bool:
    with engine.connect() as connection:
        return actions.is_paused(connection, job, datetime.now(UTC))


def _rehearsed(database: RehearsalDatabase, program: Program, job: Job, options: RunOptions, now: datetime) -> Report:
    run: Run | None = None
    try:
        with ledger.rehearsed(database, job, now=now, options=options) as run:
            with database.begin() as connection:
                marked = summary.marks_at(connection, run.now)["customers"]
            dispatch.dispatch(run, program.settings, program.tables)
            with database.begin() as connection:
                report = _report(connection, run)
                concerned = _concerned(connection, run, marked)
    except Exception as error:  # noqa: BLE001, it is in the report
        return _failed(job, run, error, is_rehearsal=True)
    return replace(report, run_id=None, is_rehearsal=True, concerned=concerned)


def _concerned(connection: Connection, run: Run, marked_before: int) -> dict[str, Any] | None:
    if run.job == "refresh":
        return summary.documents_of(connection, run.run_id)
    if run.job == "prune":
        return None
    marked = summary.marks_at(connection, run.now)
    new = marked["customers"] - marked_before
    return {"customers": new, "samples": marked["samples"][:new]}


def _finished(engine: Engine, run: Run) -> Report:
    with engine.connect() as connection:
        return _report(connection, run)


def _report(connection: Connection, run: Run) -> Report:
    transitions = summary.transitions_of(connection, run.run_id, run.now)
    notifications = summary.notifications_of(connection, run.run_id, run.now)
    outcome = "succeeded" if run.held is None else "held"
    return Report(run.job, outcome, run.run_id, run.counts, transitions, notifications, run.held, run.gate)


def _failed(job: str, run: Run | None, error: Exception, *, is_rehearsal: bool = False) -> Report:
    described = logs.describe(error)
    if described.startswith("unexpected"):
        log.error("unexpected error", job=job, error=described, frames=logs.frames(error))
    counts = {} if run is None else run.counts
    run_id = None if run is None or is_rehearsal else run.run_id
    return Report(job, "failed", run_id, counts, error=described, is_rehearsal=is_rehearsal)
