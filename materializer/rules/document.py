"""The status document of one customer: its bytes, the columns beside it, and when it next changes by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from hashlib import blake2b
from itertools import chain
from typing import TypeVar

from msgspec import Struct
from msgspec.json import Encoder

from materializer.rules.about import amount_text
from materializer.rules.activity import Activity, happened, newest
from materializer.rules.calendar import moment_of, today
from materializer.rules.facts import Account, BillingState, Facts, Invoice
from materializer.rules.rules import Rules
from materializer.rules.tasks import Task, payment_method_count, tasks_of
from materializer.snapshot.streams import UNKNOWN

Record = TypeVar("Record")


class Stats(Struct, frozen=True, gc=False, rename="camel"):
    """The figures of the dashboard; None: not known."""

    active_subscriptions: int | None
    unpaid_invoices: int | None
    overdue_invoices: int | None
    amount_due: str | None
    currency: str | None
    open_cases: int | None
    open_orders: int | None


class NextInvoice(Struct, frozen=True, gc=False, rename="camel"):
    """The unpaid invoice with the earliest due date (ties: lowest id); `amount` is its balance."""

    id: int
    number: str | None
    due_date: date
    amount: str
    currency: str | None
    is_overdue: bool


class Summary(Struct, frozen=True, gc=False, rename="camel"):
    """The body of GET /api/me/summary."""

    stats: Stats
    next_invoice: NextInvoice | None
    recent_activity: list[Activity]


class InternetEligibility(Struct, frozen=True, gc=False, rename="camel"):
    """Internet eligibility, as Salesforce has it."""

    status: str
    eligibility: str | None
    requested_at: datetime | None
    checked_at: datetime | None
    notes: str | None


class ResidenceCardVerification(Struct, frozen=True, gc=False, rename="camel"):
    """Residence-card verification, as Salesforce has it."""

    status: str
    submitted_at: datetime | None
    reviewed_at: datetime | None
    reviewer_notes: str | None


class PaymentMethods(Struct, frozen=True, gc=False, rename="camel"):
    """How many pay methods are stored; None: not known."""

    total_count: int | None


class Billing(Struct, frozen=True, gc=False, rename="camel"):
    """Whether billing data can be shown, and why not."""

    state: BillingState


class MeStatus(Struct, frozen=True, gc=False, rename="camel"):
    """The body of GET /api/me/status without `freshness`, which the API appends; in the order of its schema."""

    customer_id: str
    summary: Summary
    internet_eligibility: InternetEligibility
    residence_card_verification: ResidenceCardVerification
    payment_methods: PaymentMethods
    billing: Billing
    tasks: list[Task]


class Document(Struct, frozen=True, gc=False):
    """What is stored of a document: its bytes, their hash, the content itself, and when it next changes by itself."""

    body: bytes
    content_hash: str
    content: MeStatus
    next_change_at: datetime | None


_encode = Encoder().encode


def build(facts: Facts, rules: Rules, now: datetime) -> Document:
    """The document of a customer (`facts.account` is not None) at `now`.

    At any instant from `now` until `next_change_at` the same facts give the same bytes; at that instant, others.
    """
    assert facts.account is not None
    activity = happened(facts, rules.zone, rules.copy_for(facts))
    content = _content(facts, facts.account, rules, today(now, rules.zone), newest(activity, now))
    body = _encode(content)
    ahead = chain(turning_points(facts.unpaid, rules), (event.occurred_at for event in activity))
    next_change_at = min((moment for moment in ahead if moment > now), default=None)
    return Document(body, blake2b(body, digest_size=16).hexdigest(), content, next_change_at)


def _content(facts: Facts, account: Account, rules: Rules, day: date, activity: list[Activity]) -> MeStatus:
    return MeStatus(
        facts.customer_id,
        Summary(_stats(facts, day), _next_invoice(_counted(facts), day), activity),
        InternetEligibility(
            account.eligibility_status,
            account.eligibility,
            account.eligibility_requested_at,
            account.eligibility_checked_at,
            account.eligibility_notes,
        ),
        ResidenceCardVerification(
            account.verification_status,
            account.verification_submitted_at,
            account.verification_reviewed_at,
            account.verification_notes,
        ),
        PaymentMethods(payment_method_count(facts)),
        Billing(facts.billing_state),
        tasks_of(facts, rules, day),
    )


def _stats(facts: Facts, day: date) -> Stats:
    unpaid = _counted(facts)
    amount, currency = (None, None) if unpaid is None else _amount_due(unpaid)
    return Stats(
        _count(facts.services, _are_services_known(facts), lambda service: service.status == "Active"),
        None if unpaid is None else len(unpaid),
        None if unpaid is None else sum(_is_overdue(invoice, day) for invoice in unpaid),
        amount,
        currency,
        _count(facts.cases, facts.is_whole("case"), lambda case: case.is_closed is False),
        _count(facts.orders, _are_orders_known(facts), lambda order: order.is_in_progress),
    )


def _count(records: list[Record] | None, is_whole: bool, counts: Callable[[Record], bool]) -> int | None:
    return sum(map(counts, records)) if records is not None and is_whole else None


def _are_services_known(facts: Facts) -> bool:
    """A service without a status (whmcs-api Q31) may be active."""
    return facts.is_whole("service") and all(service.status is not None for service in facts.services or ())


def _are_orders_known(facts: Facts) -> bool:
    """An order without a status may be in progress."""
    return facts.is_whole("order") and all(order.stage != UNKNOWN for order in facts.orders or ())


def _counted(facts: Facts) -> list[Invoice] | None:
    """The unpaid invoices; None where one of the client's cannot be read, or has no status and so may be unpaid."""
    are_known = facts.is_whole("invoice", "balance") and all(one.status is not None for one in facts.invoices or ())
    return facts.unpaid if facts.invoices is not None and are_known else None


def _amount_due(unpaid: list[Invoice]) -> tuple[str | None, str | None]:
    """Sum and currency; no sum where a balance is not known or currencies differ, one that is not named included."""
    if not unpaid:
        return "0.00", None
    currencies = {invoice.currency for invoice in unpaid}
    balances = [invoice.owed for invoice in unpaid if invoice.owed is not None]
    if len(currencies) > 1:
        return None, None
    (currency,) = currencies
    if len(balances) < len(unpaid):
        return None, currency
    return amount_text(sum(balances[1:], balances[0])), currency


def _next_invoice(unpaid: list[Invoice] | None, day: date) -> NextInvoice | None:
    if not unpaid:
        return None
    presentable = (
        (invoice.due_on, invoice.invoice_id, invoice.invoice_number, amount_text(invoice.owed), invoice.currency)
        for invoice in unpaid
        if invoice.due_on is not None and invoice.owed is not None
    )
    first = min(presentable, default=None, key=lambda row: row[:2])
    if first is None:
        return None
    due_on, invoice_id, number, amount, currency = first
    return NextInvoice(invoice_id, number, due_on, amount, currency, due_on < day)


def _is_overdue(invoice: Invoice, day: date) -> bool:
    return invoice.due_on is not None and invoice.due_on < day


def turning_points(unpaid: list[Invoice], rules: Rules) -> Iterator[datetime]:
    """When each unpaid invoice becomes due (a task, or one more behind it) and overdue."""
    for invoice in unpaid:
        if invoice.due_on is not None:
            for days in (-rules.due_days, 1):
                moment = moment_of(invoice.due_on, days, rules.zone)
                if moment is not None:
                    yield moment
