"""Hints from outside: a customer's own request to be read again, and the hooks of WHMCS and Salesforce.

A hint names whom to read again and is believed in nothing else, so that one forged, late or repeated costs a few calls
to the sources and changes no answer.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from flask import Blueprint, Response, request
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug.datastructures import Headers

from config import salesforce_id
from readapi.answers import instant
from readapi.asked import nothing
from readapi.identity import Identity
from readapi.problems import NO_ADDRESS, Problem, bad_request, not_found, unauthorized
from readapi.statements import Statements

MOST_IDS = 200
LARGEST_CLIENT_ID = 2**63 - 1


class Named(NamedTuple):
    """Whom a hook's body names: Account ids of 18 characters, WHMCS client ids."""

    accounts: list[str]
    clients: list[int]


def blueprint(identity: Identity, statements: Statements, *, secret: str | None, gap_seconds: int) -> Blueprint:
    """POST /api/me/refresh, one per customer in `gap_seconds`, and POST /hooks/whmcs and /hooks/salesforce.

    Without a `secret` the hooks answer 404.
    """
    routes = Blueprint("hints", __name__)

    @routes.post("/api/me/refresh")
    def refresh() -> Response:
        account = identity.account(request.headers.get("Authorization"))
        nothing()
        return _request_refresh(statements, account, gap_seconds)

    @routes.post("/hooks/whmcs")
    def whmcs() -> Response:
        return hook("whmcs")

    @routes.post("/hooks/salesforce")
    def salesforce() -> Response:
        return hook("salesforce")

    def hook(origin: str) -> Response:
        if secret is None:
            raise not_found(NO_ADDRESS)
        body = request.get_data(cache=False)
        admit(secret, body, request.headers)
        named = named_in(body)
        noted = statements.one(
            "hints/insert_hints", account_ids=named.accounts, client_ids=named.clients, origin=origin
        )
        assert noted is not None
        return _accepted(noted[0])

    return routes


def _request_refresh(statements: Statements, account: str, gap_seconds: int) -> Response:
    found = statements.one("hints/request_refresh", account_id=account, gap_seconds=gap_seconds)
    is_admitted, requested_at, wait_seconds = found or (False, None, gap_seconds)
    if is_admitted:
        return _accepted(requested_at)
    raise Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-refreshes",
        f"A refresh was requested a moment ago and is under way; ask again in {wait_seconds} s.",
        headers={"Retry-After": str(wait_seconds)},
    )


def _accepted(requested_at: Any) -> Response:
    body = orjson.dumps({"requestedAt": instant(requested_at)})
    headers = {"Cache-Control": "no-store", "Vary": "Authorization"}
    return Response(body, HTTPStatus.ACCEPTED, headers, content_type="application/json")


def admit(secret: str, body: bytes, headers: Headers) -> None:
    """Admits a body signed by Standard Webhooks, or sent with the whole secret as bearer token.

    Raises Problem (401), the same whatever is wrong: missing, forged or too old.
    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), secret.encode()):
        return
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        raise unauthorized("This address needs a signature, or the hooks' secret.", error=None) from None


def named_in(body: bytes) -> Named:
    """Whom the body names. Raises Problem: 400 when it is malformed, 413 when it names more than 200."""
    try:
        given = orjson.loads(body)
    except ValueError:
        raise bad_request("The body is not JSON.") from None
    if not isinstance(given, dict) or not {"accountIds", "clientIds"} & set(given):
        raise bad_request('The body has to be {"clientIds": [...]} or {"accountIds": [...]}.')
    accounts, clients = _listed(given, "accountIds"), _listed(given, "clientIds")
    if len(accounts) + len(clients) > MOST_IDS:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-many-ids", f"A hint names up to {MOST_IDS} ids.")
    return Named(
        [_account_id(value, place) for place, value in enumerate(accounts)],
        [_client_id(value, place) for place, value in enumerate(clients)],
    )


def _listed(given: dict[str, Any], name: str) -> Sequence[Any]:
    value = given.get(name, [])
    if not isinstance(value, list):
        raise bad_request(f"{name} has to be a list.")
    return value


def _account_id(value: Any, place: int) -> str:
    found = salesforce_id.completed(value) if isinstance(value, str) else None
    if found is None:
        raise bad_request(f"accountIds[{place}] has to be an Account id of 15 or 18 characters.")
    return found


def _client_id(value: Any, place: int) -> int:
    """The client id; as text too, since PHP is not strict about it."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    is_text = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20
    found = int(value) if is_number or is_text else 0
    if not 0 < found <= LARGEST_CLIENT_ID:
        raise bad_request(f"clientIds[{place}] has to be a WHMCS client id, a whole number from 1 on.")
    return found
