"""The read API as a WSGI application."""

from __future__ import annotations

from datetime import timedelta
from time import perf_counter

from flask import Flask, Response, g, request

from config import fields, schedule
from config.database import database_url
from config.settings import Settings
from readapi import health, hints, notifications, openapi, ops, problems, routes, tokens
from readapi.answers import FreshnessLimits
from readapi.door import StatusDoor
from readapi.gauges import Gauges
from readapi.identity import Identity
from readapi.metrics import RequestMetrics
from readapi.statements import Pool, Statements, open_pool
from readapi.status import Status

LARGEST_BODY = 16 * 1024
CONNECTIONS = 4


def create_app(settings: Settings, pool: Pool | None = None) -> Flask:
    """The application, on a pool of its own unless one is given (as `statements.open_pool` makes it).

    Raises SettingsError when tokens cannot be verified or a data file is wrong; a database that is down raises nothing.
    """
    mapping = fields.load(settings.me_status_fields)
    timing = schedule.load(settings.me_status_schedule)
    verified = tokens.from_settings(settings)
    statements = Statements(pool or open_pool(database_url(settings), connections=CONNECTIONS))
    identity = Identity(verified, statements, portal_users=mapping.account.portal_user_id is not None)
    return _assemble(settings, statements, identity, timing)


def freshness_limits(table: schedule.Schedule) -> FreshnessLimits:
    """The limits that the schedule's data file declares."""
    minutes = table.freshness_minutes
    return FreshnessLimits(timedelta(minutes=minutes.salesforce), timedelta(minutes=minutes.whmcs))


def _assemble(settings: Settings, statements: Statements, identity: Identity, timing: schedule.Schedule) -> Flask:
    app = Flask("readapi", static_folder=None, template_folder=".")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    limits = freshness_limits(timing)
    status, gauges, metrics = Status(identity, statements, limits), Gauges(statements, limits), RequestMetrics()
    app.register_blueprint(routes.blueprint(status))
    app.register_blueprint(notifications.blueprint(identity, statements))
    secret = settings.me_status_hook_secret.get_secret_value() if settings.me_status_hook_secret else None
    app.register_blueprint(
        hints.blueprint(identity, statements, secret=secret, gap_seconds=timing.hints.refresh_gap_seconds)
    )
    app.register_blueprint(health.blueprint(statements, gauges))
    app.register_blueprint(openapi.blueprint())
    app.register_blueprint(ops.blueprint(settings, gauges, metrics))
    problems.install(app)
    _count_requests(app, metrics)
    app.wsgi_app = StatusDoor(app.wsgi_app, status, metrics)  # type: ignore[method-assign]
    return app


def _count_requests(app: Flask, metrics: RequestMetrics) -> None:
    @app.before_request
    def start() -> None:
        g.started = perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        metrics.count(route, request.method, response.status_code, perf_counter() - g.started)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
