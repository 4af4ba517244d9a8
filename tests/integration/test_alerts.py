"""A person is told over HTTP, and whoever listens slowly delays nothing."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import Engine, text
from standardwebhooks import Webhook

from config import tables
from config.settings import Settings
from jobs.program import Program
from jobs.runs import alerts

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@dataclass
class Receiver:
    """Verifies what is posted, keeps its id, and answers when it may with the next of its statuses."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            Webhook(SECRET).verify(body, dict(self.headers))
            made.ids.append(self.headers["webhook-id"])
            made.came.set()
            made.may_answer.wait()
            self.send_response(made.statuses.pop(0) if made.statuses else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.may_answer.set()
        server.shutdown()


def program(database_url: str, url: str) -> Program:
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None, database_url=database_url, me_status_alert_url=url, me_status_alert_secret=SECRET
    )
    return Program(settings, tables.load(settings))


def test_a_refused_alert_comes_again_under_its_id_and_is_accepted_once(
    engine: Engine, database_url: str, receiver: Receiver
) -> None:
    """Never synced is not healthy: one change, noted once by however many look."""
    loaded, receiver.statuses = program(database_url, receiver.url), [500]
    alerts.note(engine, loaded, datetime.now(UTC))
    alerts.note(engine, loaded, datetime.now(UTC))
    assert 0 == alerts.send(engine, loaded)
    with engine.begin() as connection:
        connection.execute(text("update pipeline.alert set not_before = clock_timestamp()"))
    assert (1, 0) == (alerts.send(engine, loaded), alerts.send(engine, loaded))
    assert ["msg_1", "msg_1"] == receiver.ids


def test_a_receiver_that_does_not_answer_delays_nothing(engine: Engine, database_url: str, receiver: Receiver) -> None:
    """The look is over while the receiver still holds the request."""
    receiver.may_answer.clear()
    alerts.Bell().look(engine, program(database_url, receiver.url))
    assert receiver.came.wait(60)
    with engine.connect() as connection:
        assert [None] == connection.execute(text("select sent_at from pipeline.alert")).scalars().all()


def test_healthy_at_first_is_not_a_change(
    engine: Engine, database_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is noted, so nothing is sent."""
    monkeypatch.setattr(alerts.health, "verdict", lambda *_: [])
    alerts.note(engine, program(database_url, receiver.url), datetime.now(UTC))
    assert 0 == alerts.send(engine, program(database_url, receiver.url))
    assert [] == receiver.ids
