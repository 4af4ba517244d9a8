"""The installed command `me-status serve`: it answers, and ends well when it is asked to."""

from __future__ import annotations

import json
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

from tests.ports import free_port

HOOKS = "ME_STATUS_HOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"


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


def detail_of_readyz(port: int) -> str:
    """What a new connection is told."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/readyz")
    with connection.getresponse() as answer:
        assert 503 == answer.status
        return str(json.loads(answer.read())["detail"])


def test_settings_are_read_again_on_sighup_all_or_nothing(served, port, tmp_path):
    """A wrong value keeps the old settings, and is named; right ones reach the workers."""
    connected(port, served).close()
    (tmp_path / ".env").write_text(HOOKS + "ME_STATUS_LANGUAGE=xx\n")
    served.send_signal(signal.SIGHUP)
    assert any(b"the old ones stay" in line and b"ME_STATUS_LANGUAGE" in line for line in served.stderr)
    assert 404 == status_of_hook(connected(port, served))
    (tmp_path / ".env").write_text(HOOKS)
    served.send_signal(signal.SIGHUP)
    assert any(b"Stopped old worker" in line for line in served.stderr)
    assert 401 == status_of_hook(connected(port, served))


def status_of_hook(connection: HTTPConnection) -> int:
    connection.request("POST", "/hooks/whmcs", body="{}", headers={"Content-Type": "application/json"})
    with connection.getresponse() as answer:
        return answer.status


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_an_ordinary_end(served, port, stop):
    """SIGTERM and SIGINT end the server within seconds, with exit code 0, whoever keeps a connection open."""
    kept_open = connected(port, served)
    served.send_signal(stop)
    if stop == signal.SIGTERM:  # two seconds in which it serves, and says that it will not for long
        assert "stopping" in detail_of_readyz(port)
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
