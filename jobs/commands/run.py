"""`run JOB`: one run of one job, or of both syncs and the refresh."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType

from config.errors import Interrupted, SettingsError
from config.types import OF_ALL, ScheduledJob
from jobs import program, progress
from jobs.commands import decisions
from jobs.program import Program, answer, complain, say
from jobs.runs import ledger, slots
from jobs.runs.ledger import RunOptions
from jobs.runs.run import Report, by_hand, exit_code, in_rehearsal

INTERRUPTED = 128 + signal.SIGTERM
"""What a shell says of a process that SIGTERM ended."""


def command(arguments: argparse.Namespace) -> int:
    """Runs the job by hand, for its slot, or as a rehearsal."""
    jobs = OF_ALL if arguments.job == "all" else (arguments.job,)
    if arguments.slot and arguments.as_of:
        raise SettingsError(["--slot runs as of the clock, for the slot it is in; leave out --slot or --as-of"])
    if arguments.job == "prune" and not (arguments.yes or arguments.dry_run):
        _refuse_to_come(arguments.as_of, datetime.now(UTC))
    loaded = program.load(*jobs)
    try:
        return _tell(_reports(loaded, jobs, arguments), arguments)
    except Interrupted:
        said = "interrupted by SIGTERM; the next run goes on from what was committed"
        complain(said)
        if arguments.json:
            answer({"job": arguments.job, "outcome": "failed", "error": said})
        return INTERRUPTED


def _refuse_to_come(as_of: datetime | None, now: datetime) -> None:
    """Raises SettingsError (exit 2) for a prune as of an instant to come: what it forgets is not old yet."""
    if as_of is not None and as_of > now:
        raise SettingsError(
            [f"--as-of {as_of.isoformat()} is to come: prune would forget what is not old; see --dry-run or add --yes"]
        )


def _reports(loaded: Program, jobs: tuple[ScheduledJob, ...], arguments: argparse.Namespace) -> list[Report]:
    with loaded.database() as engine, progress.shown() as bars, _stopped_in_good_order():
        options = RunOptions(full=arguments.full, accept_shrink=arguments.accept_shrink, progress=bars)
        if arguments.slot:
            decisions.carry_out(engine, loaded)
            return [slots.offer(engine, loaded, job, options=options) for job in jobs]
        if arguments.dry_run:
            return in_rehearsal(engine, loaded, arguments.job, options, arguments.as_of)
        return by_hand(engine, loaded, arguments.job, options, arguments.as_of)


@contextmanager
def _stopped_in_good_order() -> Iterator[None]:
    """SIGTERM in the block: units under way are finished, none is begun, and the ledger says so."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ledger.interrupted.set()
        raise Interrupted(ledger.INTERRUPTED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        ledger.interrupted.clear()
        signal.signal(signal.SIGTERM, before)


def _tell(reports: list[Report], arguments: argparse.Namespace) -> int:
    code = exit_code(reports)
    if arguments.json:
        runs = [report.as_json() for report in reports]
        outcomes = {0: "succeeded", 1: "failed"}
        held_or_refused = "held" if any(report.outcome == "held" for report in reports) else "succeeded"
        answer(
            runs[0]
            if arguments.job != "all"
            else {
                "job": "all",
                "outcome": outcomes.get(code, held_or_refused),
                "dryRun": arguments.dry_run,
                "runs": runs,
                "error": "; ".join(run["error"] for run in runs if run["error"]) or None,
            }
        )
        return code
    for report in reports:
        (complain if report.outcome == "failed" else say)(report.in_words())
        for line in report.details_in_words() if report.is_rehearsal else ():
            say(line)
    if arguments.dry_run:
        say("dry run: nothing was written")
    return code
