"""`announce`: a SYSTEM_ANNOUNCEMENT to everybody or to the listed customers."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from config.errors import SettingsError
from jobs.program import FAILED, SUCCESS, Program, answer, complain, say
from jobs.runs import ledger
from jobs.runs.dispatch import rules
from materializer.refresh import outbox
from materializer.refresh.outbox import Announced, Announcement, NeedsConfirmation


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Sends it; beyond the flood gate's limit it asks on a terminal, and elsewhere needs --yes (exit 1 without)."""
    customers = None if arguments.customers is None else listed(arguments.customers)
    announcement = Announcement(arguments.title, arguments.message, arguments.url, customers)
    now = arguments.as_of or datetime.now(UTC)
    with program.database() as engine:
        done = announce(engine, program, announcement, now, confirmed=arguments.yes)
        if isinstance(done, NeedsConfirmation) and _agrees(done):
            done = announce(engine, program, announcement, now, confirmed=True)
    if isinstance(done, NeedsConfirmation):
        return _tell_unsent(done, arguments)
    return _tell(done, arguments)


def announce(
    engine: Engine, program: Program, announcement: Announcement, now: datetime, *, confirmed: bool
) -> Announced | NeedsConfirmation:
    """One attempt, as a run of its own in the ledger."""
    with ledger.started(engine, "announce", now=now) as run:
        done = outbox.announce(
            run.database, rules(program.settings, program.tables), announcement, run.at, confirmed=confirmed
        )
        run.counts.update(_counts(done))
    return done


def listed(path: Path) -> list[str]:
    """The Account ids in the file, one per line; blank lines are passed over. Raises SettingsError (exit 2)."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [f"--customers {path}: cannot be read ({error}); give a file of one Account id per line"]
        ) from None
    return [line.strip() for line in lines if line.strip()]


def _agrees(needed: NeedsConfirmation) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(
        f"This goes to {needed.customers:,} customers, more than the gate's {needed.limit:,}. Send? [y/N] "
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _tell_unsent(needed: NeedsConfirmation, arguments: argparse.Namespace) -> int:
    complain(
        f"nothing sent: {needed.customers:,} customers are more than the gate's {needed.limit:,}; repeat with --yes"
    )
    if arguments.json:
        answer({"sent": 0, "needsConfirmation": {"customers": needed.customers, "limit": needed.limit}})
    return FAILED


def _tell(done: Announced, arguments: argparse.Namespace) -> int:
    for unknown in done.unknown:
        complain(f"{unknown} is not a customer; nothing sent to it")
    if arguments.json:
        answer({"sourceId": done.source_id, "sent": done.sent, "unknown": list(done.unknown)})
    else:
        say(f"announcement {done.source_id}: {done.sent:,} sent")
    return SUCCESS


def _counts(done: Announced | NeedsConfirmation) -> dict[str, Any]:
    if isinstance(done, NeedsConfirmation):
        return {"needs_confirmation": done.customers, "limit": done.limit}
    return {"sent": {"SYSTEM_ANNOUNCEMENT": done.sent}, "unknown": len(done.unknown)}
