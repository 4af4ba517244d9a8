"""The database refused, hung, late and back again, on a real server: answers in plain 503, and recovery by itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from config.errors import DatabaseAway, MeStatusError
from readapi.connections import Connections
from readapi.server import require_free
from tests.integration.api.conftest import ALICE, Rows, token_for
from tests.integration.api.serving import Served, Wire, bearer, serving


@pytest.fixture
def wire(database_url: str) -> Iterator[Wire]:
    """The way to the test's database, cut at first."""
    wire = Wire(database_url)
    yield wire
    wire.release()


def until(is_so: Callable[[], bool]) -> None:
    """Asks until it is so; a minute is for the slowest machine."""
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("a minute was not enough")


def test_the_server_starts_first_and_recovers_by_itself(wire, rows: Rows, tmp_path):
    """No database at the start, then one, cut, back, held, back: 503 with Retry-After or 200, /healthz always 200."""
    rows.run()
    rows.customer(ALICE)
    headers = bearer(token_for(ALICE))
    with serving(tmp_path, DATABASE_URL=wire.url, ME_STATUS_REQUESTS_PER_MINUTE="0") as served:

        def status() -> int:
            return served.client.get("/api/me/status", headers=headers).status_code

        require_away(served, headers)
        wire.restore()
        until(lambda: 200 == status())
        wire.cut()
        require_away(served, headers)
        wire.restore()
        until(lambda: 200 == status())
        wire.hold()
        require_away(served, headers)
        wire.release()
        until(lambda: 200 == status())
        assert "password" not in served.log()


def require_away(served: Served, headers: dict[str, str]) -> None:
    """503 on every route that needs the database, and nothing wrong with the process itself."""
    for path in ("/api/me/status", "/api/notifications"):
        answer = served.client.get(path, headers=headers)
        assert (503, "urn:me-status:problem:database-down") == (answer.status_code, answer.json()["type"])
        assert int(answer.headers["Retry-After"]) > 0
    assert ["The database does not answer."] == served.client.get("/readyz").json()["reasons"]
    assert 200 == served.client.get("/healthz").status_code


def test_while_it_is_known_to_be_away_nothing_is_asked(wire):
    """The breaker: after the first failure statements fail without a connection; the search finds it again."""
    connections = Connections(wire.url)
    with pytest.raises(DatabaseAway):
        connections.run(b"select 1", {})
    wire.restore()

    def answers() -> bool:
        try:
            return connections.run(b"select 1", {}) == [(1,)]
        except DatabaseAway:
            return False

    until(answers)
    connections.close()


def test_a_lost_connection_is_replaced_at_once(wire, rows: Rows):
    """A restart between two statements costs nobody an error."""
    wire.restore()
    connections = Connections(wire.url)
    (before,) = connections.run(b"select pg_backend_pid()", {})
    rows.connection.execute("select pg_terminate_backend(%s)", before)
    (after,) = connections.run(b"select pg_backend_pid()", {})
    assert before != after
    connections.close()


def test_a_statement_that_hangs_ends_by_our_own_clock(wire, monkeypatch):
    """A server that neither answers nor ends a statement is away once our deadline is over."""
    monkeypatch.setattr("readapi.connections.STATEMENT_SECONDS", 0.5)
    wire.restore()
    connections = Connections(wire.url)
    assert [(1,)] == connections.run(b"select 1", {})
    wire.hold()
    with pytest.raises(DatabaseAway):
        connections.run(b"select 1", {})
    connections.close()


def test_a_statement_that_the_server_ends_is_no_breaker(database_url):
    """statement_timeout and lock_timeout are the server's own words: the next statement is asked."""
    connections = Connections(database_url)
    connections.run(b"select set_config('statement_timeout', '50ms', false)", {})
    with pytest.raises(Exception, match="statement timeout"):
        connections.run(b"select pg_sleep(10)", {})
    assert [(1,)] == connections.run(b"select 1", {})
    connections.close()


def test_a_port_that_cannot_be_had_is_said_in_plain_words():
    """Taken, or not of this machine: which one it is, and what to give instead."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MeStatusError, match=rf"port {port} of \S+ is in use"):
            require_free("127.0.0.1", port)
    with pytest.raises(MeStatusError, match=r"192\.0\.2\.1 is not an address of this machine"):
        require_free("192.0.2.1", 8000)
    require_free("127.0.0.1", port)
