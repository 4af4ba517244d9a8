"""The operator's pages: what is the matter, what ran, what is held, and the few things an operator may do about it.

Reading is one secret, acting a second one. An action becomes a row of the append-only record; whoever runs jobs (the
scheduler, or the next `run --slot`) carries it out: this process never does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, render_template, request
from prometheus_client import CONTENT_TYPE_LATEST

from config.health import span as span_of
from config.salesforce_id import completed
from config.settings import Settings
from config.types import SCHEDULED_JOBS
from readapi.metrics import RequestMetrics
from readapi.ops.access import Access, Operator
from readapi.ops.facts import Facts
from readapi.problems import bad_request, not_found
from readapi.statements import Statements

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
}
OF_RUN, OF_JOB = ("release", "discard"), ("pause", "resume", "run")
LONGEST_TEXT = 300
LONGEST_CLIENT_ID = 14


def blueprint(settings: Settings, statements: Statements, facts: Facts, metrics: RequestMetrics) -> Blueprint:
    """/metrics and the pages; 404 when no token is set, 401 without one."""
    routes = Blueprint("ops", __name__)
    access = Access(settings)

    def asking() -> Operator:
        return access.operator(request.headers.get("Authorization"))

    @routes.before_request
    def admit() -> None:
        asking()

    @routes.get("/metrics")
    def show_metrics() -> Response:
        text = metrics.text(facts.gauges, facts.verdict_metrics(datetime.now(UTC)))
        return Response(text, 200, {"Cache-Control": "no-store"}, content_type=CONTENT_TYPE_LATEST)

    @routes.get("/ops")
    def show_overview() -> Response:
        return _page("overview", asking(), facts.zone, **overview(facts, metrics, datetime.now(UTC)))

    @routes.get("/ops/runs/<int:run_id>")
    def show_run(run_id: int) -> Response:
        found = facts.run(run_id)
        if found is None:
            raise not_found("There is no such run; prune forgets them after retention_days.runs.")
        return _page("run", asking(), facts.zone, **found)

    @routes.get("/ops/customers")
    def show_customer() -> Response:
        asked = request.args.get("id", "").strip()
        found = facts.customer(*_ids(asked)) if asked else None
        return _page("customer", asking(), facts.zone, asked=asked, customer=found)

    @routes.post("/ops/actions")
    def act() -> Response:
        operator = asking()
        access.require_form(operator, request.form.get("form_token", ""), request.headers.get("Sec-Fetch-Site"))
        statements.all("operator/insert_action", **_asked_for(operator))
        return _redirected("/ops#decisions")

    @routes.get("/ops/style.css")
    def style() -> Response:
        sheet = files("readapi.ops").joinpath("style.css").read_bytes()
        return Response(sheet, 200, {"Cache-Control": "private, max-age=300"}, content_type="text/css; charset=utf-8")

    return routes


def overview(facts: Facts, metrics: RequestMetrics, now: datetime) -> dict[str, object]:
    """What the first page shows."""
    gauges = facts.gauges
    return {
        "now": now,
        "reasons": facts.verdict(now),
        "sources": gauges.sources(),
        "streams": facts.streams(),
        "fact_ages": gauges.fact_ages(),
        "usages": gauges.usages(),
        "hints_waiting": gauges.waiting_hints(),
        "hint_counts": gauges.hint_counts(),
        "schedulers": facts.schedulers(),
        "jobs": facts.jobs(now),
        "holds": gauges.holds(),
        "totals": dict(gauges.counts("total")),
        "tasks": sorted(gauges.counts("task"), key=lambda task: -task[1]),
        "news": facts.news(),
        "days": facts.days(),
        "problems": facts.problems(),
        "api": metrics.by_route(),
        "recent_runs": gauges.recent_runs(),
        "actions": facts.actions(),
    }


def span(duration: timedelta | None) -> str:
    """A duration for people: "850 ms", "42 s", "17 min", "5 h", "3 days"; "never" for none."""
    if duration is None:
        return "never"
    if duration < timedelta(seconds=1):
        return f"{duration.total_seconds() * 1000:.0f} ms"
    return span_of(duration)


def _page(name: str, operator: Operator, zone: ZoneInfo, **values: object) -> Response:
    """A page; its instants are written in the business zone."""
    values |= {"operator": operator, "zone": zone.key, "local": _local(zone), "span": span}
    page = render_template(f"ops/{name}.html", **values)
    return Response(page, 200, PAGE_HEADERS, content_type="text/html; charset=utf-8")


def _local(zone: ZoneInfo) -> Callable[[datetime | None], str]:
    return lambda moment: "never" if moment is None else moment.astimezone(zone).strftime("%d %b %H:%M:%S")


def _redirected(place: str) -> Response:
    answer = redirect(place, 303)
    return Response(answer.get_data(), 303, {"Location": place, "Cache-Control": "no-store"})


def _ids(asked: str) -> tuple[str | None, int | None]:
    """An Account id or a WHMCS client id, as it was typed; neither for anything else."""
    if asked.isascii() and asked.isdecimal() and len(asked) <= LONGEST_CLIENT_ID:
        return None, int(asked)
    return completed(asked), None


def _asked_for(operator: Operator) -> dict[str, object]:
    """The action that the form names. Raises Problem 400."""
    form = request.form
    action, run_id, job = form.get("action", ""), form.get("run_id", ""), form.get("job", "")
    if action in OF_RUN and run_id.isascii() and run_id.isdecimal() and len(run_id) < 19:
        subject: dict[str, object] = {"run_id": int(run_id), "job": None}
    elif action in OF_JOB and job in SCHEDULED_JOBS:
        subject = {"run_id": None, "job": job}
    else:
        raise bad_request("The form names no action of this page.")
    reason = form.get("reason", "").strip()[:LONGEST_TEXT].replace("\x00", "") or None
    actor = (operator.name.strip() or "operator")[:LONGEST_TEXT].replace("\x00", "")
    return subject | {"action": action, "until": None, "reason": reason, "actor": actor, "origin": "page"}
