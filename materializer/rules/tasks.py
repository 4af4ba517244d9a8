"""The dashboard's to-do list: which tasks a customer has, in order, worded in the customer's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from msgspec import Struct

from config.tasks import TaskRule, TaskRules
from config.types import TaskType, Tone
from config.wording import Copy
from materializer.rules.about import NOTHING, About, of_invoice, of_order
from materializer.rules.facts import Facts, Invoice, Order
from materializer.rules.prose import invoice_words, link, order_words
from materializer.rules.rules import Rules


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


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes tasks in one language."""

    rules: TaskRules
    copy: Copy

    def task(
        self,
        task_id: str,
        kind: TaskType,
        priority: int,
        about: About = NOTHING,
        words: Mapping[str, str] | None = None,
        *,
        said: str | None = None,
    ) -> Task:
        """A task worded as its type, or as `said`."""
        rule: TaskRule = getattr(self.rules, said or kind)
        copy = self.copy.tasks[said or kind]
        title, description, url = copy.title, copy.description, rule.action_url
        if words is not None:
            title, description, url = title.format_map(words), description.format_map(words), link(url, words)
        return Task(task_id, kind, priority, rule.tone, title, description, copy.action_label, url, about)


def tasks_of(facts: Facts, rules: Rules, today: date) -> list[Task]:
    """The tasks in order of priority, then due date, then id. What is not known gives no task."""
    write = _Writer(rules.tasks, rules.copy_for(facts))
    tasks = _invoice_due(facts.unpaid, rules, today, write)
    if payment_method_count(facts) == 0:
        tasks.append(write.task("add-payment-method", "add_payment_method", 2))
    tasks += [_order_in_progress(order, write) for order in orders_in_progress(facts)]
    assert facts.account is not None
    if facts.account.eligibility_status == "pending":
        tasks.append(write.task("eligibility-pending", "eligibility_pending", 4))
    if facts.account.verification_status == "rejected":
        tasks.append(write.task("verification-rejected", "verification_rejected", 5))
    if not tasks and _is_new_here(facts):
        tasks.append(write.task("onboarding", "onboarding", 6))
    return tasks


def payment_method_count(facts: Facts) -> int | None:
    """Every stored pay method, expired or not; None until the client's were read once, and each could be."""
    is_known = facts.pay_methods_read_at is not None and facts.is_whole("pay_method")
    return len(facts.pay_methods) if facts.pay_methods is not None and is_known else None


def orders_in_progress(facts: Facts) -> list[Order]:
    """The orders in progress by id; empty also while orders are not known."""
    return [order for order in facts.orders or () if order.is_in_progress]


def is_due(invoice: Invoice, due_days: int, today: date) -> bool:
    """Unpaid with a due date no later than `due_days` days from today, overdue included."""
    return invoice.is_unpaid and invoice.due_on is not None and (invoice.due_on - today).days <= due_days


def _invoice_due(unpaid: Sequence[Invoice], rules: Rules, today: date, write: _Writer) -> list[Task]:
    due = [
        (invoice.due_on, invoice.invoice_id, invoice) for invoice in unpaid if is_due(invoice, rules.due_days, today)
    ]
    if not due:
        return []
    due_on, invoice_id, invoice = min(due)
    assert due_on is not None
    said = "invoice_overdue" if due_on < today else "invoice_due"
    about, words = of_invoice(invoice, len(due) - 1), invoice_words(invoice, write.copy)
    return [write.task(f"invoice-{invoice_id}", "invoice_due", 1, about, words, said=said)]


def _order_in_progress(order: Order, write: _Writer) -> Task:
    return write.task(f"order-{order.order_id}", "order_in_progress", 3, of_order(order), order_words(order))


def _is_new_here(facts: Facts) -> bool:
    """Known to have no service at all (nobody has one without a client), and no order but drafts."""
    if not facts.is_whole("order", "service", "invoice", "balance", "pay_method"):
        return False
    has_no_service = facts.billing_state == "none" or facts.services == []
    return has_no_service and facts.orders is not None and all(order.stage == "draft" for order in facts.orders)
