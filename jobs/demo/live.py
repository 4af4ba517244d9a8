"""Two customers act while the demo looks on: how many seconds until what they did is served."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from config.errors import MeStatusError
from jobs.commands.token import signed
from jobs.demo.portal.actions import Customer, add_card, pay_invoice
from jobs.demo.portal.app import Portal
from jobs.demo.portal.hints import following

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.1
TOKEN_SECONDS = 600
Document = dict[str, Any]


@dataclass(frozen=True)
class Acted:
    """What a customer did, and the seconds until GET /api/me/status said so; None: not within a minute."""

    what: str
    customer: str
    seconds: float | None


def act(portal: Portal) -> list[Acted]:
    """Somebody pays an invoice, somebody adds a card; each then asks for a refresh, as a portal does."""
    with following(portal), httpx.Client(base_url=portal.api, timeout=30, trust_env=False) as api:
        documents = {one: document(portal, api, one) for one in portal.customers.values() if one.client_id is not None}
        did = (
            _pays(portal, api, documents.items()),
            _adds_a_card(portal, api, reversed(documents.items())),
        )
        return [acted for acted in did if acted is not None]


def _pays(portal: Portal, api: httpx.Client, customers: Iterable[tuple[Customer, Document]]) -> Acted | None:
    for customer, found in customers:
        if (invoice := found["summary"]["nextInvoice"]) is not None:
            pay_invoice(portal.stage, customer, str(invoice["id"]))
            is_paid = _differs(lambda later: later["summary"]["stats"]["unpaidInvoices"], found)
            return Acted("paid an invoice", customer.account_id, _seconds(portal, api, customer, is_paid))
    return None


def _adds_a_card(portal: Portal, api: httpx.Client, customers: Iterable[tuple[Customer, Document]]) -> Acted | None:
    for customer, found in customers:
        if found["paymentMethods"]["totalCount"] is not None:
            add_card(portal.stage, customer, "")
            is_added = _differs(lambda later: later["paymentMethods"]["totalCount"], found)
            return Acted("added a card", customer.account_id, _seconds(portal, api, customer, is_added))
    return None


def _differs(figure: Callable[[Document], Any], before: Document) -> Callable[[Document], bool]:
    return lambda later: bool(figure(later) != figure(before))


def _seconds(
    portal: Portal, api: httpx.Client, customer: Customer, is_served: Callable[[Document], bool]
) -> float | None:
    began = time.monotonic()
    api.post("/api/me/refresh", headers=_token(portal, customer))
    while time.monotonic() - began < PATIENCE_SECONDS:
        if is_served(document(portal, api, customer)):
            return time.monotonic() - began
        time.sleep(LOOK_SECONDS)
    return None


def document(portal: Portal, api: httpx.Client, customer: Customer) -> Document:
    """One GET /api/me/status over HTTP. Raises MeStatusError when it is not answered with 200."""
    answer = api.get("/api/me/status", headers=_token(portal, customer))
    if answer.status_code != httpx.codes.OK:
        raise MeStatusError(f"GET /api/me/status answered {answer.status_code}: {answer.text[:200]}")
    found: Document = answer.json()
    return found


def _token(portal: Portal, customer: Customer) -> dict[str, str]:
    token = signed(portal.stage.program.settings, customer.account_id, int(time.time()) + TOKEN_SECONDS)
    return {"Authorization": f"Bearer {token}"}
