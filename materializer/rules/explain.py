"""Why a customer has, or has not, each task and notification: the rules' own verdicts, with the values behind them.

Pure, and never a second opinion: what applies is asked of the rules themselves; only the words are made here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from msgspec import Struct

from config.types import NotificationType
from materializer.rules.activity import Activity, happened
from materializer.rules.calendar import today
from materializer.rules.document import turning_points
from materializer.rules.facts import Account, Facts, Invoice, Reminder
from materializer.rules.notifications import kept_of, reminders_ahead
from materializer.rules.prose import amount_of
from materializer.rules.reminders import FreshFacts, days_before_due
from materializer.rules.rules import Rules
from materializer.rules.tasks import Task, is_due, orders_in_progress, payment_method_count, tasks_of

UNKNOWN_LINK = {
    "none": "not known: the account names no WHMCS client",
    "unread": "not known: WHMCS clients name their accounts, and were never pulled",
    "unreadable": "not known: what stands in the account's link field is not a client id",
    "dangling": "not known: the WHMCS client named is not there",
    "conflict": "not known: the link to WHMCS is in doubt",
}


class TaskReason(Struct, frozen=True, rename="camel"):
    """One task, or (`applies` false, `id` None) one type of task the customer does not have, and why."""

    type: str
    applies: bool
    id: str | None
    why: str


class ReminderReason(Struct, frozen=True, rename="camel"):
    """When a reminder is next called for (None: not before something else happens; past: it waits), and why then."""

    type: str
    source_id: str
    next_at: datetime | None
    why: str


class NextChange(Struct, frozen=True, rename="camel"):
    """When the document next changes by itself; `at` None: only with the facts."""

    at: datetime | None
    why: str


def tasks(facts: Facts, rules: Rules, now: datetime) -> list[TaskReason]:
    """The six types in order; none at all when there is no such customer."""
    if facts.account is None:
        return []
    day = today(now, rules.zone)
    present = tasks_of(facts, rules, day)
    reasons: list[TaskReason] = []
    for kind, (applies, not_at_all) in _TASKS.items():
        found = [task for task in present if task.type == kind]
        reasons += [TaskReason(kind, True, task.id, applies(task, facts, rules, day)) for task in found]
        if not found:
            reasons.append(TaskReason(kind, False, None, not_at_all(facts, facts.account, rules, day, present)))
    return reasons


def reminders(facts: Facts, rules: Rules, now: datetime, fresh: FreshFacts) -> list[ReminderReason]:
    """Each reminder that time may call for, soonest first."""
    reasons = []
    for ahead in reminders_ahead(facts, rules, now) if facts.account else ():
        kind, source_id = ahead.type, ahead.source_id
        kept = kept_of(facts, kind, source_id)
        moment = ahead.next_at(kept)
        why = f"{_about(kind, source_id, facts, rules)}; {_since(kept, kind, rules)}"
        if moment is not None and moment <= now:
            why += _called_for(kind, facts, fresh)
        reasons.append(ReminderReason(kind, source_id, moment, why))
    return sorted(reasons, key=lambda reason: (reason.next_at is None, reason.next_at, reason.type, reason.source_id))


def next_change(facts: Facts, rules: Rules, now: datetime) -> NextChange:
    """When time alone next gives another document, and which invoice or event does it."""
    ahead = [
        (moment, _turn(invoice, today(moment, rules.zone)))
        for invoice in (facts.unpaid if facts.account else ())
        for moment in turning_points([invoice], rules)
    ]
    ahead += [(event.occurred_at, f"{event.id} becomes recent activity") for event in _happened(facts, rules)]
    at = min((moment for moment, _ in ahead if moment > now), default=None)
    if at is None:
        return NextChange(None, "only when facts change")
    return NextChange(at, ", ".join(why for moment, why in ahead if moment == at))


def _happened(facts: Facts, rules: Rules) -> list[Activity]:
    return happened(facts, rules.zone, rules.copy_for(facts)) if facts.account else []


def sent(kind: NotificationType, source_id: str, at: datetime, facts: Facts, rules: Rules) -> str:
    """Why a reminder was sent at `at`, by the values its record has now."""
    day = today(at, rules.zone)
    if kind == "INVOICE_DUE":
        invoice = _invoice(facts, source_id)
        return f"invoice {source_id} was due; it is not there now" if invoice is None else _due(invoice, rules, day)
    return f"{_about(kind, source_id, facts, rules)}, sent on {day} ({rules.zone.key})"


# Tasks that apply -----------------------------------------------------------------------------------------------------


def _invoice_due(task: Task, facts: Facts, rules: Rules, day: date) -> str:
    invoice = next(invoice for invoice in facts.unpaid if task.id == f"invoice-{invoice.invoice_id}")
    others = task.about.other_invoices
    return _due(invoice, rules, day) + (f"; {others} more due" if others else "")


def _due(invoice: Invoice, rules: Rules, day: date) -> str:
    """The predicate of an invoice that is due, with its values."""
    head = f"invoice {invoice.invoice_id} {invoice.status}, due {invoice.due_on}, today {day} ({rules.zone.key})"
    if invoice.due_on is None:
        return head
    if invoice.due_on < day:
        return f"{head}, {_days((day - invoice.due_on).days)} overdue"
    return f"{head}, within {_days(rules.due_days)}" if is_due(invoice, rules.due_days, day) else head


def _no_pay_method(task: Task, facts: Facts, rules: Rules, day: date) -> str:
    return f"WHMCS client {facts.client_id} has no stored pay method"


def _order_in_progress(task: Task, facts: Facts, rules: Rules, day: date) -> str:
    order = next(order for order in orders_in_progress(facts) if task.id == f"order-{order.order_id}")
    return f"order {order.order_id} is {order.stage.replace('_', ' ')}"


def _status_is(name: str) -> Callable[[Task, Facts, Rules, date], str]:
    return lambda task, facts, rules, day: f"{name} is {getattr(facts.account, name)}"


def _new_here(task: Task, facts: Facts, rules: Rules, day: date) -> str:
    service = "no WHMCS client, so no service" if facts.billing_state == "none" else "no service"
    return f"{service}, {'no order but drafts' if facts.orders else 'no order'}, and no other task"


# Tasks that do not ----------------------------------------------------------------------------------------------------


def _nothing_due(facts: Facts, account: Account, rules: Rules, day: date, present: Sequence[Task]) -> str:
    if facts.invoices is None:
        return _unknown(facts, "invoices were never pulled")
    if not facts.is_whole("invoice", "balance"):
        return "not known: an invoice of the client cannot be read; see `me-status status`"
    first = min((invoice for invoice in facts.unpaid if invoice.due_on), default=None, key=lambda one: str(one.due_on))
    if first is None:
        return "no unpaid invoice" + (" has a due date" if facts.unpaid else "")
    return (
        f"the first unpaid invoice, {first.invoice_id}, is due {first.due_on}, over {_days(rules.due_days)} from {day}"
    )


def _has_pay_method(facts: Facts, account: Account, rules: Rules, day: date, present: Sequence[Task]) -> str:
    count = payment_method_count(facts)
    if count is None:
        is_unread = facts.pay_methods is None or facts.pay_methods_read_at is None
        return _unknown(facts, "the client's pay methods were not read yet" if is_unread else "one cannot be read")
    return f"{count} stored pay method{'s' if count > 1 else ''}"


def _none_in_progress(facts: Facts, account: Account, rules: Rules, day: date, present: Sequence[Task]) -> str:
    if not facts.orders:
        return "no order" if facts.orders is not None else "not known: orders were never pulled"
    stages = sorted({order.stage.replace("_", " ") for order in facts.orders})
    return f"none of {len(facts.orders)} orders is in progress ({', '.join(stages)})"


def _status_is_not(name: str) -> Callable[[Facts, Account, Rules, date, Sequence[Task]], str]:
    return lambda facts, account, rules, day, present: f"{name} is {getattr(account, name)}"


def _not_new_here(facts: Facts, account: Account, rules: Rules, day: date, present: Sequence[Task]) -> str:
    if not facts.is_whole("order", "service", "invoice", "balance", "pay_method"):
        return "not known: a record of this customer's cannot be read; see `me-status status`"
    if facts.services is None and facts.billing_state != "none":
        return _unknown(facts, "services were never pulled")
    if facts.services:
        return f"{len(facts.services)} service{'s' if len(facts.services) > 1 else ''}"
    if facts.orders is None:
        return "not known: orders were never pulled"
    begun = [order.order_id for order in facts.orders if order.stage != "draft"]
    return f"order {begun[0]} is past draft" if begun else f"there is another task: {present[0].type}"


def _unknown(facts: Facts, otherwise: str) -> str:
    return UNKNOWN_LINK.get(facts.link or "none", f"not known: {otherwise}")


_TASKS: dict[
    str,
    tuple[Callable[[Task, Facts, Rules, date], str], Callable[[Facts, Account, Rules, date, Sequence[Task]], str]],
] = {
    "invoice_due": (_invoice_due, _nothing_due),
    "add_payment_method": (_no_pay_method, _has_pay_method),
    "order_in_progress": (_order_in_progress, _none_in_progress),
    "eligibility_pending": (_status_is("eligibility_status"), _status_is_not("eligibility_status")),
    "verification_rejected": (_status_is("verification_status"), _status_is_not("verification_status")),
    "onboarding": (_new_here, _not_new_here),
}


# Reminders and changes ------------------------------------------------------------------------------------------------


def _about(kind: NotificationType, source_id: str, facts: Facts, rules: Rules) -> str:
    if kind == "INVOICE_DUE":
        invoice = _invoice(facts, source_id)
        assert invoice is not None
        amount = amount_of(invoice, rules.wording.of("en"))
        return f"invoice {source_id} {invoice.status} for {amount}, due {invoice.due_on}"
    card = next((card for card in facts.pay_methods or () if str(card.pay_method_id) == source_id), None)
    if card is None or card.expires_on is None:
        return f"pay method {source_id} is not there now"
    steps = " and ".join(str(step) for step in rules.notifications.types[kind].steps)
    return f"card {source_id} ends with {card.expires_on}, notified {steps} days before"


def _since(kept: Reminder | None, kind: NotificationType, rules: Rules) -> str:
    """What is kept of the reminders before, and what follows from it."""
    rule = rules.notifications.types[kind]
    if kept is None or (kept.last_sent_at is None and kept.discarded_at is None and not kept.is_waiting):
        return f"never sent; from {_days(days_before_due(rules))} before on" if kind == "INVOICE_DUE" else "never sent"
    if kept.is_waiting:
        return "waits in a held run; nothing more until that is decided"
    again = "at the next step" if rule.steps else f"again once {rule.window_hours} h have passed"
    if kept.last_sent_at is None or (kept.discarded_at is not None and kept.discarded_at > kept.last_sent_at):
        return f"discarded by the operator at {_instant(kept.discarded_at)}, {again}"
    return f"sent at {_instant(kept.last_sent_at)}, {again}"


def _called_for(kind: NotificationType, facts: Facts, fresh: FreshFacts) -> str:
    """Whether a reminder called for by now is sent."""
    if fresh.allow(kind, facts):
        return "; called for: the next refresh sends it"
    if kind == "INVOICE_DUE":
        return "; kept back: the invoices of WHMCS are not fresh"
    read_at = facts.pay_methods_read_at
    when = "never" if read_at is None else f"last at {_instant(read_at)}"
    return f"; kept back: the client's pay methods were read {when}, not fresh"


def _turn(invoice: Invoice, day: date) -> str:
    assert invoice.due_on is not None
    return f"invoice {invoice.invoice_id}, due {invoice.due_on}, becomes {'overdue' if invoice.due_on < day else 'due'}"


def _invoice(facts: Facts, source_id: str) -> Invoice | None:
    return next((one for one in facts.invoices or () if str(one.invoice_id) == source_id), None)


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _instant(at: datetime | None) -> str:
    return "?" if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")
