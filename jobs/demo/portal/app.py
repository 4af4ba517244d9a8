"""The portal's own small backend: its three files, tokens for the customer picked, and the buttons of the demo.

A real portal's backend has the second part alone: it knows who is logged in, and mints a short token for that customer.
Everything else the page asks of me-status itself. It listens on loopback only and answers to no other name.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

import sql
from config.errors import MeStatusError
from jobs.commands.token import signed
from jobs.demo.portal.actions import ACTIONS, ONE_DAY, Clock, Customer, NotPossibleError, a_night, language_of, name_of
from jobs.demo.stage import Stage
from jobs.runs.ledger import RunOptions
from jobs.runs.run import by_hand

TOKEN_MINUTES = 10
MOST_OF_A_KIND = 3
FILES = {
    "index.html": "text/html; charset=utf-8",
    "portal.css": "text/css; charset=utf-8",
    "portal.js": "text/javascript; charset=utf-8",
}
HOSTS = ("127.0.0.1", "localhost")


class Portal:
    """The demo's stage as the portal uses it; one action at a time. `api`: where the read API is served."""

    def __init__(self, stage: Stage, api: str) -> None:
        self.stage = stage
        self.api = api
        self.clock = Clock(stage)
        self.lock = threading.Lock()
        self.customers = {one.account_id: one for one in self._customers()}

    def act(self, name: str, customer: Customer, value: str) -> None:
        """Does what the button says, in the stand-ins alone. Raises NotPossibleError."""
        with self.lock:
            self.clock.now()
            ACTIONS[name](self.stage, customer, value)

    def pass_a_day(self, customer: Customer) -> None:
        """Moves the demo's time by a day, lets the night do its work, and runs the jobs once."""
        with self.lock:
            self.clock.ahead += ONE_DAY
            now = self.clock.now()
            a_night(self.stage, customer)
            by_hand(self.stage.engine, self.stage.program, "all", RunOptions(), now)

    def _customers(self) -> list[Customer]:
        with self.stage.engine.connect() as connection:
            rows = connection.execute(sql.statement("demo/list_customers_to_show"), {"most": MOST_OF_A_KIND}).all()
        return [Customer(row.customer_id, row.whmcs_client_id, name_of(self.stage, row.customer_id)) for row in rows]


def create(portal: Portal) -> Flask:
    """The application."""
    app = Flask("portal", static_folder=None)
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' {portal.api};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    @app.before_request
    def only_this_machine() -> None:
        if request.host.rpartition(":")[0] not in HOSTS or request.headers.get("Sec-Fetch-Site", "same-origin") not in (
            "same-origin",
            "none",
        ):
            abort(HTTPStatus.FORBIDDEN)

    @app.get("/")
    def page() -> Response:
        return _file("index.html")

    @app.get("/<name>")
    def file(name: str) -> Response:
        return _file(name)

    @app.get("/demo/customers")
    def customers() -> Response:
        return jsonify([{"id": one.account_id, "name": one.name} for one in portal.customers.values()])

    @app.post("/demo/session")
    def session() -> Response:
        customer, _ = _asked(portal)
        expires_at = int(time.time()) + TOKEN_MINUTES * 60
        token = signed(portal.stage.program.settings, customer.account_id, expires_at)
        language = language_of(portal.stage, customer.account_id)
        return jsonify({"api": portal.api, "token": token, "expiresAt": expires_at, "language": language})

    @app.post("/demo/day")
    def day() -> Response:
        portal.pass_a_day(_asked(portal)[0])
        return jsonify({})

    @app.post("/demo/act/<name>")
    def act(name: str) -> Response:
        if name not in ACTIONS:
            abort(HTTPStatus.NOT_FOUND)
        portal.act(name, *_acted(portal, name))
        return jsonify({})

    def _acted(portal: Portal, name: str) -> tuple[Customer, str]:
        customer, given = _asked(portal)
        return customer, str(given.get("value", ""))

    @app.errorhandler(NotPossibleError)
    def not_possible(error: MeStatusError) -> tuple[Response, int]:
        return jsonify({"detail": str(error)}), HTTPStatus.CONFLICT

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int]:
        return jsonify({"detail": error.name}), error.code or HTTPStatus.INTERNAL_SERVER_ERROR

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    return app


def _asked(portal: Portal) -> tuple[Customer, dict[str, Any]]:
    """The customer a JSON body names, and the body. A page of another origin cannot send JSON without asking first."""
    given = request.get_json()
    customer = portal.customers.get(str(given.get("customer"))) if isinstance(given, dict) else None
    if customer is None:
        abort(HTTPStatus.NOT_FOUND)
    return customer, given


def _file(name: str) -> Response:
    if name not in FILES:
        abort(HTTPStatus.NOT_FOUND)
    return Response(files("jobs.demo.portal").joinpath(name).read_bytes(), content_type=FILES[name])
