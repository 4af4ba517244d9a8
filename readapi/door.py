"""The short way to GET /api/me/status: the very functions the Flask route calls, without Flask around them.

Flask spends more time on routing and its contexts than this request spends in the database. Everything but a GET or
HEAD of this one path goes on to Flask, so that taking the door away changes nothing but speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING

from readapi.answers import Answer
from readapi.metrics import RequestMetrics
from readapi.problems import Problem
from readapi.status import Status

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/api/me/status"
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class StatusDoor:
    """A WSGI application in front of `behind`."""

    def __init__(self, behind: WSGIApplication, status: Status, metrics: RequestMetrics) -> None:
        self._behind = behind
        self._status = status
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._behind(environ, start_response)
        if environ.get("QUERY_STRING"):  # no parameter is known here: Flask's route says so
            return self._behind(environ, start_response)
        started = perf_counter()
        try:
            answer = self._answer(environ)
        except Exception:  # noqa: BLE001 (Flask meets it again, logs it and makes it a problem)
            return self._behind(environ, start_response)
        self._metrics.count(PATH, environ["REQUEST_METHOD"], answer.status, perf_counter() - started)
        return _send(answer, environ["REQUEST_METHOD"], start_response)

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        try:
            return self._status.status(environ.get("HTTP_AUTHORIZATION"), environ.get("HTTP_IF_NONE_MATCH"))
        except Problem as problem:
            return problem.answer()


def _send(answer: Answer, method: str, start_response: StartResponse) -> list[bytes]:
    headers = answer.headers
    if answer.status != HTTPStatus.NOT_MODIFIED:
        headers = [*headers, ("Content-Length", str(len(answer.body)))]
    start_response(STATUS_LINES[answer.status], headers)
    return [] if method == "HEAD" else [answer.body]
