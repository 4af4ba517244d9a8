"""Callers that drip, flood, invent and idle, over real sockets: everybody else is served meanwhile."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from tests.integration.api.conftest import ALICE, BOB, Rows, token_for
from tests.integration.api.serving import OPERATOR, Served, answer_of, bearer, serving

pytestmark = pytest.mark.xdist_group("hostile callers")  # one server for all of them
CAROL = "001000000000003AAA"
READ_ALL = "POST /api/notifications/read-all HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"


@pytest.fixture(scope="module")
def served(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server, with three customers; tests that use up a rate use CAROL's."""
    rows = Rows(module_database_url)
    rows.run()
    for customer in (ALICE, BOB, CAROL):
        rows.customer(customer)
    rows.connection.close()
    folder = tmp_path_factory.mktemp("serve")
    with serving(folder, DATABASE_URL=module_database_url, ME_STATUS_REQUESTS_PER_MINUTE="60") as served:
        yield served


class Drip:
    """A body that comes at a byte every half second and never ends, until its connection does."""

    def __init__(self, served: Served, path: str, token: str) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 9000\r\n\r\n"
        self.connection = served.raw(head.encode())
        self._over = Event()
        Thread(target=self._send, daemon=True).start()

    def answer(self) -> int:
        """The status that ends it."""
        status, _ = answer_of(self.connection)
        self._over.set()
        return status

    def _send(self) -> None:
        try:
            while not self._over.wait(0.5):
                self.connection.sendall(b" ")
        except OSError:
            return


def test_slow_bodies_hold_nobody_up(served):
    """Sixteen endless bodies of one customer and of nobody: others, and she herself, are served; each ends with 408."""
    token = token_for(ALICE)
    drips = [Drip(served, "/api/notifications/read-all", token) for _ in range(12)]
    drips += [Drip(served, "/healthz/nothing", "forged") for _ in range(4)]
    for customer in (BOB, ALICE):
        assert 200 == served.client.get("/api/me/status", headers=bearer(token_for(customer))).status_code
    assert 200 == served.client.get("/healthz").status_code
    assert {408} == {drip.answer() for drip in drips}


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ("Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n", 411),
        ("Content-Length: 20000\r\n", b"x" * 20000, 413),
        ("Content-Length: 999999999999999999999\r\n", b"", 400),
        ("Content-Length: -1\r\n", b"", 400),
        ("Content-Length: 50\r\n", b'{"upTo": "2026-03-01T00:00:00Z"}', 400),
        ("Content-Length: 2\r\nContent-Length: 3\r\n", b"{}", 400),
        ("Content-Length: 2\r\n", b"{}", 204),
    ],
    ids=["chunked", "large", "absurd", "negative", "cut short", "two lengths", "good"],
)
def test_a_body_is_read_whole_or_refused(served, headers, body, status):
    """No body is cut in silence: what cannot be read whole within 16 KiB is refused with the reason."""
    request = (READ_ALL.format(token=token_for(ALICE)) + headers + "\r\n").encode() + body
    connection = served.raw(request)
    if status == 400:
        connection.shutdown(socket.SHUT_WR)
    assert status == answer_of(connection)[0]


def test_a_customer_has_a_rate_and_others_theirs(served):
    """Beyond the allowance 429 says when to ask again, and what the policy is; another customer is not touched."""
    headers = bearer(token_for(CAROL))
    answers = [served.client.get("/api/notifications", headers=headers) for _ in range(80)]
    statuses = [answer.status_code for answer in answers]
    assert {200, 429} == set(statuses)
    assert 60 <= statuses.count(200)
    refused = answers[statuses.index(429)]
    assert "application/problem+json" == refused.headers["Content-Type"]
    assert int(refused.headers["Retry-After"]) > 0
    assert '"customer";q=60;w=60' == refused.headers["RateLimit-Policy"]
    assert refused.headers["RateLimit"].startswith('"customer";r=0;t=')
    assert answers[0].headers["RateLimit"].startswith('"customer";r=59;t=')
    assert 200 == served.client.get("/api/me/status", headers=bearer(token_for(BOB))).status_code


def test_invented_methods_and_paths_make_no_series(served):
    """Labels of metrics come from fixed sets: what a caller invents is "other" and "none"."""
    for number in range(20):
        served.client.request(f"INVENTED{number}", f"/made/up/{number}")
    text = served.client.get("/metrics", headers=bearer(OPERATOR)).text
    assert "INVENTED" not in text
    assert "made" not in text
    assert 'me_status_http_requests_total{method="other",route="none",status="404"} 20.0' in text


def test_idle_connections_keep_nobody_out(served):
    """Beside hundreds of connections that say nothing, or half a head, a new one is served."""
    idle = [served.raw(b"" if number % 2 else b"GET / HTTP/1.1\r\nX: ") for number in range(600)]
    assert 200 == served.client.get("/api/me/status", headers=bearer(token_for(ALICE))).status_code
    for connection in idle:
        connection.close()


def test_every_answer_has_the_security_headers(served):
    """Those of the door, of Flask, of the front, and of /healthz; a page for people has a policy of its own."""
    asked = {
        "/api/me/status": (200, bearer(token_for(ALICE))),
        "/api/me/summary": (401, {}),
        "/healthz": (200, {}),
        "/ops": (200, bearer(OPERATOR)),
    }
    for path, (status, headers) in asked.items():
        answer = served.client.get(path, headers=headers)
        assert status == answer.status_code
        assert "nosniff" == answer.headers["X-Content-Type-Options"]
        expected = "same-origin" if path == "/ops" else "no-referrer"  # its buttons are judged by where they came from
        assert expected == answer.headers["Referrer-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert 1 == len(answer.headers.get_list("Content-Security-Policy"))
    refused = served.raw(b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    status, received = answer_of(refused)
    assert 411 == status
    assert b"nosniff" in received


def test_a_head_says_what_a_get_would(served):
    """HEAD has the length of the body it leaves out."""
    headers = bearer(token_for(ALICE))
    got, head = (served.client.request(method, "/api/me/status", headers=headers) for method in ("GET", "HEAD"))
    assert (200, b"") == (head.status_code, head.content)
    assert str(len(got.content)) == head.headers["Content-Length"]


def test_its_log_is_ours(served):
    """Workers and the server itself write JSON lines on standard error."""
    lines = served.log().splitlines()
    assert any("Listening at" in line for line in lines)
    assert {"{"} == {line[0] for line in lines}
