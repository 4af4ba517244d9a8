"""The short way to GET /api/me/status answers what Flask's route answers, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from flask import request, request_started

from config.settings import Settings
from readapi.app import create_front
from readapi.front import Front
from tests.integration.api.conftest import ALICE, BOB, KEY, document_of, token_for

PORTAL = "https://portal.example"
PATH = "/api/me/status"
LONG_WAY = [("x-twice", "1"), ("x-twice", "2")]
"""A header that comes twice is WSGI's to join, whatever its name."""


class Headers(list[tuple[str, str]]):
    """Headers as granian gives them."""

    def get(self, name: str, default: str | None = None) -> str | None:
        return dict(self).get(name, default)

    def items(self) -> list[tuple[str, str]]:
        return self

    def __contains__(self, name: object) -> bool:
        return any(name == given for given, _ in self)


@pytest.fixture
def ask(database_url, connections, rows) -> Iterator[Callable[..., tuple[Any, ...]]]:
    """Asks the application as `serve` runs it, with one customer; gives status, headers and body."""
    rows.run()
    rows.customer(ALICE, document_of(ALICE, notes="long " * 400))
    options = {"me_status_jwt_key": KEY, "me_status_cors_origins": PORTAL, "me_status_requests_per_minute": 0}
    settings = Settings(_env_file=None, database_url=database_url, **options)
    front = create_front(settings, threads=1, connections=connections)
    with asyncio.Runner() as runner:
        yield partial(_ask, runner, front)
        front.__rsgi_del__(runner.get_loop())


@pytest.fixture
def by_flask() -> Iterator[list[str]]:
    """The paths that Flask was asked for."""
    paths: list[str] = []

    def note(*_: object, **__: object) -> None:
        paths.append(request.path)

    with request_started.connected_to(note):
        yield paths


def _ask(runner: asyncio.Runner, front: Front, method: str, headers: list[tuple[str, str]]) -> tuple[Any, ...]:
    given = Headers([("x-request-id", "trace"), *headers])
    ends = {"server": "127.0.0.1:8000", "client": "127.0.0.1:9000", "scheme": "http", "http_version": "1.1"}
    scope = SimpleNamespace(path=PATH, method=method, query_string="", headers=given, **ends)
    answered: list[tuple[Any, ...]] = []
    protocol = SimpleNamespace(response_bytes=lambda *parts: answered.append(parts))
    runner.run(front.__rsgi__(scope, protocol))  # type: ignore[arg-type]
    return answered[0]


def test_both_ways_answer_the_same(ask, by_flask):
    """Status, headers in their order, and body; only the second request of each pair reaches Flask."""
    alice, bob, nobody = ([("authorization", f"Bearer {token_for(subject)}")] for subject in (ALICE, BOB, ""))
    requests = [
        (200, alice),
        (200, [*alice, ("accept-encoding", "gzip"), ("origin", PORTAL)]),
        (200, [*alice, ("if-none-match", '"another"'), ("origin", "https://evil.example")]),
        (304, [*alice, ("if-none-match", "*"), ("accept-encoding", "gzip")]),
        (401, []),
        (401, [*nobody, ("origin", PORTAL)]),
        (404, bob),
    ]
    for method, (status, headers) in product(("GET", "HEAD"), requests):
        by_flask.clear()
        short = ask(method, headers)
        assert (status, []) == (short[0], by_flask)
        assert short == ask(method, [*headers, *LONG_WAY])
        assert [PATH] == by_flask
