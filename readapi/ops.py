"""For the operator alone: /metrics and the page /ops, behind ME_STATUS_OPS_TOKEN."""

from __future__ import annotations

import hmac
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request
from prometheus_client import CONTENT_TYPE_LATEST

from config.settings import Settings
from readapi.gauges import Gauges
from readapi.metrics import RequestMetrics
from readapi.problems import NO_ADDRESS, not_found, unauthorized

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def blueprint(settings: Settings, gauges: Gauges, metrics: RequestMetrics) -> Blueprint:
    """Both routes; 404 when no token is set, 401 without it."""
    routes = Blueprint("ops", __name__)
    token = settings.me_status_ops_token.get_secret_value() if settings.me_status_ops_token else None

    @routes.before_request
    def admit() -> None:
        require(token, request.headers.get("Authorization"))

    @routes.get("/metrics")
    def show_metrics() -> Response:
        return Response(metrics.text(gauges), 200, {"Cache-Control": "no-store"}, content_type=CONTENT_TYPE_LATEST)

    @routes.get("/ops")
    def show_page() -> Response:
        page = render_template("ops.html", **page_values(gauges, settings.me_status_timezone, datetime.now(UTC)))
        return Response(page, 200, PAGE_HEADERS, content_type="text/html; charset=utf-8")

    return routes


def require(token: str | None, authorization: str | None) -> None:
    """Admits the operator. Raises Problem: 404 when no token is set, 401 when it is not the one given.

    Browsers cannot send a bearer token by themselves, so the token may also come as the password of HTTP Basic.
    """
    if token is None:
        raise not_found(NO_ADDRESS)
    if not hmac.compare_digest(_given(authorization or "").encode(), token.encode()):
        problem = unauthorized("This address needs the operator's token.", error=None)
        problem.headers["WWW-Authenticate"] = 'Bearer, Basic realm="me-status operator"'
        raise problem


def page_values(gauges: Gauges, zone: str, now: datetime) -> dict[str, object]:
    """What the page shows. Times are written in the business zone."""
    days = gauges.sent_by_day(zone)
    return {
        "now": now,
        "zone": zone,
        "sources": gauges.sources(),
        "last_runs": gauges.last_runs(),
        "recent_runs": gauges.recent_runs(),
        "holds": gauges.holds(),
        "totals": dict(gauges.counts("total")),
        "tasks": sorted(gauges.counts("task"), key=lambda task: -task[1]),
        "set_aside": gauges.counts("set_aside"),
        "days": days,
        "peak": max([sent for _, sent in days] + [1]),
        "local": lambda moment: moment.astimezone(ZoneInfo(zone)).strftime("%d %b %H:%M"),
        "span": span,
    }


def span(duration: timedelta | None) -> str:
    """A duration for people: "850 ms", "42 s", "17 min", "5 h", "3 days"; "never" for none."""
    if duration is None:
        return "never"
    seconds = duration.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} days"


def _given(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
