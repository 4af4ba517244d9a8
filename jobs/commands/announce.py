"""`announce`: a SYSTEM_ANNOUNCEMENT to everybody or to the listed customers."""

from __future__ import annotations

import argparse
import hashlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

import sql
from config.errors import MeStatusError, SettingsError
from jobs.program import FAILED, SUCCESS, Program, answer, complain, say
from jobs.runs import ledger
from jobs.runs.dispatch import rules
from jobs.text import counted
from materializer.refresh import outbox
from materializer.refresh.outbox import Announced, Announcement, NeedsConfirmation

SAME_WORDS = timedelta(days=2)
"""The same words announced again within this, without a key, are asked about: more often a mistake than meant."""


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Sends it, says whom it would reach, or withdraws it.

    Beyond the flood gate's limit, or when the same words were announced without a key in the last days, it asks on a
    terminal, and elsewhere needs --yes (exit 1 without).
    """
    now = arguments.as_of or datetime.now(UTC)
    if arguments.withdraw:
        return _withdraw(program, arguments, _key_to_withdraw(arguments), now)
    announcement = _announcement(arguments)
    with program.database() as engine:
        if arguments.dry_run:
            return _tell_reach(engine, program, announcement, now, arguments)
        again = None if arguments.yes or announcement.key else announced_before(engine, announcement, now)
        if again is not None and not _agrees(f"Run {again} announced these very words. Send them again?"):
            return _tell_repeated(again, arguments)
        done = announce(engine, program, announcement, now, confirmed=arguments.yes)
        if isinstance(done, NeedsConfirmation) and _agrees(_beyond(done)):
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
        run.counts.update(_counts(done) | {"digest": _digest(announcement)})
    return done


def announced_before(engine: Engine, announcement: Announcement, now: datetime) -> int | None:
    """The run that announced the same words in the last days; None when none did."""
    parameters = {"digest": _digest(announcement), "since": now - SAME_WORDS}
    with engine.connect() as connection:
        found = connection.execute(sql.statement("ledger/find_announcement"), parameters).first()
    return None if found is None else int(found.run_id)


def _digest(announcement: Announcement) -> str:
    words = [announcement.title, announcement.message, *(announcement.japanese or ())]
    return hashlib.sha256("\x00".join(words).encode()).hexdigest()[:16]


def _announcement(arguments: argparse.Namespace) -> Announcement:
    """What the arguments say. Raises SettingsError (exit 2), naming all that is missing."""
    faults = [f"--{name} is missing" for name in ("title", "message") if getattr(arguments, name) is None]
    if (arguments.title_ja is None) != (arguments.message_ja is None):
        faults.append("--title-ja and --message-ja belong together; give both or neither")
    if faults:
        raise SettingsError(faults)
    customers = None if arguments.customers is None else listed(arguments.customers)
    japanese = None if arguments.title_ja is None else (arguments.title_ja, arguments.message_ja)
    return Announcement(arguments.title, arguments.message, arguments.url, customers, japanese, arguments.key)


def _key_to_withdraw(arguments: argparse.Namespace) -> str:
    word, *keys = arguments.withdraw
    if word != "withdraw" or len(keys) != 1:
        raise SettingsError([f"{' '.join(arguments.withdraw)!r} is not understood; write: announce withdraw KEY"])
    key: str = keys[0]
    return key


def _withdraw(program: Program, arguments: argparse.Namespace, key: str, now: datetime) -> int:
    with program.database() as engine, ledger.started(engine, "announce", now=now) as run:
        withdrawn, sent = outbox.withdraw(run.database, key, run.at)
        run.counts.update(withdrawn=withdrawn)
    if sent == 0:
        raise MeStatusError(f"nothing was announced with the key {key!r}; nothing is withdrawn")
    if arguments.json:
        answer({"key": key, "withdrawn": withdrawn})
    else:
        say(f"announcement {key}: {withdrawn:,} withdrawn" + ("" if withdrawn else ", all were before"))
    return SUCCESS


def listed(path: Path) -> list[str]:
    """The Account ids in the file, one per line; blank lines are passed over. Raises SettingsError (exit 2)."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [f"--customers {path}: cannot be read ({error}); give a file of one Account id per line"]
        ) from None
    return [line.strip() for line in lines if line.strip()]


def _agrees(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _beyond(needed: NeedsConfirmation) -> str:
    return f"This goes to {needed.customers:,} customers, more than the gate's {needed.limit:,}. Send?"


def _tell_unsent(needed: NeedsConfirmation, arguments: argparse.Namespace) -> int:
    said = f"nothing sent: {needed.customers:,} customers are more than the gate's {needed.limit:,}; repeat with --yes"
    complain(said)
    if arguments.json:
        asked = {"customers": needed.customers, "limit": needed.limit}
        answer({"sent": 0, "needsConfirmation": asked, "error": said})
    return FAILED


def _tell_repeated(run_id: int, arguments: argparse.Namespace) -> int:
    said = f"nothing sent: run {run_id} announced these very words; repeat with --yes, or give both a --key"
    complain(said)
    if arguments.json:
        answer({"sent": 0, "needsConfirmation": {"announcedByRun": run_id}, "error": said})
    return FAILED


def _tell_reach(
    engine: Engine, program: Program, announcement: Announcement, now: datetime, arguments: argparse.Namespace
) -> int:
    with engine.connect() as connection:
        reach = outbox.reach(connection, rules(program.settings, program.tables), announcement, now)
    for unknown in reach.unknown:
        complain(f"{unknown} is not a customer")
    if arguments.json:
        needs = reach.customers > reach.limit
        answer({"dryRun": True, "customers": reach.customers, "needsYes": needs, "unknown": list(reach.unknown)})
    else:
        beyond = f", more than the gate's {reach.limit:,}: needs --yes" if reach.customers > reach.limit else ""
        say(f"dry run: it would go to {counted(reach.customers, 'customer', 'customers')}{beyond}; nothing was sent")
    return SUCCESS


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
