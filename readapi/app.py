"""The read API as a WSGI application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import perf_counter

from flask import Flask, Response, g, request

from config import fields, schedule
from config.database import database_url
from config.settings import Settings
from readapi import door, health, hints, notifications, openapi, ops, problems, routes, tokens
from readapi.age import FreshnessLimits
from readapi.connections import Connections
from readapi.front import LARGEST_BODY, Front
from readapi.gauges import Gauges
from readapi.identity import Identity
from readapi.lines import Lines
from readapi.manners import Manners
from readapi.metrics import RequestMetrics
from readapi.ops.facts import Facts
from readapi.rate_limit import RateLimit
from readapi.statements import Statements
from readapi.status import Status
from readapi.threads import Threads
from readapi.tokens import Tokens
from readapi.wsgi import LongWay


def create_front(
    settings: Settings,
    *,
    threads: int,
    is_draining: Callable[[], bool] = lambda: False,
    connections: Connections | None = None,
) -> Front:
    """The application behind what guards its threads, for one worker process. Raises as `create_app` does.

    `is_draining`: whether the process is about to stop, so that /readyz says no.
    """
    verified = tokens.from_settings(settings)
    metrics, manners = RequestMetrics(verified.keys_age), Manners(settings.cors_origins)
    found = connections or Connections(database_url(settings))
    app, status, identity = _create(settings, verified, metrics, manners, found, is_draining)
    per_minute = settings.me_status_requests_per_minute
    limit = RateLimit(per_minute) if per_minute else None
    pool = Threads(threads, "readapi")
    lines = Lines(found, pool, door.STATEMENTS)
    short = door.StatusDoor(lines, status, metrics, manners, portal_users=identity.portal_users)
    count, common = metrics.count, manners.common
    return Front(short, LongWay(app, pool), verified, rate_limit=limit, count=count, common=common)


def create_app(settings: Settings, connections: Connections | None = None) -> Flask:
    """The application alone, on connections of its own unless they are given.

    Raises SettingsError when tokens cannot be verified or a data file is wrong; a database that is away raises nothing.
    """
    verified = tokens.from_settings(settings)
    found = connections or Connections(database_url(settings))
    metrics, manners = RequestMetrics(verified.keys_age), Manners(settings.cors_origins)
    return _create(settings, verified, metrics, manners, found)[0]


def _create(
    settings: Settings,
    verified: Tokens,
    metrics: RequestMetrics,
    manners: Manners,
    connections: Connections,
    is_draining: Callable[[], bool] = lambda: False,
) -> tuple[Flask, Status, Identity]:
    mapping = fields.load(settings.me_status_fields)
    timing = schedule.load(settings.me_status_schedule)
    limits = freshness_limits(timing)
    statements = Statements(connections)
    identity = Identity(verified, statements, portal_users=mapping.account.portal_user_id is not None)
    app = Flask("readapi", static_folder=None, template_folder=".")
    app.url_map.merge_slashes = False  # a redirect would be a page of HTML
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    status, gauges = Status(identity, statements, limits), Gauges(statements, limits)
    app.register_blueprint(routes.blueprint(status))
    app.register_blueprint(notifications.blueprint(identity, statements))
    secret = settings.me_status_hook_secret.get_secret_value() if settings.me_status_hook_secret else None
    app.register_blueprint(
        hints.blueprint(identity, statements, secret=secret, gap_seconds=timing.hints.refresh_gap_seconds)
    )
    app.register_blueprint(health.blueprint(statements, gauges, is_draining))
    app.register_blueprint(openapi.blueprint())
    facts = Facts(statements, gauges, timing, settings.zone)
    app.register_blueprint(ops.blueprint(settings, statements, facts, metrics))
    problems.install(app)
    _count_requests(app, metrics)
    app.wsgi_app = manners.around(app.wsgi_app)  # type: ignore[assignment, method-assign]
    return app, status, identity


def freshness_limits(table: schedule.Schedule) -> FreshnessLimits:
    """The limits that the schedule's data file declares."""
    minutes = table.freshness_minutes
    return FreshnessLimits(
        timedelta(minutes=minutes.salesforce),
        timedelta(minutes=minutes.whmcs),
        timedelta(minutes=minutes.pay_methods),
        timedelta(minutes=minutes.balances),
    )


def _count_requests(app: Flask, metrics: RequestMetrics) -> None:
    @app.before_request
    def start() -> None:
        g.started = perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        metrics.count(route, request.method, response.status_code, perf_counter() - g.started)
        return response
