"""Explanations never differ from the rules: whatever the facts, they say what the rules decide."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from materializer.rules import explain
from materializer.rules.calendar import today
from materializer.rules.document import build
from materializer.rules.facts import Facts
from materializer.rules.notifications import decide
from materializer.rules.reminders import NOTHING_FRESH, FreshFacts
from materializer.rules.tasks import tasks_of
from tests.builders import ALL_FRESH, NOON, account, card, facts, invoice, order, reminder, rules, service, unlinked

RULES = rules("Asia/Tokyo")
DAYS = st.dates(date(2026, 2, 1), date(2026, 5, 1))


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """Customers of all kinds: linked or not, known or not, notified before or not."""
    known: dict[str, Any] = {
        "account": account(
            eligibility_status=draw(st.sampled_from(["not_requested", "pending", "unknown"])),
            verification_status=draw(st.sampled_from(["submitted", "rejected", "unknown"])),
        ),
        "orders": draw(st.none() | st.lists(st.sampled_from(["draft", "approved", "closed"]).map(_order), max_size=2)),
    }
    if draw(st.booleans()):
        return unlinked(**known, link=draw(st.sampled_from(["none", "dangling", "conflict"])))
    statuses = st.sampled_from(["Unpaid", "Unpaid", "Paid", None])
    due = draw(st.none() | st.lists(st.tuples(statuses, st.none() | DAYS), max_size=3))
    cards = draw(st.none() | st.lists(st.none() | DAYS, max_size=2))
    return facts(
        **known,
        invoices=due and [invoice(at, status=status, due_on=day) for at, (status, day) in enumerate(due)],
        services=draw(st.sampled_from([None, [], [service()]])),
        pay_methods=cards and [card(at, expires_on=day) for at, day in enumerate(cards)],
        pay_methods_read_at=draw(st.none() | st.just(NOON)),
        reminders=draw(
            st.lists(st.sampled_from(_REMINDERS), max_size=3, unique_by=lambda one: (one.type, one.source_id))
        ),
    )


def _order(stage: str) -> Any:
    return order(stage=stage)


_REMINDERS = [
    reminder(kind, source_id, at, **more)
    for kind in ("INVOICE_DUE", "PAYMENT_METHOD_EXPIRING")
    for source_id in (0, 1)
    for at, more in (
        (NOON - timedelta(hours=3), {}),
        (NOON - timedelta(days=9), {"discarded_at": NOON - timedelta(hours=1)}),
        (None, {"is_waiting": True}),
        (None, {"discarded_at": NOON - timedelta(days=2)}),
    )
]


@given(any_facts())
def test_explanations_agree_with_the_rules(known: Facts) -> None:
    """The same tasks by id; the same next change; the same next reminder; a reason for each, and for what is not."""
    day = today(NOON, RULES.zone)
    reasons = explain.tasks(known, RULES, NOON)
    assert [task.id for task in tasks_of(known, RULES, day)] == [one.id for one in reasons if one.applies]
    assert 6 == len({one.type for one in reasons})
    assert build(known, RULES, NOON).next_change_at == explain.next_change(known, RULES, NOON).at
    ahead = explain.reminders(known, RULES, NOON, NOTHING_FRESH)
    moments = [one.next_at for one in ahead if one.next_at is not None]
    assert decide(known, RULES, NOON, NOTHING_FRESH).next_notification_at == min(moments, default=None)
    assert all(one.why for one in [*reasons, *ahead])


def test_nobody_has_no_tasks() -> None:
    """An account that is not a customer: nothing applies and nothing comes."""
    nobody = Facts("001000000000001AAA", None)
    assert ([], []) == (
        explain.tasks(nobody, RULES, NOON),
        explain.reminders(nobody, RULES, NOON, ALL_FRESH),
    )
    assert explain.next_change(nobody, RULES, NOON) == explain.NextChange(None, "only when facts change")


@pytest.mark.parametrize(
    ("due_on", "says"),
    [
        (date(2026, 3, 7), "invoice 1042 Unpaid, due 2026-03-07, today 2026-03-10 (Asia/Tokyo), 3 days overdue"),
        (date(2026, 3, 10), "invoice 1042 Unpaid, due 2026-03-10, today 2026-03-10 (Asia/Tokyo), within 7 days"),
        (date(2026, 3, 17), "invoice 1042 Unpaid, due 2026-03-17, today 2026-03-10 (Asia/Tokyo), within 7 days"),
        (date(2026, 3, 18), "the first unpaid invoice, 1042, is due 2026-03-18, over 7 days from 2026-03-10"),
    ],
)
def test_an_invoice_is_told_with_its_dates(due_on: date, says: str) -> None:
    """Due and overdue by the business zone's date."""
    assert says == explain.tasks(facts(invoices=[invoice(due_on=due_on)]), RULES, NOON)[0].why


def test_a_card_read_too_long_ago_is_said_to_be_kept_back() -> None:
    """With the instant of its reading; one read exactly as long ago as the limit allows is sent."""
    known = facts(pay_methods=[card(expires_on=date(2026, 3, 31))])
    (old,) = explain.reminders(known, RULES, NOON, FreshFacts(True, NOON + timedelta(microseconds=1)))
    (read,) = explain.reminders(known, RULES, NOON, FreshFacts(False, NOON))
    assert old.why.endswith("kept back: the client's pay methods were read last at 2026-03-10T12:00:00Z, not fresh")
    assert read.why.endswith("called for: the next refresh sends it")


def test_a_reminder_from_stale_data_is_said_to_be_kept_back() -> None:
    """It would be sent now, were the invoices fresh."""
    known = facts(invoices=[invoice(due_on=date(2026, 3, 12))], pay_methods=[])
    (stale,) = explain.reminders(known, RULES, NOON, NOTHING_FRESH)
    (fresh,) = explain.reminders(known, RULES, NOON, ALL_FRESH)
    assert stale.why.endswith("kept back: the invoices of WHMCS are not fresh")
    assert fresh.why.endswith("called for: the next refresh sends it")
