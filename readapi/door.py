"""The short way to GET /api/me/status: what the Flask route answers, without a thread, WSGI and Flask.

A thread takes as long to hand a request to as the database takes to answer it, Flask spends longer on routing and its
contexts, and WSGI costs some more. Whatever is not a plain GET or HEAD of a customer's own status, answered as it is
every day, goes the long way, so that taking the door away changes nothing but speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING

from config import salesforce_id
from readapi.answers import Answer
from readapi.identity import PORTAL_USER
from readapi.lines import Lines, Unusual
from readapi.manners import Manners, RequestHead, request_id_of
from readapi.metrics import RequestMetrics
from readapi.status import READ, SYNCED, Status
from readapi.together import Together

if TYPE_CHECKING:
    from granian.rsgi import Scope

PATH = "/api/me/status"
STATEMENTS = (READ, SYNCED, PORTAL_USER)
"""What its lines have to know."""


class StatusDoor:
    """Answers one request in the event loop. `portal_users`: as Identity's."""

    def __init__(
        self, lines: Lines, status: Status, metrics: RequestMetrics, manners: Manners, *, portal_users: bool
    ) -> None:
        self._lines = lines
        self._documents = Together(lines, READ)
        self._status = status
        self._metrics = metrics
        self._manners = manners
        self._portal_users = portal_users

    async def answer(self, scope: Scope, subject: str) -> Answer | None:
        """The whole answer to the subject of a verified token.

        None: the request goes the long way, which also tells of what nobody foresaw here.
        """
        if scope.path != PATH or scope.query_string or scope.method not in ("GET", "HEAD"):
            return None
        items = scope.headers.items()
        headers = dict(items)
        if len(headers) != len(items):  # what comes twice is WSGI's to join
            return None
        with suppress(Exception):
            return await self._short(scope.method, headers, subject)
        return None

    def close(self) -> None:
        """Ends the lines."""
        self._lines.close()

    async def _short(self, method: str, headers: Mapping[str, str], subject: str) -> Answer:
        started = perf_counter()
        answer = _sent(await self._own_status(subject, headers.get("if-none-match")), method)
        seconds = perf_counter() - started
        self._metrics.count(PATH, method, answer.status, seconds)
        head = RequestHead(method, PATH, headers.get("origin"), headers.get("accept-encoding"))
        return self._manners.finish(head, request_id_of(headers.get("x-request-id")), answer, seconds)

    async def _own_status(self, subject: str, if_none_match: str | None) -> Answer:
        """Raises Unusual for whoever is not simply a customer."""
        customer_id = await self._customer(subject)
        synced = self._status.synced() or self._status.keep_synced(await self._lines.all(SYNCED))
        row = await self._documents.row(customer_id)
        if row is None:
            raise Unusual
        return self._status.answer(row, synced, if_none_match)

    async def _customer(self, subject: str) -> str:
        if not self._portal_users:
            customer_id = salesforce_id.completed(subject)
        else:
            found = await self._lines.all(PORTAL_USER, subject) if subject.isprintable() else []
            customer_id = found[0][0] if len(found) == 1 else None
        if customer_id is None:
            raise Unusual
        return customer_id


def _sent(answer: Answer, method: str) -> Answer:
    """With its length, unless it is without content by its status; HEAD gets the length and not the body."""
    if answer.status == HTTPStatus.NOT_MODIFIED:
        return answer
    length = ("Content-Length", str(len(answer.body)))
    return Answer(answer.status, [*answer.headers, length], b"" if method == "HEAD" else answer.body)
