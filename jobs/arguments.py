"""The command line: every command with its arguments. It imports no command, so that `--help` costs nothing."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from config.types import SCHEDULED_JOBS
from jobs.text import parse as parse_instant


class _Parser(argparse.ArgumentParser):
    """With --json wrong usage is one JSON object, too."""

    def error(self, message: str) -> NoReturn:
        if "--json" in sys.argv:
            sys.stdout.write(json.dumps({"error": message}) + "\n")
        super().error(message)


MOST_MINUTES = 24 * 60
"""Of a token for trying: a day."""


def parser() -> argparse.ArgumentParser:
    """The command line; each command's `run` takes the arguments and gives the exit code."""
    parser = _Parser(
        prog="me-status",
        description="Customer status from Salesforce and WHMCS.",
        epilog="Exit codes: 0 success, 1 failed, 2 wrong usage or settings, 3 held or finished with records refused.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, does: str, module: str, *, json: bool = True) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=does, description=does, allow_abbrev=False)
        command.set_defaults(module=module)
        if json:
            command.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        return command

    demo = add("demo", "the whole job for some scripted days on stand-ins of both sources, then serves", "demo")
    demo.add_argument("--customers", type=_count, default=200, metavar="N", help="how many customers (200)")
    demo.add_argument("--days", type=_count, default=5, metavar="D", help="how many days (5)")
    demo.add_argument("--once", action="store_true", help="exit instead of serving")

    add("migrate", "brings the database to the current schema; safe to repeat", "migrate")
    _add_run(add("run", "one run of one job, or of both syncs and the refresh", "run"))

    rebuilding = add("rebuild", "recomputes every document (or one) from the snapshot; sends nothing", "rebuild")
    rebuilding.add_argument("--customer", metavar="ID", help="one customer: its Salesforce Account id")
    rebuilding.add_argument("--dry-run", action="store_true", help="compare and write nothing")
    _add_as_of(rebuilding)

    keeping = add(
        "schedule", "keeps the schedule until SIGTERM, then finishes the runs under way", "schedule", json=False
    )
    keeping.add_argument(
        "--health",
        type=_address,
        metavar="PORT",
        help="answer /healthz, /readyz, /metrics there ([HOST:]PORT; loopback)",
    )
    add("listen", "has customers read again whom Salesforce's events name, until SIGTERM", "listen", json=False)
    serving = add("serve", "the read API", "serve", json=False)
    serving.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen on (127.0.0.1)")
    serving.add_argument("--port", type=_port, default=8000, metavar="P", help="port to listen on (8000)")
    serving.add_argument("--workers", type=_count, default=1, metavar="N", help="worker processes (1)")
    serving.add_argument(
        "--drain", type=_seconds, default=2.0, metavar="S", help="seconds from SIGTERM until the listener closes (2)"
    )

    add("status", "health of each source, last runs, held runs, next due; exit 0 healthy, 1 not", "status")
    add("doctor", "checks settings, database, sources, fields and links, with the remedy", "doctor")
    _add_config(add("config", "the settings and data files in force, and what is wrong with them", "configuration"))
    verifying = add("verify", "is the snapshot equal to its sources; exit 0 equal, 3 not, 1 not asked", "verify")
    verifying.add_argument("--source", choices=("salesforce", "whmcs"), metavar="S", help="salesforce or whmcs only")
    explaining = add("explain", "why a customer has its tasks and notifications", "explain")
    explaining.add_argument("customer", metavar="CUSTOMER", help="Account id (15 or 18 characters) or WHMCS client id")
    _add_as_of(explaining)

    looking_back = add("history", "what was served to a customer, and when it changed", "history")
    looking_back.add_argument("customer", metavar="CUSTOMER", help="Account id or WHMCS client id")
    looking_back.add_argument(
        "--at", type=_instant, metavar="INSTANT", help="the document served then, byte for byte (RFC 3339)"
    )

    hinting = add("hint", "has customers read again from both sources, within seconds", "hint")
    hinting.add_argument("customers", nargs="+", metavar="CUSTOMER", help="Account id or WHMCS client id")

    _add_pause(add("pause", "passes a job's slots over until it is resumed", "pause"), "pause")
    _add_pause(add("resume", "lets a paused job's slots count again", "pause"), "resume")

    signing = add("token", "a customer's token, signed with ME_STATUS_JWT_KEY, for trying the API", "token")
    signing.add_argument("customer", metavar="CUSTOMER", help="Account id")
    signing.add_argument("--minutes", type=_minutes, default=60, metavar="N", help="until it expires (default 60)")
    signing.add_argument("--read-only", action="store_true", help="may look and change nothing, as for support")

    _add_held(add("held", "the runs that the flood or shrink gate stopped", "held", json=False))
    _add_announce(add("announce", "sends a SYSTEM_ANNOUNCEMENT to everybody or to the listed", "announce"))

    exporting = add("export", "a published table or view as CSV or Parquet", "export")
    exporting.add_argument("table", metavar="TABLE", help="such as me_status or analytics.overdue_by_age")
    exporting.add_argument("--to", type=Path, required=True, metavar="FILE", help="a name ending in .csv or .parquet")
    exporting.add_argument("--columns", type=_names, metavar="A,B", help="these columns only, in this order")
    exporting.add_argument("--since", type=_instant, metavar="INSTANT", help="rows written since then (changed_at)")
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "job", choices=(*SCHEDULED_JOBS, "all"), metavar="JOB", help=", ".join((*SCHEDULED_JOBS, "all"))
    )
    parser.add_argument("--full", action="store_true", help="read everything, not only what changed")
    parser.add_argument("--accept-shrink", action="store_true", help="remove what is gone however much it is")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
    how.add_argument(
        "--slot", action="store_true", help="fill the schedule's current slot, unless it is filled (for cron)"
    )
    parser.add_argument(
        "--yes", action="store_true", help="prune as of an instant to come, which forgets more than is old"
    )
    _add_as_of(parser)


