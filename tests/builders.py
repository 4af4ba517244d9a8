"""Builders: a valid default of each fact, taking only what a test is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from config import notifications, tasks, wording
from config.schedule import Freshness
from materializer.rules.facts import (
    Account,
    Case,
    Facts,
    Invoice,
    Order,
    PayMethod,
    Pending,
    Reminder,
    Service,
    ServiceChange,
    Unresolved,
)
from materializer.rules.reminders import FreshFacts
from materializer.rules.rules import Rules

CUSTOMER = "001000000000001AAA"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""A quiet moment: 2026-03-10 12:00 UTC."""
TODAY = date(2026, 3, 10)
LIMITS = Freshness(salesforce=60, whmcs=60, pay_methods=1560, balances=1560)
ALL_FRESH = FreshFacts(True, datetime(1900, 1, 1, tzinfo=UTC))


def rules(zone: str = "UTC", language: wording.Language = "en", **invoice_due: Any) -> Rules:
    """The packaged rules in `zone`; keywords replace settings of INVOICE_DUE."""
    packaged = notifications.load()
    types = packaged.types | {"INVOICE_DUE": packaged.types["INVOICE_DUE"].model_copy(update=invoice_due)}
    return Rules(packaged.model_copy(update={"types": types}), tasks.load(), ZoneInfo(zone), wording.load(language))


def account(**given: Any) -> Account:
    """An account that asked for nothing yet."""
    return Account(**{"eligibility_status": "not_requested", "verification_status": "not_submitted"} | given)


def invoice(invoice_id: int = 1042, **given: Any) -> Invoice:
    """An unpaid invoice of 3300.00 JPY, due in 30 days."""
    default = {
        "status": "Unpaid",
        "invoiced_on": date(2026, 3, 1),
        "due_on": date(2026, 4, 9),
        "total": Decimal("3300.00"),
        "currency": "JPY",
        "created_at": datetime(2026, 3, 1, 1, tzinfo=UTC),
    }
    return Invoice(invoice_id, **default | given)


def order(order_id: str = "801000000000001AAA", **given: Any) -> Order:
    """An order in progress."""
    default = {"stage": "in_progress", "order_number": "00000100", "created_at": datetime(2026, 3, 2, tzinfo=UTC)}
    return Order(order_id, **default | given)


def case(case_id: str = "500000000000001AAA", **given: Any) -> Case:
    """An open case."""
    default = {"is_closed": False, "case_number": "00001", "created_at": datetime(2026, 3, 3, tzinfo=UTC)}
    return Case(case_id, **default | given)


def service(service_id: int = 7, **given: Any) -> Service:
    """An active service."""
    default = {"status": "Active", "product_name": "Home Internet", "registered_on": date(2026, 1, 5)}
    values = default | given
    return Service(service_id, status_known=values.pop("status_known", values["status"]), **values)


def card(pay_method_id: int = 3, **given: Any) -> PayMethod:
    """A card that expires in years."""
    return PayMethod(pay_method_id, **{"card_last_four": "4242", "expires_on": date(2029, 12, 31)} | given)


def facts(**given: Any) -> Facts:
    """A linked customer of whom everything is known: one card, nothing else."""
    default: dict[str, Any] = {
        "account": account(),
        "link": "linked",
        "client_id": 101,
        "orders": [],
        "cases": [],
        "invoices": [],
        "services": [],
        "pay_methods": [card()],
        "pay_methods_read_at": NOON,
        "cancelled_services": [],
    }
    return Facts(CUSTOMER, **default | given)


def unlinked(**given: Any) -> Facts:
    """A customer without a client: nothing is known of billing."""
    billing = dict.fromkeys(("client_id", "invoices", "services", "pay_methods", "cancelled_services"))
    return facts(**billing | {"link": "none", "pay_methods_read_at": None} | given)


def pending(kind: str, entity_id: object = CUSTOMER, transition_id: int = 1) -> Pending:
    """An observed transition that calls for a notification."""
    return Pending(transition_id, str(entity_id), kind)


def unresolved(kind: str, source_id: object = CUSTOMER) -> Unresolved:
    """A notification that was sent and is not resolved."""
    return Unresolved(kind, str(source_id))


def reminder(kind: str, source_id: object, at: datetime | None = None, **given: Any) -> Reminder:
    """A reminder that was sent at `at`."""
    return Reminder(kind, str(source_id), at, **given)


def change(service_id: int, old: str | None, new: str, at: datetime = NOON) -> ServiceChange:
    """A service's change of status that a pull observed."""
    return ServiceChange(service_id, old, new, at)
