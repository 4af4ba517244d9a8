"""The short way to GET /api/me/status answers what Flask's route answers, byte for byte, or leaves it to Flask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from importlib.resources import files
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
Ask = Callable[[str, list[tuple[str, str]]], tuple[Any, ...]]
"""From a method and headers to status, headers and body."""
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
def opened(database_url, connections, rows) -> Iterator[Callable[..., Ask]]:
    """Gives a way to ask the application as `serve` runs it, with one customer, once its lines are there."""
    rows.run()
    rows.customer(ALICE, document_of(ALICE, notes="long " * 400))
    options = {"me_status_jwt_key": KEY, "me_status_cors_origins": PORTAL, "me_status_requests_per_minute": 0}
    with asyncio.Runner() as runner, ExitStack() as stack:

        def open_with(**more: object) -> Ask:
            settings = Settings(_env_file=None, database_url=database_url, **options | more)  # type: ignore[arg-type]
            front = create_front(settings, threads=1, connections=connections)
            stack.callback(lambda: front.__rsgi_del__(runner.get_loop()))
            ask = partial(_ask, runner, front)
            ask("GET", [("authorization", f"Bearer {token_for(ALICE)}")])  # which has it connect
            runner.run(_connected(front))
            return ask

        yield open_with


async def _connected(front: Front) -> None:
    lines = front._door._lines
    while len(lines._lines) < lines._count:
        await asyncio.sleep(0.01)


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


def test_both_ways_answer_the_same(opened, by_flask):
    """Status, headers in their order, and body; only the second request of each pair reaches Flask."""
    ask = opened()
    alice = [("authorization", f"Bearer {token_for(ALICE)}")]
    requests = [
        (200, alice),
        (200, [*alice, ("accept-encoding", "gzip"), ("origin", PORTAL)]),
        (200, [*alice, ("if-none-match", '"another"'), ("origin", "https://evil.example")]),
        (304, [*alice, ("if-none-match", "*"), ("accept-encoding", "gzip")]),
    ]
    for method, (status, headers) in product(("GET", "HEAD"), requests):
        by_flask.clear()
        short = ask(method, headers)
        assert (status, []) == (short[0], by_flask)
        assert short == ask(method, [*headers, *LONG_WAY])
        assert [PATH] == by_flask


def test_whoever_is_not_simply_a_customer_goes_the_long_way(opened, by_flask):
    """A stranger gets 404, and who brings no good token 401; all from Flask."""
    ask = opened()
    assert 404 == ask("GET", [("authorization", f"Bearer {token_for(BOB)}")])[0]
    assert 404 == ask("GET", [("authorization", f"Bearer {token_for('nobody')}")])[0]
    assert 401 == ask("GET", [])[0]
    assert 401 == ask("HEAD", [("authorization", f"Bearer {token_for('')}"), ("origin", PORTAL)])[0]
    assert [PATH] * 4 == by_flask[-4:]


def test_portal_users_go_the_short_way_too(opened, rows, tmp_path, by_flask):
    """Where the mapping names the field of their ids; one that nobody holds is Flask's to refuse."""
    mapping = tmp_path / "fields.toml"
    mapping.write_text(
        files("config").joinpath("fields.toml").read_text().replace("# portal_user_id =", "portal_user_id =")
    )
    rows.portal_user(ALICE, "portal-1")
    ask = opened(me_status_fields=mapping)
    by_flask.clear()
    assert 200 == ask("GET", [("authorization", f"Bearer {token_for('portal-1')}")])[0]
    assert [] == by_flask
    assert 404 == ask("GET", [("authorization", f"Bearer {token_for('portal-2')}")])[0]
    assert [PATH] == by_flask
