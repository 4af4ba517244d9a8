"""What every answer of the API has in common: its request's id, compression when asked for, and who may read it where.

Around all that answers, so that no route has to think of it.
"""

from __future__ import annotations

import gzip
import logging
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING

from structlog.contextvars import bound_contextvars

from config import logs
from readapi.answers import Answer
from readapi.wsgi import call

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logs.get("api")
listening = logging.getLogger("me_status.api")
"""The logger under `log`: asking it whether anybody listens costs a request a tenth of asking `log`."""
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
SMALLEST_COMPRESSED = 860
"""Bytes below which a compressed answer saves no packet."""
COMPRESSIBLE = ("application/json", "application/problem+json", "text/")
SHARED = "/api/"
"""What other origins may ask for, where the setting names them."""
ALLOWED = [
    ("Access-Control-Allow-Methods", "GET, HEAD, POST"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, X-Request-Id"),
    ("Access-Control-Max-Age", "600"),
]
EXPOSED = (
    "ETag, Link, Me-Status-As-Of, Me-Status-Stale, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, "
    "X-Poll-Interval, X-Request-Id"
)


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What of a request its manners depend on; None: it has no such header."""

    method: str
    path: str
    origin: str | None
    accept_encoding: str | None


class Manners:
    """What is common to all answers; `origins`: whose pages may read them (exact origins, none by default)."""

    def __init__(self, origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origins)

    def around(self, behind: WSGIApplication) -> WSGIApplication:
        """A WSGI application that answers as the one behind it does, with manners."""

        def answering(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            head = RequestHead(
                environ["REQUEST_METHOD"],
                environ.get("PATH_INFO", ""),
                environ.get("HTTP_ORIGIN"),
                environ.get("HTTP_ACCEPT_ENCODING"),
            )
            request_id, started = request_id_of(environ.get("HTTP_X_REQUEST_ID")), perf_counter()
            with bound_contextvars(request_id=request_id):
                answer = self._preflight(environ) or bare(call(behind, environ))
            answer = self.finish(head, request_id, answer, perf_counter() - started)
            start_response(STATUS_LINES[answer.status], answer.headers)
            return [answer.body]

        return answering

    def finish(self, head: RequestHead, request_id: str, answer: Answer, seconds: float) -> Answer:
        """The answer with a line of log, in gzip where that is wanted, and with the common headers."""
        _note(head, request_id, answer, seconds)
        answer = compressed(answer, head.accept_encoding)
        headers = [*answer.headers, *self.common(head.path, head.origin, request_id)]
        return Answer(answer.status, headers, answer.body)

    def common(self, path: str, origin: str | None, request_id: str) -> list[tuple[str, str]]:
        """The request's id, and the headers by which a browser lets a page of that origin read the answer."""
        headers = [("X-Request-Id", request_id)]
        if not self._origins or not path.startswith(SHARED):
            return headers
        headers.append(("Vary", "Origin"))
        if origin in self._origins:
            headers += [("Access-Control-Allow-Origin", str(origin)), ("Access-Control-Expose-Headers", EXPOSED)]
        return headers

    def _preflight(self, environ: WSGIEnvironment) -> Answer | None:
        """The answer to a browser that asks first; None for any other request, and for origins that are not named."""
        if environ["REQUEST_METHOD"] != "OPTIONS" or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in environ:
            return None
        if not environ.get("PATH_INFO", "").startswith(SHARED) or environ.get("HTTP_ORIGIN") not in self._origins:
            return None
        return Answer(204, ALLOWED, b"")


def request_id_of(given: str | None) -> str:
    """The caller's X-Request-Id where it is one word of up to 128 usual characters, else a new one."""
    return given if given is not None and REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def bare(answer: Answer) -> Answer:
    """An answer without content says nothing of its type; that includes what Flask answers to OPTIONS by itself."""
    is_allow = answer.status == 200 and not answer.body and any(name == "Allow" for name, _ in answer.headers)
    status = 204 if is_allow else answer.status
    if status not in (204, 304):
        return answer
    dropped = ("content-type", "content-length")
    return Answer(status, [header for header in answer.headers if header[0].lower() not in dropped], b"")


def compressed(answer: Answer, accept_encoding: str | None) -> Answer:
    """The answer in gzip when the caller takes it and it is worth it; tags are weak, so they stay."""
    kind = next((value for name, value in answer.headers if name == "Content-Type"), "")
    if not kind.startswith(COMPRESSIBLE):
        return answer
    headers = [*answer.headers, ("Vary", "Accept-Encoding")]
    if len(answer.body) < SMALLEST_COMPRESSED or not accept_encoding or not takes_gzip(accept_encoding):
        return Answer(answer.status, headers, answer.body)
    body = gzip.compress(answer.body, compresslevel=5, mtime=0)
    kept = [header for header in headers if header[0] != "Content-Length"]
    return Answer(answer.status, [*kept, ("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))], body)


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header takes gzip (RFC 9110, section 12.5.3): named, or by `*`, and not with q=0."""
    taken: dict[str, bool] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        taken[coding.strip()] = not re.fullmatch(r"q=0(\.0*)?", weight.replace(" ", ""))
    return taken.get("gzip", taken.get("*", False))


def _note(head: RequestHead, request_id: str, answer: Answer, seconds: float) -> None:
    """One line of log: what was asked and answered. A read that went well is logged at level debug alone."""
    is_usual = answer.status < 400 and head.method in ("GET", "HEAD", "OPTIONS")
    if is_usual and not listening.isEnabledFor(logging.DEBUG):
        return
    note = log.debug if is_usual else log.info
    path = head.path[:100]  # without its query, and cut short: it may hold anything
    ms = round(seconds * 1000, 1)
    note("answered", request_id=request_id, method=head.method, path=path, status=answer.status, ms=ms)
