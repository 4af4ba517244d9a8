"""Which notifications a customer is to get now, which of those sent are over, and when time next calls for one.

Pure: facts, rules and `now` in, values out. What was sent before arrives as facts; dedupe itself is the outbox's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from msgspec import Struct

from config.types import NotificationType
from materializer.rules.calendar import today
from materializer.rules.facts import Facts, Invoice, PayMethod, Pending, Reminder, Service, Unresolved
from materializer.rules.reminders import end_of_card, next_card_reminder, next_invoice_reminder
from materializer.rules.rules import Rules
from materializer.rules.tasks import is_due, money_text
from materializer.snapshot.streams import ENDED_SERVICE, UNKNOWN

ELIGIBILITY: dict[NotificationType, str] = {
    "ELIGIBILITY_ELIGIBLE": "eligible",
    "ELIGIBILITY_INELIGIBLE": "ineligible",
}
VERIFICATION: dict[NotificationType, str] = {
    "VERIFICATION_VERIFIED": "verified",
    "VERIFICATION_REJECTED": "rejected",
}
ORDER: dict[NotificationType, str] = {
    "ORDER_APPROVED": "approved",
    "ORDER_ACTIVATED": "activated",
    "ORDER_FAILED": "failed",
}


class Candidate(Struct, frozen=True, gc=False):
    """A notification decided: it goes out unless dedupe suppresses it or a gate holds it."""

    type: NotificationType
    source_id: str
    title: str
    message: str
    action_url: str
    action_label: str | None
    window_seconds: int


class Decision(Struct, frozen=True, gc=False):
    """What one customer is to be notified of, which unresolved ones are over, and when time next calls for one.

    `next_notification_at` lies in the past while stale data keeps a reminder back.
    """

    candidates: list[Candidate]
    over: list[Unresolved]
    next_notification_at: datetime | None


def decide(facts: Facts, rules: Rules, now: datetime, *, is_fresh: bool) -> Decision:
    """Judges one customer; `is_fresh`: WHMCS was pulled within its freshness limit, so reminders may be sent."""
    candidates = [candidate for pending in facts.pending if (candidate := _judged(pending, facts, rules))]
    moments: list[datetime | None] = []
    for kind, source_id, next_at, words in reminders_ahead(facts, rules, now):
        kept = kept_of(facts, kind, source_id)
        moment = next_at(kept)
        if moment is not None and moment <= now and is_fresh:
            candidates.append(_candidate(kind, source_id, rules, words()))
            moment = next_at(Reminder(kind, source_id, last_sent_at=now))
        moments.append(moment)
    over = [unresolved for unresolved in facts.unresolved if is_over(unresolved, facts, rules, now)]
    return Decision(candidates, over, min((moment for moment in moments if moment is not None), default=None))


def is_over(unresolved: Unresolved, facts: Facts, rules: Rules, now: datetime) -> bool | None:
    """Whether what a sent notification speaks of is over; None: not known. An announcement never is."""
    if unresolved.type in ELIGIBILITY or unresolved.type in VERIFICATION:
        return _is_status_another(unresolved.type, facts)
    if unresolved.type in ORDER:
        return _is_order_elsewhere(unresolved, facts)
    judge = _OVER.get(unresolved.type)
    return judge(unresolved.source_id, facts, rules, now) if judge else False


# Transitions ----------------------------------------------------------------------------------------------------------


def _judged(pending: Pending, facts: Facts, rules: Rules) -> Candidate | None:
    """The notification of an observed transition; None when it is of nothing that is (still) this customer's."""
    words = {}
    if pending.type in ORDER:
        order = next((order for order in facts.orders or () if order.order_id == pending.entity_id), None)
        if order is None:
            return None
        words = {"order_number": order.order_number or order.order_id}
    elif pending.type.startswith("CANCELLATION_"):
        service = _service(facts, pending.entity_id)
        if service is None or (pending.type == "CANCELLATION_SCHEDULED" and not _is_running(service)):
            return None
        words = {"service_name": service.product_name or f"Service {service.service_id}"}
    return _candidate(pending.type, pending.entity_id, rules, words)


def _is_running(service: Service) -> bool:
    return service.status_known is not None and service.status_known not in ENDED_SERVICE


def _service(facts: Facts, source_id: str) -> Service | None:
    return next((service for service in facts.services or () if str(service.service_id) == source_id), None)


