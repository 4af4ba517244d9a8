"""The commands of me-status: `me-status COMMAND` and `python -m jobs COMMAND`."""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from config.errors import DatabaseAway, MeStatusError, SettingsError
from jobs.arguments import parser

SUCCESS, FAILED, WRONG_USE = 0, 1, 2
WITHOUT_PROGRAM = ("configuration", "doctor", "migrate", "run", "schedule", "verify")
"""Commands that load settings and data files themselves: they need more than the others, or look at what is wrong."""


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 success, 1 failed, 2 wrong usage or settings, 3 needs a look."""
    arguments = parser().parse_args(words)
    with _uncollected():
        from config import logs

        command = _command(arguments.module)
    logs.configure()
    try:
        return command(arguments)
    except SettingsError as error:
        return _fail(arguments, error.faults, WRONG_USE)
    except MeStatusError as error:
        return _fail(arguments, [str(error)], FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        return _fail(arguments, ["interrupted"], FAILED)
    except Exception as error:  # noqa: BLE001, the outermost door: said in words that may be shown
        described = logs.describe(error)
        logs.get("commands").error("unexpected error", error=described, frames=logs.frames(error))
        return _fail(arguments, [described], FAILED)


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is imported in the block stays to the end, so the collector need not walk it: a fifth of a start."""
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # once: tests call many commands in one process
            gc.freeze()
        gc.enable()


def _fail(arguments: argparse.Namespace, faults: Sequence[str], code: int) -> int:
    from config import logs

    said = [logs.scrub(fault) for fault in faults]
    for sentence in said:
        sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
    if getattr(arguments, "json", False):
        sys.stdout.write(json.dumps({"error": "; ".join(said)}, ensure_ascii=False) + "\n")
    return code


def _command(module: str) -> Callable[[argparse.Namespace], int]:
    """The function that does the command; importing it here, and only it, keeps every command's start short."""
    if module in HERE:
        return HERE[module]
    command: Callable[..., int] = import_module(f"jobs.commands.{module}").command
    if module in WITHOUT_PROGRAM:
        return command
    from jobs import program

    return lambda arguments: command(program.load(), arguments)


def _serve(arguments: argparse.Namespace) -> int:
    _stop_serving_on_signals()
    from config import logs
    from jobs import program
    from readapi.server import serve

    loaded = program.load()
    loaded.settings.require("tokens")
    try:
        with loaded.database():
            pass
    except DatabaseAway as error:
        logs.get("commands").warning("serving without a database until it answers", error=str(error))
    serve(
        loaded.settings,
        arguments.host,
        arguments.port,
        arguments.workers,
        drain_seconds=arguments.drain,
        read=lambda: program.load().settings,
    )
    return SUCCESS


def _stop_serving_on_signals() -> None:
    """Until the server takes the signals over, a stop while it is starting is an ordinary end too: exit code 0."""

    def stop(*_: object) -> None:
        raise SystemExit(SUCCESS)

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)


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


HERE = {"serve": _serve, "demo": _demo}
"""The two commands that reach the read side, which nothing else of `jobs` imports."""

if __name__ == "__main__":
    sys.exit(main())