def _add_as_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-of", type=_instant, metavar="INSTANT", help="the now of the rules, RFC 3339")


def _minutes(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes from 1 to {MOST_MINUTES}")
    return int(text)


def _add_held(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, dest="action", metavar="list | release | discard")
    for name, does in (
        ("list", "what waits"),
        ("release", "does what the run held back"),
        ("discard", "drops what the run held back"),
    ):
        action = actions.add_parser(name, help=does, description=does, allow_abbrev=False)
        action.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        if name != "list":
            action.add_argument("run_id", type=_count, metavar="RUN", help="the id of the held run")
            action.add_argument("--reason", type=_text, metavar="T", help="why, kept beside the decision")
            _add_as_of(action)


def _add_pause(parser: argparse.ArgumentParser, action: str) -> None:
    parser.set_defaults(action=action)
    parser.add_argument("job", choices=SCHEDULED_JOBS, metavar="JOB", help=", ".join(SCHEDULED_JOBS))
    if action == "pause":
        parser.add_argument("--until", type=_instant, metavar="INSTANT", help="resume by itself then, RFC 3339")
        parser.add_argument("--reason", type=_text, metavar="T", help="why, for whoever reads `status`")


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("show", "check"), help="show: each value and its origin; check: exit 2 for faults"
    )


def _add_announce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("withdraw", nargs="*", metavar="withdraw KEY", help="withdraws the announcement with that key")
    parser.add_argument("--title", type=_text, metavar="T", help="headline")
    parser.add_argument("--message", type=_text, metavar="M", help="text")
    parser.add_argument("--title-ja", type=_text, metavar="T", help="headline for those who read Japanese")
    parser.add_argument("--message-ja", type=_text, metavar="M", help="text for those who read Japanese")
    parser.add_argument(
        "--key", type=_key, metavar="K", help="sent again under the same key it reaches whom it has not"
    )
    parser.add_argument("--dry-run", action="store_true", help="say whom it would reach and send nothing")
    parser.add_argument("--url", type=_path, metavar="U", help="path in the portal (/account)")
    parser.add_argument("--customers", type=Path, metavar="FILE", help="one Account id per line; without: everybody")
    parser.add_argument("--yes", action="store_true", help="send even beyond the flood gate, without asking")
    _add_as_of(parser)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 600")
    return seconds


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", _port(port)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return int(text)


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; write what customers shall read")
    return text


def _key(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a key; write letters, digits, dots and dashes, 64 at most")
    return text


def _path(text: str) -> str:
    from config.portal_path import checked

    try:
        return checked(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
