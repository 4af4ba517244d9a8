"""The routes of the caller's own state. Each parses, calls, and answers."""

from __future__ import annotations

from flask import Blueprint, Response, request

from readapi.answers import Answer
from readapi.asked import nothing
from readapi.status import Status


def blueprint(status: Status) -> Blueprint:
    """GET /api/me/status and /api/me/summary; HEAD comes with each."""
    routes = Blueprint("me", __name__, url_prefix="/api/me")

    @routes.get("/status")
    def own_status() -> Response:
        answer = status.status(*_asked())
        nothing()
        return _respond(answer)

    @routes.get("/summary")
    def own_summary() -> Response:
        answer = status.summary(*_asked())
        nothing()
        return _respond(answer)

    return routes


def _asked() -> tuple[str | None, str | None]:
    return request.headers.get("Authorization"), request.headers.get("If-None-Match")


def _respond(answer: Answer) -> Response:
    return answer.as_flask()
