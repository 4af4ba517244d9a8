"""The document: valid, in order, honest about what is not known, and exact about when it changes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from materializer.rules.document import build
from materializer.rules.facts import Facts
from materializer.rules.rules import Rules
from tests import builders
from tests.builders import NOON, account, card, case, change, facts, invoice, order, service, unlinked

SECTIONS = ("summary", "internetEligibility", "residenceCardVerification", "paymentMethods")
FRESHNESS = {
    "computedAt": "2026-03-10T12:00:00Z",
    "salesforceSyncedAt": None,
    "whmcsSyncedAt": None,
    "isStale": False,
    "asOf": dict.fromkeys(SECTIONS),
}
ZONES = ("UTC", "Asia/Tokyo", "America/Santiago", "Pacific/Chatham", "Africa/Cairo")


@cache
def rules(zone: str = "UTC") -> Rules:
    return builders.rules(zone)


@cache
def validator() -> Draft202012Validator:
    schema = json.loads(files("readapi").joinpath("me-status.schema.json").read_bytes())
    return Draft202012Validator(schema, format_checker=FormatChecker())


def document(known: Facts, now: datetime = NOON) -> dict[str, Any]:
    """The document as JSON gives it, checked against the published schema."""
    decoded: dict[str, Any] = json.loads(build(known, rules(), now).body)
    validator().validate(decoded | {"freshness": FRESHNESS})
    return decoded


days = st.dates(date(2026, 2, 1), date(2026, 5, 1))
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis wants naive bounds
invoices = st.builds(
    invoice,
    st.integers(1, 9),
    status=st.sampled_from(["Unpaid", "Unpaid", "Paid", "Draft", "Mystery", None]),
    invoice_number=st.none() | st.just("INV-7"),
    due_on=st.none() | days,
    invoiced_on=st.none() | days,
    created_at=st.none() | instants,
    paid_at=st.none() | instants,
    total=st.none() | st.decimals(Decimal("-10"), Decimal("99999"), places=2),
    currency=st.sampled_from(["JPY", "JPY", "EUR", None]),
)
services = st.builds(service, st.integers(1, 4), status=st.sampled_from(["Active", "Pending", "Cancelled", None]))
orders = st.builds(order, stage=st.sampled_from(["draft", "in_progress", "approved", "failed", "unknown"]))
everything = st.builds(
    facts,
    account=st.builds(
        account,
        eligibility_status=st.sampled_from(["not_requested", "pending", "eligible", "unknown"]),
        eligibility_checked_at=st.none() | instants,
        verification_status=st.sampled_from(["rejected", "verified", "unknown"]),
    ),
    orders=st.none() | st.lists(orders, max_size=2, unique_by=lambda one: one.order_id),
    cases=st.none() | st.lists(st.builds(case, is_closed=st.sampled_from([True, False, None])), max_size=1),
    invoices=st.none() | st.lists(invoices, max_size=5, unique_by=lambda one: one.invoice_id),
    services=st.none() | st.lists(services, max_size=3, unique_by=lambda one: one.service_id),
    pay_methods=st.none() | st.lists(st.just(card()), max_size=1),
    pay_methods_read_at=st.none() | st.just(NOON),
)


@given(everything, instants)
def test_every_document_is_valid(known: Facts, now: datetime) -> None:
    """Whatever is known, the document keeps to the published schema."""
    document(known, now)


@given(everything, instants, st.sampled_from(ZONES), st.floats(0, 1, exclude_max=True))
def test_it_changes_at_next_change_at_and_not_before(known: Facts, now: datetime, zone: str, share: float) -> None:
    """The same bytes until next_change_at, others at it; the same for ever where there is none."""
    made = build(known, rules(zone), now)
    until = made.next_change_at or now + timedelta(days=400)
    assert now < until
    before = min(now + share * (until - now), until - timedelta(microseconds=1))  # the product may round up to `until`
    assert made.body == build(known, rules(zone), before).body
    assert made.body == build(known, rules(zone), until - timedelta(microseconds=1)).body
    assert (made.body != build(known, rules(zone), until).body) == (made.next_change_at is not None)


def test_parts_stand_in_the_order_of_the_schema() -> None:
    """Names come in the order in which the schema requires them."""
    schema = validator().schema
    made = document(facts(invoices=[invoice(due_on=date(2026, 3, 9))]))
    assert schema["required"][:-1] == list(made)
    assert schema["$defs"]["task"]["required"] == list(made["tasks"][0])
    assert schema["$defs"]["summary"]["properties"]["stats"]["required"] == list(made["summary"]["stats"])


def test_nothing_of_billing_is_known_without_a_client() -> None:
    """Unlinked: every figure of billing is null, never 0."""
    made = document(unlinked())
    expected = dict.fromkeys(("activeSubscriptions", "unpaidInvoices", "overdueInvoices", "amountDue", "currency"))
    assert expected | {"openCases": 0, "openOrders": 0} == made["summary"]["stats"]
    assert made["paymentMethods"] == {"totalCount": None}


@pytest.mark.parametrize(
    ("expected", "link"),
    [("linked", "linked"), ("none", "none"), ("in_doubt", "dangling"), ("in_doubt", "conflict")],
)
def test_billing_says_why_it_cannot_be_shown(expected: str, link: str) -> None:
    """An empty link is known to be none; a link that leads nowhere, or to two, is in doubt."""
    assert {"state": expected} == document(facts(link=link))["billing"]


def test_known_to_be_none_is_zero() -> None:
    """Linked and empty: 0 and "0.00", no currency to name."""
    stats = document(facts())["summary"]["stats"]
    assert (0, 0, 0, "0.00", None) == tuple(stats.values())[:5]


def test_a_record_without_a_status_is_unknown_and_not_none() -> None:
    """It may count, so its figures are not known; other kinds are, and what is readable is a task all the same."""
    due = date(2026, 3, 9)
    made = document(
        facts(
            invoices=[invoice(1, status=None), invoice(2, due_on=due)],
            services=[service(1), service(2, status=None)],
            orders=[order(stage="unknown")],
            cases=[],
        )
    )
    stats = made["summary"]["stats"]
    assert (None, None, None, None) == tuple(
        stats[name] for name in ("unpaidInvoices", "amountDue", "activeSubscriptions", "openOrders")
    )
    assert (0, None, ["invoice-2"]) == (
        stats["openCases"],
        made["summary"]["nextInvoice"],
        [task["id"] for task in made["tasks"]],
    )


def test_amounts_keep_their_digits() -> None:
    """The sum is exact decimal text in the currency of the invoices."""
    made = document(facts(invoices=[invoice(1, total=Decimal("0.10")), invoice(2, total=Decimal("3300.00"))]))
    assert ("3300.10", "JPY") == (made["summary"]["stats"]["amountDue"], made["summary"]["stats"]["currency"])


def test_amounts_of_two_currencies_are_not_added() -> None:
    """Different currencies: no sum, no currency."""
    made = document(facts(invoices=[invoice(1), invoice(2, currency="EUR")]))
    assert (None, None) == (made["summary"]["stats"]["amountDue"], made["summary"]["stats"]["currency"])


def test_the_next_invoice_is_due_first_and_then_has_the_lowest_id() -> None:
    """Earliest due date, ties by id; drafts do not count."""
    due = date(2026, 3, 9)
    many = [invoice(5, due_on=due), invoice(4, due_on=due), invoice(1), invoice(2, status="Draft", due_on=due)]
    made = document(facts(invoices=many))
    expected = {
        "id": 4,
        "number": None,
        "dueDate": "2026-03-09",
        "amount": "3300.00",
        "currency": "JPY",
        "isOverdue": True,
    }
    assert expected == made["summary"]["nextInvoice"]


def test_activity_is_the_newest_ten_first() -> None:
    """Ten at most, newest first."""
    many = [case(f"50000000000{n:04}AAA", created_at=NOON - timedelta(hours=n)) for n in range(12)]
    activity = document(facts(cases=many))["summary"]["recentActivity"]
    assert [f"50000000000{n:04}AAA" for n in range(10)] == [item["relatedId"] for item in activity]
    assert activity[0]["occurredAt"] == "2026-03-10T12:00:00Z"


def test_a_cancelled_service_shows_when_a_pull_saw_it() -> None:
    """WHMCS gives no date of cancellation; its activation stays in view."""
    known = facts(services=[service(status="Cancelled")], service_changes=[change(7, "Active", "Cancelled", NOON)])
    activity = document(known)["summary"]["recentActivity"]
    assert ["service_cancelled", "service_activated"] == [item["type"] for item in activity]
