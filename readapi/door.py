"""The short way to GET /api/me/status: the very functions the Flask route calls, without WSGI and Flask around them.

Flask spends more time on routing and its contexts than this request spends in the database, and WSGI costs some more.
Everything but a plain GET or HEAD of this one path goes on to Flask, so that taking the door away changes nothing but
speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING

from readapi.answers import Answer
from readapi.manners import Manners, RequestHead
from readapi.metrics import RequestMetrics
from readapi.problems import Problem
from readapi.status import Status
from readapi.wsgi import call, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian.rsgi import Scope

PATH = "/api/me/status"


class StatusDoor:
    """What answers every request: this one itself, all others by the WSGI application `behind`."""

    def __init__(self, behind: WSGIApplication, status: Status, metrics: RequestMetrics, manners: Manners) -> None:
        self._behind = behind
        self._status = status
        self._metrics = metrics
        self._manners = manners

    def answer(self, scope: Scope, body: bytes) -> Answer:
        """The whole answer. After an unforeseen error here Flask meets it again, logs it and makes it a problem."""
        items = scope.headers.items()
        headers = dict(items)
        is_plain = not scope.query_string and len(headers) == len(items)  # what comes twice is WSGI's to join
        if is_plain and scope.path == PATH and scope.method in ("GET", "HEAD"):
            with suppress(Exception):
                return self._short(scope.method, headers)
        return call(self._behind, environ_of(scope, items, body))

    def _short(self, method: str, headers: Mapping[str, str]) -> Answer:
        request_id, origin = headers.get("x-request-id"), headers.get("origin")
        head = RequestHead(method, PATH, request_id, origin, headers.get("accept-encoding"))
        return self._manners.answer(head, lambda: self._own_status(method, headers))

    def _own_status(self, method: str, headers: Mapping[str, str]) -> Answer:
        started = perf_counter()
        try:
            answer = self._status.status(headers.get("authorization"), headers.get("if-none-match"))
        except Problem as problem:
            answer = problem.answer()
        self._metrics.count(PATH, method, answer.status, perf_counter() - started)
        return _sent(answer, method)


def _sent(answer: Answer, method: str) -> Answer:
    """With its length, unless it is without content by its status; HEAD gets the length and not the body."""
    if answer.status == HTTPStatus.NOT_MODIFIED:
        return answer
    length = ("Content-Length", str(len(answer.body)))
    return Answer(answer.status, [*answer.headers, length], b"" if method == "HEAD" else answer.body)
