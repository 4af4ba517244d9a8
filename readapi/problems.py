"""Errors as RFC 9457 problem details, for the routes and for Flask's own errors alike."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from readapi.answers import Answer

CONTENT_TYPE = "application/problem+json"
NO_ADDRESS = "There is nothing at this address; /openapi.json lists what there is."


class Problem(Exception):  # noqa: N818 (RFC 9457's own word)
    """A request that gets no answer: a status, a kind (the last part of `type`), and a sentence for the reader.

    The sentence never repeats what the caller sent: no token, id or name can leak through it.
    """

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = dict(more or {})
        self.repeated: list[tuple[str, str]] = []
        super().__init__(detail)

    def answer(self) -> Answer:
        """The problem as status, headers and body; never to be stored by a cache."""
        body = orjson.dumps(
            {
                "type": f"urn:me-status:problem:{self.kind}",
                "title": self.status.phrase,
                "status": self.status.value,
                "detail": self.detail,
                **self.more,
            }
        )
        headers = [("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-store"), ("Vary", "Authorization")]
        return Answer(self.status.value, [*headers, *self.headers.items(), *self.repeated], body)


def unauthorized(detail: str, *, error: str | None = "invalid_token") -> Problem:
    """401 with the challenge of RFC 6750, section 3; without `error` when the request carried no credentials."""
    challenge = f'Bearer error="{error}", error_description="{detail}"' if error else "Bearer"
    return Problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": challenge})


def bad_request(detail: str, **more: object) -> Problem:
    """400: the request itself is wrong."""
    return Problem(HTTPStatus.BAD_REQUEST, "bad-request", detail, more=more)


def read_only() -> Problem:
    """403 with the challenge of RFC 6750, section 3.1: the token may look and change nothing."""
    detail = "This token may read only: it was issued to look at a customer's state."
    challenge = 'Bearer error="insufficient_scope", scope="me:write"'
    return Problem(HTTPStatus.FORBIDDEN, "read-only", detail, headers={"WWW-Authenticate": challenge})


def not_found(detail: str, kind: str = "not-found") -> Problem:
    """404."""
    return Problem(HTTPStatus.NOT_FOUND, kind, detail)


def unavailable(kind: str, detail: str, *, retry_after: int, **more: object) -> Problem:
    """503; `retry_after` in seconds."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, kind, detail, headers={"Retry-After": str(retry_after)}, more=more)


def install(app: Flask) -> None:
    """Makes every error of the app a problem, those of Flask itself (404, 405, 413, 500) included."""
    app.register_error_handler(Problem, _of_ours)
    app.register_error_handler(HTTPException, _of_flask)
    app.register_error_handler(Exception, _unforeseen)


def _of_ours(problem: Problem) -> Response:
    return problem.answer().as_flask()


def _of_flask(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return Response(error.get_response().response, error.code)
    status = HTTPStatus(error.code)
    kept = {name: value for name, value in error.get_headers() if name == "Allow"}
    return Problem(status, status.name.lower().replace("_", "-"), _detail(status), headers=kept).answer().as_flask()


def unforeseen() -> Problem:
    """500: says nothing of its cause to the caller."""
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something went wrong here; it has been logged.")


def _unforeseen(error: Exception) -> Response:
    from flask import current_app

    current_app.logger.error("request failed: %s", type(error).__name__, exc_info=error)
    return unforeseen().answer().as_flask()


def _detail(status: HTTPStatus) -> str:
    details = {
        HTTPStatus.NOT_FOUND: NO_ADDRESS,
        HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method; the Allow header names those it takes.",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than any this address takes.",
    }
    return details.get(status, status.description or status.phrase)
