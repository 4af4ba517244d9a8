"""The servers that the API works drive, each a process of its own: the product's command, and a WSGI function on the
very same granian with the same worker and threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import jwt

from tests.benchmarks import rivals
from tests.benchmarks.api_load import wait_for
from tests.benchmarks.bench import Bench
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
KEY = "the shared key of the benchmarks, 32 bytes or more"
CONNECTIONS = 8


@dataclass(frozen=True)
class Driven:
    """What the load generator saw."""

    per_second: float
    p50: float
    p99: float
    statuses: dict[str, int]

    def require_only(self, status: int) -> Driven:
        """Raises RuntimeError when any other status came back, or nothing did."""
        if set(self.statuses) != {str(status)}:
            raise RuntimeError(f"expected only {status}, got {self.statuses}")
        return self


@contextmanager
def ours(url: str, workers: int = 1) -> Iterator[int]:
    """`me-status serve` on a database; gives its port."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ME_STATUS_")}
    environment |= {"DATABASE_URL": url, "ME_STATUS_JWT_KEY": KEY}
    yield from _served(
        [sys.executable, "-m", "jobs", "serve", "--port", str(port), "--workers", str(workers)], port, environment
    )


@contextmanager
def bare(target: str, argument: str) -> Iterator[int]:
    """The WSGI function that `target`(argument) gives, such as "tests.benchmarks.api_bare:load"; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.api_bare", target, argument, str(port)]
    yield from _served(command, port, dict(os.environ))


@contextmanager
def bare_on_the_faster(bench: Bench, url: str, requests: Path) -> Iterator[tuple[int, str]]:
    """The bare function on granian or on fastpysgi, whichever is faster with these requests: its port, and words."""
    with ExitStack() as stack:
        granian = stack.enter_context(bare("tests.benchmarks.api_bare:load", url))
        if bench.scale == "tiny":
            yield granian, "granian"
            return
        try:
            python = rivals.python_of(bench, "fastpysgi")
        except subprocess.CalledProcessError:
            yield granian, "granian; fastpysgi could not be installed"
            return
        fastpysgi = stack.enter_context(_on_fastpysgi(python, url))
        seconds = bench.pick(full=5, small=3)
        on_granian, on_fastpysgi = (drive(port, requests, seconds=seconds).per_second for port in (granian, fastpysgi))
        if on_granian >= on_fastpysgi:
            yield granian, f"granian, {on_granian:,.0f} requests/s ({on_fastpysgi:,.0f} on fastpysgi)"
        else:
            yield fastpysgi, f"fastpysgi, {on_fastpysgi:,.0f} requests/s ({on_granian:,.0f} on granian)"


@contextmanager
def _on_fastpysgi(python: Path, url: str) -> Iterator[int]:
    port = free_port()
    yield from _served([str(python), "-m", "tests.benchmarks.rival_fastpysgi", url, str(port)], port, dict(os.environ))


def _served(command: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def drive(port: int, requests: Path, *, seconds: float, rate: float = 0, connections: int = CONNECTIONS) -> Driven:
    """One run of the load generator."""
    arguments = [str(port), str(seconds), str(connections), str(rate), str(requests)]
    command = [sys.executable, "-m", "tests.benchmarks.api_load", *arguments]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=seconds + 60)
    figures = json.loads(ran.stdout)
    return Driven(figures["per_second"], figures["latency"]["50"], figures["latency"]["99"], figures["statuses"])


@contextmanager
def requests_file(customer_ids: Sequence[str], *, tokens_expire_at: int) -> Iterator[Path]:
    """GET /api/me/status once for each id, under a token of its own. Both servers are sent the same bytes."""
    with tempfile.NamedTemporaryFile() as file:
        for customer_id in customer_ids:
            token = jwt.encode({"sub": customer_id, "exp": tokens_expire_at}, KEY, algorithm="HS256")
            file.write(
                b"GET /api/me/status HTTP/1.1\r\nHost: api\r\nX-Customer: %b\r\nAuthorization: Bearer %b\r\n\r\n"
                % (customer_id.encode(), token.encode())
            )
        file.flush()
        yield Path(file.name)
