"""Runs commands of the program in processes that can be killed, without paying for an interpreter's start each time.

The hand is a process of one thread that has imported the program; for each command it forks a child that runs it. It
keeps the ended child's process id until the caller is done with it, so that a late kill never hits another process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

KILLED = -signal.SIGKILL
SEND_AT_ONCE = 3
"""Notifications of one commit of a sending: few, so that a small population takes several commits."""
READ_AT_LEAST = 1000
"""Clients whose pay methods each sync reads: all, so that a sync that is repeated reads what a single one would."""


class Hand:
    """The side of the tests. Usable as a context manager."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.log = log
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes.hand", str(log)],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, *words: str) -> int:
        """Starts `me-status WORDS`; its process id."""
        self._tell({"words": words})
        return int(self._hear()["pid"])

    def wait(self) -> int:
        """The exit code of the command under way; KILLED when it was killed."""
        return int(self._hear()["code"])

    def run(self, *words: str) -> int:
        """Runs a command to its end; its exit code."""
        self.start(*words)
        return self.done()

    def done(self) -> int:
        """Waits for the command and forgets it."""
        code = self.wait()
        self._tell({"words": None})
        return code

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the hand ended; see {self.log}"
        heard: dict[str, Any] = json.loads(line)
        return heard

    def __enter__(self) -> Hand:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


LOADED = (
    *("jobs.commands.run", "jobs.commands.rebuild", "jobs.commands.held", "jobs.commands.announce"),
    *("jobs.runs.sync", "jobs.runs.hinted", "jobs.runs.executor", "jobs.runs.prune", "jobs.runs.connections"),
    *("materializer.refresh.refresh", "materializer.refresh.shadow", "psycopg.types.json"),
)
"""What commands import when they are done: imported once, before any child is made."""


def _serve(log: Path) -> None:
    from jobs import __main__ as program

    for module in LOADED:
        import_module(module)
    for line in sys.stdin:
        words = json.loads(line)["words"]
        child = os.fork()
        if child == 0:
            _become(program.main, words, log)
        _say({"pid": child})
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        _say({"code": ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status})
        sys.stdin.readline()
        os.waitpid(child, 0)


def _become(main: Any, words: list[str], log: Path) -> None:
    from jobs.sources.whmcs import round_robin
    from materializer.refresh import outbox

    outbox.BATCH = SEND_AT_ONCE
    round_robin.LEAST = READ_AT_LEAST
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(target, stream)
    code = 1
    try:
        code = main(words)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
