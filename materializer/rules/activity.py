"""Recent activity: the newest things that happened with a customer's invoices, services, orders and cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

from msgspec import Struct

from config.wording import Copy
from materializer.rules.calendar import moment_of
from materializer.rules.facts import Case, Facts, Invoice, Order, Service, ServiceChange
from materializer.rules.prose import money
from materializer.snapshot.streams import ENDED_SERVICE

MOST = 10
ONCE_ACTIVE = frozenset({"Active", "Suspended", "Completed", "Terminated"})


class Activity(Struct, frozen=True, gc=False, rename="camel"):
    """One thing that happened, in the order of the published schema."""

    id: str
    type: str
    title: str
    description: str | None
    occurred_at: datetime
    related_id: str | int


def newest(events: list[Activity], now: datetime) -> list[Activity]:
    """The newest ten at `now`, newest first (ties by id); what is dated later has not happened."""
    past = sorted((event for event in events if event.occurred_at <= now), key=attrgetter("id"))
    return sorted(past, key=attrgetter("occurred_at"), reverse=True)[:MOST]


def happened(facts: Facts, zone: ZoneInfo, copy: Copy) -> list[Activity]:
    """Everything of note that is known of the customer's records, in no order, the future included.

    An invoice without a time of creation counts from the start of its date, a service from its registration date
    unless a pull saw it become active. WHMCS gives no date of cancellation: what counts is when a pull saw it.
    Instants have whole milliseconds.
    """
    found: list[Activity] = []
    for invoice in facts.invoices or ():
        found += _invoice(invoice, zone, copy)
    for service in facts.services or ():
        found += _service(service, facts.service_changes, zone, copy)
    for order in facts.orders or ():
        found += _order(order, zone, copy)
    for case in facts.cases or ():
        found += _case(case, copy)
    return found


def _invoice(invoice: Invoice, zone: ZoneInfo, copy: Copy) -> Iterator[Activity]:
    number, related = invoice.shown_number, invoice.invoice_id
    amount = None if invoice.total is None else money(invoice.total, invoice.currency, copy.language)
    created_at = invoice.created_at or _start(invoice.invoiced_on, zone)
    if created_at is not None and invoice.status != "Draft":
        yield Activity(
            f"invoice-{related}-created",
            "invoice_created",
            copy.activity.invoice_created.format(number=number),
            amount,
            created_at,
            related,
        )
    if invoice.paid_at is not None and invoice.status == "Paid":
        yield Activity(
            f"invoice-{related}-paid",
            "invoice_paid",
            copy.activity.invoice_paid.format(number=number),
            amount,
            invoice.paid_at,
            related,
        )


def _service(service: Service, changes: list[ServiceChange], zone: ZoneInfo, copy: Copy) -> Iterator[Activity]:
    activated_at, ended, related = None, None, service.service_id
    for change in changes:
        if change.service_id != related:
            continue
        if change.new_value == "Active" and change.old_value != "Suspended":
            activated_at = _in_milliseconds(change.observed_at)
        elif change.new_value in ENDED_SERVICE and change.old_value not in ENDED_SERVICE:
            ended = change
    if activated_at is None and (service.status_known in ONCE_ACTIVE or (ended and ended.old_value in ONCE_ACTIVE)):
        activated_at = _start(service.registered_on, zone)
    if activated_at is not None:
        yield Activity(
            f"service-{related}-activated",
            "service_activated",
            copy.activity.service_activated,
            service.product_name,
            activated_at,
            related,
        )
    if ended is not None:
        yield Activity(
            f"service-{related}-cancelled",
            "service_cancelled",
            copy.activity.service_cancelled,
            service.product_name,
            _in_milliseconds(ended.observed_at),
            related,
        )


def _order(order: Order, zone: ZoneInfo, copy: Copy) -> Iterator[Activity]:
    created_at = order.created_at or _start(order.effective_on, zone)
    if created_at is not None and order.stage != "draft":
        title = copy.activity.order_created.format(number=order.order_number or order.order_id)
        yield Activity(f"order-{order.order_id}-created", "order_created", title, None, created_at, order.order_id)


def _case(case: Case, copy: Copy) -> Iterator[Activity]:
    number, related = case.case_number or case.case_id, case.case_id
    if case.created_at is not None:
        yield Activity(
            f"case-{related}-created",
            "case_created",
            copy.activity.case_created.format(number=number),
            case.subject,
            case.created_at,
            related,
        )
    if case.closed_at is not None and case.is_closed:
        yield Activity(
            f"case-{related}-closed",
            "case_closed",
            copy.activity.case_closed.format(number=number),
            case.subject,
            case.closed_at,
            related,
        )


def _start(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else moment_of(day, 0, zone)


def _in_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
