"""`rebuild`: recomputes documents from the snapshot; the API serves throughout and nobody is notified."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import UTC, datetime

from config.database import LiveDatabase
from config.errors import MeStatusError, SettingsError
from config.salesforce_id import normalised
from jobs import progress
from jobs.program import SUCCESS, Program, answer, say
from jobs.runs import executor, ledger
from jobs.runs.dispatch import rules
from jobs.runs.ledger import Run
from materializer.refresh import rebuild
from materializer.refresh.rebuild import Rebuilt
from materializer.units import Batching


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Rebuilds as at --as-of or now; with --dry-run it compares and writes nothing, not even to the ledger."""
    customer = None if arguments.customer is None else account_id(arguments.customer)
    now = arguments.as_of or datetime.now(UTC)
    with program.database() as engine:
        if arguments.dry_run:
            with ledger.alone(engine, *ledger.LOCKS):
                done = rebuild.forecast(
                    LiveDatabase(engine), rules(program.settings, program.tables), now, customer=customer
                )
        else:
            with ledger.started(engine, "rebuild", now=now) as run:
                done = _rebuilt(program, run, customer)
                run.counts.update(_counts(done))
    if customer is not None and not done.customers and not done.removed:
        raise MeStatusError(f"{customer} is not a customer and has no document; `me-status explain` says why")
    _tell(done, arguments)
    return SUCCESS


def _rebuilt(program: Program, run: Run, customer: str | None) -> Rebuilt:
    with executor.submitting(program.settings, run.database) as submit, progress.shown() as bars:
        batching = Batching(program.tables.schedule.limits.batch_customers, submit, bars.start("Rebuild customers"))
        return rebuild.rebuild(
            run.database, rules(program.settings, program.tables), run.at, batching, customer=customer
        )


def account_id(given: str) -> str:
    """The 18-character Account id. Raises SettingsError (exit 2) for what is none."""
    try:
        found = normalised(given)
    except ValueError as error:
        raise SettingsError([f"{given!r} is not an Account id: it {error}"]) from None
    if found is None:
        raise SettingsError([f"{given!r} is not an Account id; write its 15 or 18 characters"])
    return found


def _tell(done: Rebuilt, arguments: argparse.Namespace) -> None:
    if arguments.json:
        differences = {path: asdict(difference) for path, difference in done.differences.items()}
        answer({"dryRun": arguments.dry_run, **_counts(done), "differences": differences})
        return
    would = "would change" if arguments.dry_run else "changed"
    say(f"{done.customers:,} documents computed, {done.changed:,} {would}, {done.added:,} new, {done.removed:,} gone")
    for path, difference in done.differences.items():
        say(f"  {path}: {difference.documents:,} documents, such as {', '.join(difference.samples)}")


def _counts(done: Rebuilt) -> dict[str, int]:
    return {"customers": done.customers, "changed": done.changed, "added": done.added, "removed": done.removed}
