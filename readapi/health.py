"""Whether this process lives and whether it can answer: for load balancers and supervisors, without any token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import orjson
from flask import Blueprint, Response

from readapi.answers import Answer, instant
from readapi.gauges import Gauges
from readapi.problems import Problem, unavailable
from readapi.statements import Statements

NO_STORE = {"Cache-Control": "no-store"}
ALIVE = Answer(
    200,
    [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Content-Length", "28")],
    b'{"status":"ok","reasons":[]}',
)
"""The answer of /healthz, which nothing is asked for: the front gives it without any thread."""
STOPPING = "This process is stopping; send requests elsewhere."


def blueprint(statements: Statements, gauges: Gauges, is_draining: Callable[[], bool] = lambda: False) -> Blueprint:
    """/healthz: the process answers; /readyz: the database, too, there is something to serve, and no stop is near."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def health() -> Response:
        return ALIVE.as_flask()

    @routes.get("/readyz")
    def ready() -> Response:
        if reasons := [STOPPING] if is_draining() else reasons_not_ready(statements):
            raise unavailable("not-ready", " ".join(reasons), retry_after=5, reasons=reasons)
        now = datetime.now(UTC)
        return _json(
            {
                "status": "ready",
                "reasons": [],
                "sources": {
                    source.name: {
                        "syncedAt": source.synced_at and instant(source.synced_at),
                        "isStale": source.is_stale(now),
                    }
                    for source in gauges.sources()
                },
            }
        )

    return routes


def reasons_not_ready(statements: Statements) -> list[str]:
    """One sentence each; none when the API can answer."""
    try:
        ran = statements.one("ledger/read_first_run")
    except Problem as problem:
        return [problem.detail]
    return [] if ran and ran[0] else ["No run has computed any document yet."]


def _json(body: object) -> Response:
    return Response(orjson.dumps(body), 200, NO_STORE, content_type="application/json")
