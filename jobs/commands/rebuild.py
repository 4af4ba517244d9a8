"""`rebuild`: recomputes documents from the snapshot; the API serves throughout and nobody is notified."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from config.database import LiveDatabase, rehearsal
from config.errors import MeStatusError, SettingsError
from config.salesforce_id import normalised
from jobs import progress
from jobs.program import SUCCESS, Program, answer, say
from jobs.runs import executor, ledger, summary
from jobs.runs.dispatch import rules
from jobs.runs.ledger import Run
from jobs.text import counted
from materializer.refresh import rebuild
from materializer.refresh.plan import Plan, plan
from materializer.refresh.rebuild import Rebuilt
from materializer.units import Batching


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Rebuilds as at --as-of or now; with --dry-run it compares and writes nothing, not even to the ledger."""
    customer = None if arguments.customer is None else account_id(arguments.customer)
    now = arguments.as_of or datetime.now(UTC)
    with program.database() as engine:
        if arguments.dry_run and customer is None:
            return _print_plan(_planned(engine, program, now), arguments)
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


def _planned(engine: Engine, program: Program, now: datetime) -> Plan:
    """The documents, and what the refresh after the rebuild would send, in a rehearsal."""
    tables = program.tables
    batching = Batching(tables.schedule.limits.batch_customers)
    with (
        ledger.alone(engine, *ledger.LOCKS),
        rehearsal(engine) as database,
        ledger.rehearsed(database, "refresh", now=now) as run,
    ):
        return plan(database, rules(program.settings, tables), run.at, tables.schedule.freshness_minutes, batching)


def _print_plan(planned: Plan, arguments: argparse.Namespace) -> int:
    after = planned.refreshed
    if arguments.json:
        notifications = {"sent": after.sent, "suppressed": after.suppressed, "held": after.held}
        answer(_as_json(planned.documents, arguments) | {"notifications": notifications})
        return SUCCESS
    _tell(planned.documents, arguments)
    for kind, count in after.sent.items():
        say(f"  the next refresh would send {counted(count, 'notification', 'notifications')} of {kind}")
    if after.held is not None:
        for line in summary.of_held("flood", after.held):
            say(line)
        say("  the flood gate would hold these until somebody decides")
    if not after.sent and after.held is None:
        say("  the next refresh would send nothing")
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
        answer(_as_json(done, arguments))
        return
    would = "would change" if arguments.dry_run else "changed"
    say(f"{done.customers:,} documents computed, {done.changed:,} {would}, {done.added:,} new, {done.removed:,} gone")
    for path, difference in done.differences.items():
        say(f"  {path}: {difference.documents:,} documents, such as {', '.join(difference.samples)}")


def _as_json(done: Rebuilt, arguments: argparse.Namespace) -> dict[str, Any]:
    differences = {path: asdict(difference) for path, difference in done.differences.items()}
    return {"dryRun": arguments.dry_run, **_counts(done), "differences": differences}


def _counts(done: Rebuilt) -> dict[str, int]:
    return {"customers": done.customers, "changed": done.changed, "added": done.added, "removed": done.removed}
