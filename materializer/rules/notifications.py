"""Which notifications a customer is to get now, which of those sent are over, and when time next calls for one.

Pure: facts, rules and `now` in, values out. What was sent before arrives as facts; dedupe itself is the outbox's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import partial

from msgspec import Struct

from config.types import NotificationType, Tone
from config.wording import Copy
from materializer.rules.about import NOTHING, About, of_card, of_invoice, of_order, of_service
from materializer.rules.calendar import today
from materializer.rules.facts import Facts, Invoice, PayMethod, Pending, Reminder, Service, Unresolved
from materializer.rules.prose import day, invoice_words, link, order_words, service_words
from materializer.rules.reminders import FreshFacts, end_of_card, next_card_reminder, next_invoice_reminder
from materializer.rules.rules import Rules
from materializer.rules.tasks import is_due
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
    tone: Tone
    about: About


class Decision(Struct, frozen=True, gc=False):
    """What one customer is to be notified of, which unresolved ones are over, and when time next calls for one.

    `next_notification_at` lies in the past while stale data keeps a reminder back.
    """

    candidates: list[Candidate]
    over: list[Unresolved]
    next_notification_at: datetime | None


def decide(facts: Facts, rules: Rules, now: datetime, fresh: FreshFacts) -> Decision:
    """Judges one customer; reminders are sent from `fresh` facts alone."""
    copy = rules.copy_for(facts)
    candidates = [candidate for pending in facts.pending if (candidate := _judged(pending, facts, rules, copy))]
    moments: list[datetime | None] = []
    for ahead in reminders_ahead(facts, rules, now):
        moment = ahead.next_at(kept_of(facts, ahead.type, ahead.source_id))
        if moment is not None and moment <= now and fresh.allow(ahead.type, facts):
            candidates.append(_worded(ahead.type, ahead.source_id, rules, copy, ahead.says(copy)))
            moment = ahead.next_at(Reminder(ahead.type, ahead.source_id, last_sent_at=now))
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


class Said(Struct, frozen=True, gc=False):
    """What one notification says: the values of its names, what it is about, and which message fits."""

    words: dict[str, str] = {}
    about: About = NOTHING
    variant: str | None = None


def _judged(pending: Pending, facts: Facts, rules: Rules, copy: Copy) -> Candidate | None:
    """The notification of an observed transition; None when it is of nothing that is (still) this customer's."""
    if pending.type in ORDER:
        said = _of_order(pending, facts)
    elif pending.type.startswith("CANCELLATION_"):
        said = _of_service(pending, facts, copy)
    else:
        said = _of_account(pending, facts)
    return None if said is None else _worded(pending.type, pending.entity_id, rules, copy, said)


def _of_order(pending: Pending, facts: Facts) -> Said | None:
    order = next((order for order in facts.orders or () if order.order_id == pending.entity_id), None)
    return None if order is None else Said(order_words(order), of_order(order))


def _of_service(pending: Pending, facts: Facts, copy: Copy) -> Said | None:
    service = _service(facts, pending.entity_id)
    if service is None:
        return None
    words = service_words(service, copy)
    if pending.type == "CANCELLATION_COMPLETE":
        return Said(words, of_service(service))
    if not _is_running(service):
        return None
    ends_on = service.cancelled_as_of
    if ends_on is None:
        return Said(words, of_service(service))
    return Said(words | {"ends_on": day(ends_on, copy.language)}, of_service(service, ends_on), "with_date")


def _of_account(pending: Pending, facts: Facts) -> Said:
    assert facts.account is not None
    notes = (facts.account.verification_notes or "").strip()
    if pending.type != "VERIFICATION_REJECTED" or not notes:
        return Said()
    return Said({"reviewer_notes": notes}, About(reviewer_notes=notes), "with_notes")


def _is_running(service: Service) -> bool:
    return service.status_known is not None and service.status_known not in ENDED_SERVICE


def _service(facts: Facts, source_id: str) -> Service | None:
    return next((service for service in facts.services or () if str(service.service_id) == source_id), None)


def _worded(kind: NotificationType, source_id: str, rules: Rules, copy: Copy, said: Said) -> Candidate:
    rule, text = rules.notifications.types[kind], copy.notifications[kind]
    message = text.message if said.variant is None else text.variants[said.variant]
    return Candidate(
        kind,
        source_id,
        text.title.format_map(said.words),
        message.format_map(said.words),
        link(rule.action_url, said.words),
        text.action_label,
        rule.window_hours * 3600,
        rule.overdue_tone or rule.tone if said.variant == "overdue" else rule.tone,
        said.about,
    )


# Time -----------------------------------------------------------------------------------------------------------------


class Ahead(Struct, frozen=True, gc=False):
    """A reminder that may be called for: of what, when next (given what was sent), and what it says."""

    type: NotificationType
    source_id: str
    next_at: Callable[[Reminder | None], datetime | None]
    says: Callable[[Copy], Said]


def reminders_ahead(facts: Facts, rules: Rules, now: datetime) -> Iterator[Ahead]:
    """The reminders time may call for: of unpaid invoices with a due date, and of cards that have not expired."""
    on = today(now, rules.zone)
    for invoice in facts.unpaid:
        if invoice.due_on is not None:
            yield Ahead(
                "INVOICE_DUE",
                str(invoice.invoice_id),
                partial(next_invoice_reminder, invoice, rules),
                partial(_of_invoice, invoice, on),
            )
    for card in facts.pay_methods or ():
        expired_at = end_of_card(card, rules)
        if expired_at is not None and now < expired_at:
            yield Ahead(
                "PAYMENT_METHOD_EXPIRING",
                str(card.pay_method_id),
                partial(next_card_reminder, card, rules),
                partial(_of_card, card),
            )


def kept_of(facts: Facts, kind: NotificationType, source_id: str) -> Reminder | None:
    """How the reminder of that type and source id stands; None: none was sent, discarded or waits."""
    return next((kept for kept in facts.reminders if kept.type == kind and kept.source_id == source_id), None)


def _of_invoice(invoice: Invoice, on: date, copy: Copy) -> Said:
    is_overdue = invoice.due_on is not None and invoice.due_on < on
    return Said(invoice_words(invoice, copy), of_invoice(invoice), "overdue" if is_overdue else None)


def _of_card(card: PayMethod, copy: Copy) -> Said:
    assert card.expires_on is not None
    digits = card.card_last_four
    words = {"pay_method_id": str(card.pay_method_id), "expires_on": day(card.expires_on, copy.language)}
    return Said(
        words | ({"card_last_four": digits} if digits else {}), of_card(card), None if digits else "without_digits"
    )


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
    if facts.pay_methods is None or facts.pay_methods_read_at is None:
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
