"""The status document of one customer: its bytes, the columns beside it, and when it next changes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from hashlib import blake2b

from msgspec import Struct
from msgspec.json import Encoder

from materializer.rules.about import amount_text
from materializer.rules.activity import Activity, recent
from materializer.rules.calendar import moment_of, today
from materializer.rules.facts import Account, BillingState, Facts, Invoice
from materializer.rules.rules import Rules
from materializer.rules.tasks import Task, orders_in_progress, payment_method_count, tasks_of


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
    """The unpaid invoice with the earliest due date (ties: lowest id)."""

    id: int
    number: str | None
    due_date: date
    amount: str
    currency: str
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
    content = _content(facts, facts.account, rules, today(now, rules.zone))
    body = _encode(content)
    return Document(body, blake2b(body, digest_size=16).hexdigest(), content, _next_change(facts.unpaid, rules, now))


def _content(facts: Facts, account: Account, rules: Rules, day: date) -> MeStatus:
    return MeStatus(
        facts.customer_id,
        Summary(_stats(facts, day), _next_invoice(facts.unpaid, day), recent(facts, rules.zone, rules.copy_for(facts))),
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
    unpaid = None if facts.invoices is None else facts.unpaid
    amount, currency = (None, None) if unpaid is None else _amount_due(unpaid)
    return Stats(
        None if facts.services is None else sum(service.status == "Active" for service in facts.services),
        None if unpaid is None else len(unpaid),
        None if unpaid is None else sum(_is_overdue(invoice, day) for invoice in unpaid),
        amount,
        currency,
        None if facts.cases is None else sum(case.is_closed is False for case in facts.cases),
        None if facts.orders is None else len(orders_in_progress(facts)),
    )


def _amount_due(unpaid: list[Invoice]) -> tuple[str | None, str | None]:
    """Sum and currency; no sum where a total is missing or the currencies differ: it would be of no meaning."""
    if not unpaid:
        return "0.00", None
    currencies = {invoice.currency for invoice in unpaid if invoice.currency is not None}
    totals = [invoice.total for invoice in unpaid if invoice.total is not None]
    if len(currencies) > 1:
        return None, None
    currency = next(iter(currencies), None)
    if len(totals) < len(unpaid):
        return None, currency
    return amount_text(sum(totals[1:], totals[0])), currency


def _next_invoice(unpaid: list[Invoice], day: date) -> NextInvoice | None:
    if not unpaid:
        return None
    presentable = (
        (invoice.due_on, invoice.invoice_id, invoice.invoice_number, amount_text(invoice.total), invoice.currency)
        for invoice in unpaid
        if invoice.due_on is not None and invoice.total is not None and invoice.currency is not None
    )
    first = min(presentable, default=None, key=lambda row: row[:2])
    if first is None:
        return None
    due_on, invoice_id, number, amount, currency = first
    return NextInvoice(invoice_id, number, due_on, amount, currency, due_on < day)


def _is_overdue(invoice: Invoice, day: date) -> bool:
    return invoice.due_on is not None and invoice.due_on < day


def _next_change(unpaid: list[Invoice], rules: Rules, now: datetime) -> datetime | None:
    return min((moment for moment in turning_points(unpaid, rules) if moment > now), default=None)


def turning_points(unpaid: list[Invoice], rules: Rules) -> Iterator[datetime]:
    """When each unpaid invoice becomes due (a task, or one more behind it) and overdue: all that time alone changes."""
    for invoice in unpaid:
        if invoice.due_on is not None:
            for days in (-rules.due_days, 1):
                moment = moment_of(invoice.due_on, days, rules.zone)
                if moment is not None:
                    yield moment