def _candidate(kind: NotificationType, source_id: str, rules: Rules, words: dict[str, str]) -> Candidate:
    rule = rules.notifications.types[kind]
    return Candidate(
        kind,
        source_id,
        rule.title.format_map(words),
        rule.message.format_map(words),
        rule.action_url,
        rule.action_label,
        rule.window_hours * 3600,
    )


# Time -----------------------------------------------------------------------------------------------------------------

Ahead = tuple[NotificationType, str, Callable[[Reminder | None], datetime | None], Callable[[], dict[str, str]]]
"""A reminder that may be called for: type, source id, when next (given what was sent), and its words."""


def reminders_ahead(facts: Facts, rules: Rules, now: datetime) -> Iterator[Ahead]:
    """The reminders time may call for: of unpaid invoices with a due date, and of cards that have not expired."""
    for invoice in facts.unpaid:
        if invoice.due_on is not None:
            yield (
                "INVOICE_DUE",
                str(invoice.invoice_id),
                partial(next_invoice_reminder, invoice, rules),
                partial(_invoice_words, invoice),
            )
    for card in facts.pay_methods or ():
        expired_at = end_of_card(card, rules)
        if expired_at is not None and now < expired_at:
            yield (
                "PAYMENT_METHOD_EXPIRING",
                str(card.pay_method_id),
                partial(next_card_reminder, card, rules),
                partial(_card_words, card),
            )


def kept_of(facts: Facts, kind: NotificationType, source_id: str) -> Reminder | None:
    """How the reminder of that type and source id stands; None: none was sent, discarded or waits."""
    return next((kept for kept in facts.reminders if kept.type == kind and kept.source_id == source_id), None)


def _invoice_words(invoice: Invoice) -> dict[str, str]:
    return {"invoice_number": invoice.shown_number, "amount": money_text(invoice), "due_on": str(invoice.due_on)}


def _card_words(card: PayMethod) -> dict[str, str]:
    digits = f"ending in {card.card_last_four}" if card.card_last_four else "on file"
    return {"card": digits, "expires_on": str(card.expires_on)}


# What is over ---------------------------------------------------------------------------------------------------------


def _is_status_another(kind: NotificationType, facts: Facts) -> bool | None:
    assert facts.account is not None
    status: str = facts.account.eligibility_status if kind in ELIGIBILITY else facts.account.verification_status
    return None if status == UNKNOWN else status != (ELIGIBILITY | VERIFICATION)[kind]


def _is_order_elsewhere(unresolved: Unresolved, facts: Facts) -> bool | None:
    if facts.orders is None:
        return None
    stage = next((order.stage for order in facts.orders if order.order_id == unresolved.source_id), "gone")
    return None if stage == UNKNOWN else stage != ORDER[unresolved.type]


def _is_no_longer_due(source_id: str, facts: Facts, rules: Rules, now: datetime) -> bool | None:
    if facts.invoices is None:
        return None
    invoice = next((invoice for invoice in facts.invoices if str(invoice.invoice_id) == source_id), None)
    if invoice is not None and not invoice.is_known:
        return None
    return invoice is None or not is_due(invoice, rules.due_days, today(now, rules.zone))


def _is_not_to_be_cancelled(source_id: str, facts: Facts, rules: Rules, now: datetime) -> bool | None:
    if facts.services is None or facts.cancelled_services is None:
        return None
    service = _service(facts, source_id)
    if service is None or service.status_known in ENDED_SERVICE:
        return True
    return service.service_id not in facts.cancelled_services


def _is_active_again(source_id: str, facts: Facts, rules: Rules, now: datetime) -> bool | None:
    service = _service(facts, source_id)
    return None if service is None else service.status == "Active"


def _is_replaced(source_id: str, facts: Facts, rules: Rules, now: datetime) -> bool | None:
    if facts.pay_methods is None or not facts.is_pay_method_read:
        return None
    card = next((card for card in facts.pay_methods if str(card.pay_method_id) == source_id), None)
    if card is None or card.expires_on is None:
        return True
    days_left = (card.expires_on - today(now, rules.zone)).days
    return days_left > max(rules.notifications.types["PAYMENT_METHOD_EXPIRING"].steps)


_OVER: dict[str, Callable[[str, Facts, Rules, datetime], bool | None]] = {
    "INVOICE_DUE": _is_no_longer_due,
    "CANCELLATION_SCHEDULED": _is_not_to_be_cancelled,
    "CANCELLATION_COMPLETE": _is_active_again,
    "PAYMENT_METHOD_EXPIRING": _is_replaced,
}
