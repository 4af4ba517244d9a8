"""`me-status serve` as a process of its own, and a wire to its database that can be cut and held."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import psycopg
from sqlalchemy import make_url

from tests.ports import free_port

KEY = "a shared key of the tests, 32 bytes or more"
OPERATOR = "the operator's token, of 32 bytes or more"


class Served:
    """A running server: its port, and what it said on standard error once it ended."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self._log = log
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)

    def log(self) -> str:
        """Everything said so far."""
        return self._log.read_text()

    def raw(self, request: bytes) -> socket.socket:
        """A connection on which these bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(request)
        return connection


@contextmanager
def serving(folder: Path, port: int | None = None, **settings: str) -> Iterator[Served]:
    """The command under these settings, on a free port unless one is given, once it answers /healthz."""
    port = port or free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ME_STATUS_")}
    environment |= {"ME_STATUS_OPS_TOKEN": OPERATOR, **settings}
    if "ME_STATUS_JWKS_URL" not in settings:
        environment["ME_STATUS_JWT_KEY"] = KEY
    log = folder / "serve.log"
    command = [sys.executable, "-m", "jobs", "serve", "--port", str(port)]
    with log.open("wb") as errors:
        root = Path(__file__).parents[3]
        process = subprocess.Popen(command, cwd=root, env=environment, stderr=errors)
        served = Served(process, port, log)
        try:
            _wait(served)
            yield served
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def _wait(served: Served) -> None:
    for _ in range(1200):
        assert served.process.poll() is None, served.log()
        with suppress(httpx.HTTPError):
            if served.client.get("/healthz").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"it does not answer: {served.log()}")


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """Status and everything that came until the peer closed or nothing more comes."""
    received = b""
    while b"\r\n\r\n" not in received or not _is_whole(received):
        part = connection.recv(65536)
        if not part:
            break
        received += part
    return int(received[9:12] or 0), received


def _is_whole(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    return len(body) >= int(length.split(b":")[1])


class Wire:
    """A TCP way to a database that can be cut (connections end, new ones are refused) and held (nothing passes)."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as direct:
            self._host, self._port = direct.info.host, direct.info.port
        self._open: list[socket.socket] = []
        self._flows = Event()
        self._flows.set()
        self._listener: socket.socket | None = None
        self.port = free_port()
        self.url = make_url(url).set(host="127.0.0.1", port=self.port, query={}).render_as_string(hide_password=False)

    def restore(self) -> None:
        """Lets connections through, from now on and until the next cut."""
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Ends every connection and refuses new ones."""
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def hold(self) -> None:
        """From now on nothing passes, and nobody is told: as a server that was stopped."""
        self._flows.clear()

    def release(self) -> None:
        """What was held passes."""
        self._flows.set()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = self._connected()
                self._open += [near, far]
                for source, target in ((near, far), (far, near)):
                    Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _connected(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return far

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                self._flows.wait()
                target.sendall(part)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def bearer(token: str) -> dict[str, Any]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}
