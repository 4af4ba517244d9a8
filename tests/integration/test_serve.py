"""The installed command `me-status serve`: it answers, and ends well when it is asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def served(database_url: str, port: int, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command, on a fresh database."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ME_STATUS_")}
    environment |= {"DATABASE_URL": database_url, "ME_STATUS_JWT_KEY": "k" * 32}
    command = [Path(sys.executable).parent / "me-status", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    yield process
    process.kill()
    process.wait(10)


def connected(port: int, process: subprocess.Popen[bytes]) -> HTTPConnection:
    """A kept-alive connection to the API, once it listens."""
    for _ in range(600):
        assert process.poll() is None
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return connection
    raise AssertionError("it does not listen after a minute")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_an_ordinary_end(served, port, stop):
    """SIGTERM and SIGINT end the server within seconds, with exit code 0, whoever keeps a connection open."""
    kept_open = connected(port, served)
    served.send_signal(stop)
    assert 0 == served.wait(15)
    kept_open.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_stop_while_it_starts_is_an_ordinary_end_too(served, port):
    """From the moment it listens, before its worker has loaded the application."""
    assert served.stderr is not None
    for line in served.stderr:
        if b"Listening" in line:
            break
    served.terminate()
    assert 0 == served.wait(15)
