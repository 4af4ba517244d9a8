"""When time calls for a notification: invoices due and cards expiring, by steps or once per window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from msgspec import Struct

from config.notifications import NotificationRule
from config.types import NotificationType
from materializer.rules.calendar import moment_of, today
from materializer.rules.facts import Facts, Invoice, PayMethod, Reminder
from materializer.rules.rules import Rules


class FreshFacts(Struct, frozen=True, gc=False):
    """Which facts are young enough for reminders to rest on them.

    `invoices`: the list of invoices is. `cards_since`: a client's pay methods are if read then or later; None: none
    are.
    """

    invoices: bool
    cards_since: datetime | None

    def allow(self, kind: NotificationType, facts: Facts) -> bool:
        """Whether a reminder of this customer's may be sent."""
        if kind == "INVOICE_DUE":
            return self.invoices
        read_at = facts.pay_methods_read_at
        return None not in (read_at, self.cards_since) and read_at >= self.cards_since  # type: ignore[operator]


NOTHING_FRESH = FreshFacts(False, None)


def next_invoice_reminder(invoice: Invoice, rules: Rules, kept: Reminder | None) -> datetime | None:
    """When an unpaid invoice next calls for INVOICE_DUE, in the past when one is overdue to be sent; None: never.

    Without steps: as soon as it is due, then whenever the window since the last one has passed in full. With steps:
    once for each step reached since the last one, then every `then_every_days`. A discarded one counts as sent.
    """
    rule = rules.notifications.types["INVOICE_DUE"]
    if invoice.due_on is None or (kept is not None and kept.is_waiting):
        return None
    first = moment_of(invoice.due_on, -days_before_due(rules), rules.zone)
    notified_at = _notified_at(kept)
    if first is None or notified_at is None:
        return first
    if not rule.steps:
        return max(first, notified_at + _window(rule))
    later = (
        max(first, step) for step in _invoice_steps(invoice.due_on, rule, rules, notified_at) if step > notified_at
    )
    return _past_window(min(later, default=None), rule, kept)


def days_before_due(rules: Rules) -> int:
    """How long before its due date an invoice is first notified: from when it is due on, or from the first step."""
    steps = rules.notifications.types["INVOICE_DUE"].steps
    return min(rules.due_days, max(steps)) if steps else rules.due_days


def next_card_reminder(card: PayMethod, rules: Rules, kept: Reminder | None) -> datetime | None:
    """When a card next calls for PAYMENT_METHOD_EXPIRING: once for each step before its last day; None: never.

    The moment is None, too, once the card has expired by then.
    """
    rule = rules.notifications.types["PAYMENT_METHOD_EXPIRING"]
    if card.expires_on is None or (kept is not None and kept.is_waiting):
        return None
    notified_at = _notified_at(kept)
    steps = (moment_of(card.expires_on, -days, rules.zone) for days in rule.steps)
    later = (step for step in steps if step is not None and (notified_at is None or step > notified_at))
    return _past_window(min(later, default=None), rule, kept)


def end_of_card(card: PayMethod, rules: Rules) -> datetime | None:
    """The first instant at which a card has expired: the start of the day after its last one, business zone."""
    return None if card.expires_on is None else moment_of(card.expires_on, 1, rules.zone)


def _invoice_steps(due_on: date, rule: NotificationRule, rules: Rules, notified_at: datetime) -> Iterator[datetime]:
    """The steps before the due date, and the first of those after it that follows the last reminder."""
    days = [-step for step in rule.steps]
    if rule.then_every_days is not None:
        passed = (today(notified_at, rules.zone) - due_on).days
        days.append(max(1, passed // rule.then_every_days + 1) * rule.then_every_days)
    for offset in days:
        if (moment := moment_of(due_on, offset, rules.zone)) is not None:
            yield moment


def _notified_at(kept: Reminder | None) -> datetime | None:
    """When the customer was last notified, or the operator last decided not to."""
    if kept is None:
        return None
    return max(filter(None, (kept.last_sent_at, kept.discarded_at)), default=None)


def _past_window(step: datetime | None, rule: NotificationRule, kept: Reminder | None) -> datetime | None:
    """A step no earlier than dedupe lets it pass: when the window has passed in full."""
    if step is None or kept is None or kept.last_sent_at is None:
        return step
    return max(step, kept.last_sent_at + _window(rule))


def _window(rule: NotificationRule) -> timedelta:
    return timedelta(hours=rule.window_hours)
