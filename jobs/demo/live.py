"""Two customers act while the demo looks on: how many seconds until what they did is served."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from config.errors import MeStatusError
from jobs.commands.token import signed
from jobs.demo.portal.actions import Customer, add_card, pay_invoice
from jobs.demo.portal.app import Portal
from jobs.demo.portal.hints import follow

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
    with _following(portal), httpx.Client(base_url=portal.api, timeout=30, trust_env=False) as api:
        documents = {one: _document(portal, api, one) for one in portal.customers.values() if one.client_id is not None}
        acted = []
        for customer, document in documents.items():
            if (invoice := document["summary"]["nextInvoice"]) is not None:
                unpaid = document["summary"]["stats"]["unpaidInvoices"]
                pay_invoice(portal.stage, customer, str(invoice["id"]))
                is_paid = _differs(lambda found: found["summary"]["stats"]["unpaidInvoices"], unpaid)
                acted.append(Acted("paid an invoice", customer.account_id, _seconds(portal, api, customer, is_paid)))
                break
        for customer, document in list(documents.items())[::-1]:
            if (cards := document["paymentMethods"]["totalCount"]) is not None:
                add_card(portal.stage, customer, "")
                is_added = _differs(lambda found: found["paymentMethods"]["totalCount"], cards)
                acted.append(Acted("added a card", customer.account_id, _seconds(portal, api, customer, is_added)))
                break
        return acted


def _differs(figure: Callable[[Document], Any], before: Any) -> Callable[[Document], bool]:
    return lambda document: figure(document) != before


def _seconds(
    portal: Portal, api: httpx.Client, customer: Customer, is_served: Callable[[Document], bool]
) -> float | None:
    began = time.monotonic()
    api.post("/api/me/refresh", headers=_token(portal, customer))
    while time.monotonic() - began < PATIENCE_SECONDS:
        if is_served(_document(portal, api, customer)):
            return time.monotonic() - began
        time.sleep(LOOK_SECONDS)
    return None


def _document(portal: Portal, api: httpx.Client, customer: Customer) -> Document:
    answer = api.get("/api/me/status", headers=_token(portal, customer))
    if answer.status_code != httpx.codes.OK:
        raise MeStatusError(f"GET /api/me/status answered {answer.status_code}: {answer.text[:200]}")
    document: Document = answer.json()
    return document


def _token(portal: Portal, customer: Customer) -> dict[str, str]:
    token = signed(portal.stage.program.settings, customer.account_id, int(time.time()) + TOKEN_SECONDS)
    return {"Authorization": f"Bearer {token}"}


@contextmanager
def _following(portal: Portal) -> Iterator[None]:
    """Hints are followed as `schedule` does."""
    stop = threading.Event()
    following = threading.Thread(target=follow, args=(portal, stop), name="hints")
    following.start()
    try:
        yield
    finally:
        stop.set()
        following.join()
