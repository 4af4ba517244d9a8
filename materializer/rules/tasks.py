"""The dashboard's to-do list: which tasks a customer has, in order, with wording from the data file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from msgspec import UNSET, Struct, UnsetType

from config.tasks import TaskCopy
from config.types import TaskType, Tone
from materializer.rules.facts import Facts, Invoice, Order
from materializer.rules.rules import Rules


class About(Struct, frozen=True, gc=False, rename="camel"):
    """What a task is about; what does not apply is left out."""

    invoice_id: int | UnsetType = UNSET
    order_id: str | UnsetType = UNSET
    order_number: str | UnsetType = UNSET
    due_date: date | UnsetType = UNSET
    amount: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    other_invoices: int | UnsetType = UNSET


class Task(Struct, frozen=True, gc=False, rename="camel"):
    """One task, in the order of the published schema."""

    id: str
    type: TaskType
    priority: int
    tone: Tone
    title: str
    description: str
    action_label: str
    action_url: str
    about: About


NOTHING = About()


def tasks_of(facts: Facts, rules: Rules, today: date) -> list[Task]:
    """The tasks in order of priority, then due date, then id. What is not known gives no task."""
    copies = rules.tasks
    tasks = _invoice_due(facts.unpaid, rules, today)
    if payment_method_count(facts) == 0:
        tasks.append(_task("add-payment-method", "add_payment_method", 2, copies.add_payment_method))
    tasks += [_order_in_progress(order, copies.order_in_progress) for order in orders_in_progress(facts)]
    assert facts.account is not None
    if facts.account.eligibility_status == "pending":
        tasks.append(_task("eligibility-pending", "eligibility_pending", 4, copies.eligibility_pending))
    if facts.account.verification_status == "rejected":
        tasks.append(_task("verification-rejected", "verification_rejected", 5, copies.verification_rejected))
    if not tasks and _is_new_here(facts):
        tasks.append(_task("onboarding", "onboarding", 6, copies.onboarding))
    return tasks


def payment_method_count(facts: Facts) -> int | None:
    """Every stored pay method, expired or not; None until the client's were read once."""
    return len(facts.pay_methods) if facts.pay_methods is not None and facts.is_pay_method_read else None


def orders_in_progress(facts: Facts) -> list[Order]:
    """The orders in progress by id; empty also while orders are not known."""
    return [order for order in facts.orders or () if order.is_in_progress]


def is_due(invoice: Invoice, due_days: int, today: date) -> bool:
    """Unpaid with a due date no later than `due_days` days from today, overdue included."""
    return invoice.is_unpaid and invoice.due_on is not None and (invoice.due_on - today).days <= due_days


def amount_text(amount: Decimal) -> str:
    """The digits the source wrote, without exponent: "3300.00"."""
    return format(amount, "f")


def money_text(invoice: Invoice) -> str:
    """An amount for people: "3300.00 JPY"; "?" where the source gave none."""
    amount = "?" if invoice.total is None else amount_text(invoice.total)
    return f"{amount} {invoice.currency}" if invoice.currency else amount


def _invoice_due(unpaid: Sequence[Invoice], rules: Rules, today: date) -> list[Task]:
    due = [
        (invoice.due_on, invoice.invoice_id, invoice) for invoice in unpaid if is_due(invoice, rules.due_days, today)
    ]
    if not due:
        return []
    due_on, invoice_id, invoice = min(due)
    assert due_on is not None
    copy = rules.tasks.invoice_overdue if due_on < today else rules.tasks.invoice_due
    about = About(
        invoice_id=invoice_id,
        due_date=due_on,
        amount=UNSET if invoice.total is None else amount_text(invoice.total),
        currency=invoice.currency or UNSET,
        other_invoices=len(due) - 1,
    )
    words = {"invoice_number": invoice.shown_number, "amount": money_text(invoice), "due_on": due_on.isoformat()}
    return [_task(f"invoice-{invoice_id}", "invoice_due", 1, copy, about, words)]


def _order_in_progress(order: Order, copy: TaskCopy) -> Task:
    about = About(order_id=order.order_id, order_number=order.order_number or UNSET)
    words = {"order_number": order.order_number or order.order_id}
    return _task(f"order-{order.order_id}", "order_in_progress", 3, copy, about, words)


def _is_new_here(facts: Facts) -> bool:
    """Known to have no service at all (nobody has one without a client), and no order but drafts."""
    has_no_service = facts.billing_state == "none" or facts.services == []
    return has_no_service and facts.orders is not None and all(order.stage == "draft" for order in facts.orders)


def _task(
    task_id: str,
    kind: TaskType,
    priority: int,
    copy: TaskCopy,
    about: About = NOTHING,
    words: dict[str, str] | None = None,
) -> Task:
    title, description = copy.title, copy.description
    if words:
        title, description = title.format_map(words), description.format_map(words)
    return Task(task_id, kind, priority, copy.tone, title, description, copy.action_label, copy.action_url, about)
