"""The commands of me-status: `me-status COMMAND` and `python -m jobs COMMAND`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from config import database, logs
from config.errors import MeStatusError, SettingsError
from jobs import migrate, program, progress
from jobs.commands import announce, configuration, doctor, explain, export, held, hint, rebuild, schedule, status
from jobs.program import FAILED, SUCCESS, WRONG_USE, Program, answer, complain, say
from jobs.runs import dispatch
from jobs.runs.ledger import RunOptions
from jobs.runs.run import Report, by_hand, exit_code, in_rehearsal
from jobs.text import parse as parse_instant

log = logs.get("commands")


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 success, 1 failed, 2 wrong usage or settings, 3 needs a look."""
    logs.configure()
    arguments = _parser().parse_args(words)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except SettingsError as error:
        for fault in error.faults:
            complain(fault)
        return WRONG_USE
    except MeStatusError as error:
        complain(str(error))
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        complain("interrupted")
        return FAILED
    except Exception as error:  # noqa: BLE001, the outermost door: said in words that may be shown
        log.error("unexpected error", error=logs.describe(error), frames=logs.frames(error))
        complain(logs.describe(error))
        return FAILED


def _run(arguments: argparse.Namespace) -> int:
    jobs = dispatch.OF_ALL if arguments.job == "all" else (arguments.job,)
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


def _migrate(arguments: argparse.Namespace) -> int:
    engine = database.connect(program.load().settings)
    try:
        revision = migrate.migrate(engine)
    finally:
        engine.dispose()
    if arguments.json:
        answer({"revision": revision})
    else:
        say(f"the database is at schema {revision}")
    return SUCCESS


def _serve(arguments: argparse.Namespace) -> int:
    _stop_serving_on_signals()
    from readapi.server import serve

    loaded = program.load()
    loaded.settings.require("tokens")
    with loaded.database():
        pass
    serve(loaded.settings, host=arguments.host, port=arguments.port, workers=arguments.workers)
    return SUCCESS


def _stop_serving_on_signals() -> None:
    """Until the server takes the signals over, a stop while it is starting is an ordinary end too: exit code 0."""

    def stop(*_: object) -> None:
        raise SystemExit(SUCCESS)

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)


def _schedule(arguments: argparse.Namespace) -> int:
    jobs = program.load().tables.schedule.jobs
    return schedule.command(program.load(*jobs), arguments)


def _demo(arguments: argparse.Namespace) -> int:
    from config.settings import load_home
    from jobs.demo import command
    from readapi import server

    doors = command.Doors(serve=server.serve, load=server.load)
    return command.run(
        load_home(),
        doors,
        customers=arguments.customers,
        days=arguments.days,
        once=arguments.once,
        as_json=arguments.json,
    )


def _with(command: Callable[[Program, argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    return lambda arguments: command(program.load(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="me-status",
        description="Customer status from Salesforce and WHMCS.",
        epilog="Exit codes: 0 success, 1 failed, 2 wrong usage or settings, 3 held or finished with records refused.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, does: str, run: Callable[[argparse.Namespace], int], *, json: bool = True
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=does, description=does, allow_abbrev=False)
        command.set_defaults(run=run)
        if json:
            command.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        return command

    demo = add("demo", "the whole job for some scripted days on stand-ins of both sources, then serves", _demo)
    demo.add_argument("--customers", type=_count, default=200, metavar="N", help="how many customers (200)")
    demo.add_argument("--days", type=_count, default=5, metavar="D", help="how many days (5)")
    demo.add_argument("--once", action="store_true", help="exit instead of serving")

    add("migrate", "brings the database to the current schema; safe to repeat", _migrate)
    _add_run(add("run", "one run of one job, or of both syncs and the refresh", _run))

    rebuilding = add(
        "rebuild", "recomputes every document (or one) from the snapshot; sends nothing", _with(rebuild.command)
    )
    rebuilding.add_argument("--customer", metavar="ID", help="one customer: its Salesforce Account id")
    rebuilding.add_argument("--dry-run", action="store_true", help="compare and write nothing")
    _add_as_of(rebuilding)

    add("schedule", "keeps the schedule until SIGTERM, then finishes the runs under way", _schedule, json=False)
    serving = add("serve", "the read API", _serve, json=False)
    serving.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen on (127.0.0.1)")
    serving.add_argument("--port", type=_port, default=8000, metavar="P", help="port to listen on (8000)")
    serving.add_argument("--workers", type=_count, default=1, metavar="N", help="worker processes (1)")

    add("status", "health of each source, last runs, held runs, next due; exit 0 healthy, 1 not", _with(status.command))
    add("doctor", "checks settings, database, sources, fields and links, with the remedy", doctor.command)
    _add_config(
        add("config", "the settings and data files in force, and what is wrong with them", configuration.command)
    )
    explaining = add("explain", "why a customer has its tasks and notifications", _with(explain.command))
    explaining.add_argument("customer", metavar="CUSTOMER", help="Account id (15 or 18 characters) or WHMCS client id")
    _add_as_of(explaining)

    hinting = add("hint", "has customers read again from both sources, within seconds", _with(hint.command))
    hinting.add_argument("customers", nargs="+", metavar="CUSTOMER", help="Account id or WHMCS client id")

    _add_held(add("held", "the runs that the flood or shrink gate stopped", _with(held.command), json=False))
    _add_announce(add("announce", "sends a SYSTEM_ANNOUNCEMENT to everybody or to the listed", _with(announce.command)))

    exporting = add("export", "a published table or view as CSV or Parquet", _with(export.command))
    exporting.add_argument("table", metavar="TABLE", help="such as me_status or analytics.overdue_by_age")
    exporting.add_argument("--to", type=Path, required=True, metavar="FILE", help="a name ending in .csv or .parquet")
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", choices=(*dispatch.JOBS, "all"), metavar="JOB", help=", ".join((*dispatch.JOBS, "all")))
    parser.add_argument("--full", action="store_true", help="read everything, not only what changed")
    parser.add_argument("--accept-shrink", action="store_true", help="remove what is gone however much it is")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
    how.add_argument(
        "--slot", action="store_true", help="fill the schedule's current slot, unless it is filled (for cron)"
    )
    _add_as_of(parser)


def _add_as_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-of", type=_instant, metavar="INSTANT", help="the now of the rules, RFC 3339")


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
            _add_as_of(action)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("show", "check"), help="show: each value and its origin; check: exit 2 for faults"
    )


def _add_announce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--title", required=True, type=_text, metavar="T", help="headline")
    parser.add_argument("--message", required=True, type=_text, metavar="M", help="text")
    parser.add_argument("--url", type=_path, metavar="U", help="path in the portal (/account)")
    parser.add_argument("--customers", type=Path, metavar="FILE", help="one Account id per line; without: everybody")
    parser.add_argument("--yes", action="store_true", help="send even beyond the flood gate, without asking")
    _add_as_of(parser)


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return int(text)


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; write what customers shall read")
    return text


def _path(text: str) -> str:
    if not text.startswith("/") or text.startswith("//"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path in the portal; write one like /account/services")
    return text


if __name__ == "__main__":
    sys.exit(main())
