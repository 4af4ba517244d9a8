"""Where a history is played: both stand-ins, a pair of PostgreSQL servers, the API as a process, and readers of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import jwt

from jobs.sandbox import salesforce, whmcs
from tests.crashes import stage
from tests.histories import pair
from tests.histories.pair import Pair
from tests.histories.sources import Sources
from tests.ports import free_port

KEY = "the histories are signed with this key of 32 bytes or more"
READERS_EACH = 32
"""Connections of one reader process."""
SCHEDULE = "[limits]\nwindow_rows = 100\nattempts = 2\n\n[shrink_gate]\npercent = 100\n"
"""A list is one window, since a refresh between two shows parts of two readings; the gate holds nothing, since what it
holds is shown beside what is newer (docs/proof.md, known limits)."""


@dataclass
class Stage:
    """Everything a history needs."""

    folder: Path
    pair: Pair
    environment: dict[str, str]
    sources: Sources
    port: int
    tokens: list[str]
    api: subprocess.Popen[bytes] | None = None
    readers: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def database_url(self) -> str:
        return self.environment["DATABASE_URL"]

    def serve(self) -> None:
        """Starts `me-status serve`, a process group of its own."""
        with (self.folder / "serve.log").open("ab") as log:
            self.api = subprocess.Popen(
                [sys.executable, "-m", "jobs", "serve", "--port", str(self.port)],
                env=self.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait_until_served(self, seconds: float = 60) -> None:
        """Until the API is ready. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).close()
                return
            time.sleep(0.05)
        raise TimeoutError(f"the API is not ready after {seconds} s; see {self.folder / 'serve.log'}")

    def kill_api(self) -> None:
        """Its main process and its workers at once."""
        assert self.api is not None
        with suppress(ProcessLookupError):
            os.killpg(self.api.pid, signal.SIGKILL)
        self.api.wait()

    def post(self, path: str, customer: int) -> int:
        """A POST of a customer's; its status, 0 when nobody answered."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", b"", method="POST")
        request.add_header("Authorization", f"Bearer {self.tokens[customer]}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def start_readers(self, connections: int, seed: int) -> None:
        """Reader processes with so many connections together."""
        (self.folder / "tokens").write_text("\n".join(self.tokens))
        while connections > 0:
            number = len(self.readers)
            arguments = [
                str(self.port), str(self.folder / f"reader-{number}"), str(min(connections, READERS_EACH)),
                str(seed + number), str(self.folder / "tokens"),
            ]  # fmt: skip
            command = [sys.executable, "-m", "tests.histories.readers", *arguments]
            self.readers.append(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            connections -= READERS_EACH

    def stop_readers(self) -> list[dict[str, Any]]:
        """What each reader process says at its end."""
        said = [process.communicate()[0] for process in self.readers]
        self.readers.clear()
        return [json.loads(one) for one in said]


ROOT = Path(__file__).parents[2]


@contextmanager
def set_up(folder: Path, customers: int, dice: Random) -> Iterator[Stage]:
    """A stage with a fresh database, and nothing running yet but its server."""
    sources = Sources(customers, dice)
    with (
        pair.running() as own,
        salesforce.serve(sources.org) as crm,
        whmcs.serve(sources.install) as billing,
    ):
        environment = stage.settings(sources.org, sources.install, crm.url, billing.url, folder)
        (folder / "schedule.toml").write_text(SCHEDULE)
        environment |= {
            "DATABASE_URL": stage.fresh_database(own.url, "histories"),
            "ME_STATUS_JWT_KEY": KEY,
            "ME_STATUS_REQUESTS_PER_MINUTE": "0",
        }
        tokens = [_token(one.account) for one in sources.customers]
        found = Stage(folder, own, environment, sources, free_port(), tokens)
        try:
            yield found
        finally:
            for process in found.readers:
                process.kill()
                process.wait()
            if found.api is not None:
                found.kill_api()


def _token(account: str) -> str:
    return jwt.encode({"sub": account, "exp": int(time.time()) + 86_400}, KEY, algorithm="HS256")
