"""`run JOB`: one run of one job, or of both syncs and the refresh."""

from __future__ import annotations

import argparse

from config.errors import SettingsError
from config.types import OF_ALL
from jobs import program, progress
from jobs.commands import schedule
from jobs.program import answer, complain, say
from jobs.runs.ledger import RunOptions
from jobs.runs.run import Report, by_hand, exit_code, in_rehearsal


def command(arguments: argparse.Namespace) -> int:
    """Runs the job by hand, for its slot, or as a rehearsal."""
    jobs = OF_ALL if arguments.job == "all" else (arguments.job,)
    if arguments.slot and arguments.as_of:
        raise SettingsError(["--slot runs as of the clock, for the slot it is in; leave out --slot or --as-of"])
    loaded = program.load(*jobs)
    with loaded.database() as engine, progress.shown() as bars:
        options = RunOptions(full=arguments.full, accept_shrink=arguments.accept_shrink, progress=bars)
        if arguments.slot:
            reports = [schedule.offer(engine, loaded, job, options=options) for job in jobs]
        elif arguments.dry_run:
            reports = in_rehearsal(engine, loaded, arguments.job, options, arguments.as_of)
        else:
            reports = by_hand(engine, loaded, arguments.job, options, arguments.as_of)
    return _tell(reports, arguments)


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
