"""Who is notified of what, when again, and when a notification is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from materializer.rules.facts import Facts, Unresolved
from materializer.rules.notifications import Decision, decide, is_over
from materializer.rules.reminders import NOTHING_FRESH, FreshFacts
from tests.builders import (
    ALL_FRESH,
    CUSTOMER,
    NOON,
    account,
    card,
    facts,
    invoice,
    order,
    pending,
    reminder,
    rules,
    service,
    unlinked,
    unresolved,
)

RULES = rules()
ORDER_ID = "801000000000001AAA"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def decision(known: Facts, now: datetime = NOON, *, fresh: FreshFacts = ALL_FRESH, **invoice_due: Any) -> Decision:
    return decide(known, rules(**invoice_due) if invoice_due else RULES, now, fresh)


def sent(known: Facts, now: datetime = NOON, **given: Any) -> list[tuple[str, str]]:
    return [(one.type, one.source_id) for one in decision(known, now, **given).candidates]


def due(at: date = date(2026, 3, 10), **given: Any) -> Facts:
    return facts(invoices=[invoice(due_on=at)], **given)


@pytest.mark.parametrize(
    ("expected", "known"),
    [
        ([("ELIGIBILITY_ELIGIBLE", CUSTOMER)], facts(pending=[pending("ELIGIBILITY_ELIGIBLE")])),
        (
            [("ORDER_FAILED", ORDER_ID)],
            facts(orders=[order(stage="failed")], pending=[pending("ORDER_FAILED", ORDER_ID)]),
        ),
        ([], facts(pending=[pending("ORDER_FAILED", ORDER_ID)])),
        (
            [("CANCELLATION_SCHEDULED", "7")],
            facts(services=[service()], pending=[pending("CANCELLATION_SCHEDULED", 7)]),
        ),
        ([], facts(services=[service(status="Cancelled")], pending=[pending("CANCELLATION_SCHEDULED", 7)])),
        ([], unlinked(pending=[pending("CANCELLATION_SCHEDULED", 7)])),
        (
            [("CANCELLATION_COMPLETE", "7")],
            facts(services=[service(status="Cancelled")], pending=[pending("CANCELLATION_COMPLETE", 7)]),
        ),
    ],
)
def test_what_was_observed_is_notified(expected: list[tuple[str, str]], known: Facts) -> None:
    """Each observed transition once; none of a service that has ended, nor of what is not this customer's."""
    assert expected == sent(known)


def test_an_invoice_is_told_of_when_due_and_again_after_its_window() -> None:
    """First at the start of the seventh day before; then exactly 24 hours after the last, not a moment earlier."""
    start = datetime(2026, 3, 3, tzinfo=UTC)
    assert [] == sent(due(), start - timedelta(microseconds=1))
    assert [("INVOICE_DUE", "1042")] == sent(due(), start)
    again = due(reminders=[reminder("INVOICE_DUE", 1042, NOON)])
    assert [] == sent(again, NOON + DAY - timedelta(microseconds=1))
    assert [("INVOICE_DUE", "1042")] == sent(again, NOON + DAY)


def test_stale_data_reminds_nobody_and_forgets_nothing() -> None:
    """Nothing is sent, and the moment stays in the past until data is fresh."""
    made = decision(due(), fresh=NOTHING_FRESH)
    assert [] == made.candidates
    assert made.next_notification_at == datetime(2026, 3, 3, tzinfo=UTC)


def test_each_reminder_rests_on_its_own_facts() -> None:
    """Invoices not fresh: the card alone. Its client's pay methods read too long ago, or never: the invoice alone."""
    both = due(pay_methods=[card(expires_on=date(2026, 3, 31))])
    never = due(pay_methods=[card(expires_on=date(2026, 3, 31))], pay_methods_read_at=None)
    expected = [["PAYMENT_METHOD_EXPIRING"], ["INVOICE_DUE"], ["INVOICE_DUE"]]
    young, old = FreshFacts(False, NOON), FreshFacts(True, NOON + HOUR)
    made = [decision(both, fresh=young), decision(both, fresh=old), decision(never, fresh=ALL_FRESH)]
    assert expected == [[one.type for one in each.candidates] for each in made]


def test_what_waits_in_a_held_run_is_not_called_for_again() -> None:
    """A reminder in the outbox neither comes nor has a next time."""
    made = decision(due(reminders=[reminder("INVOICE_DUE", 1042, is_waiting=True)], pay_methods=[]))
    assert ([], None) == (made.candidates, made.next_notification_at)


def test_a_discarded_reminder_counts_as_sent() -> None:
    """The next one comes a window after the discarding."""
    known = due(reminders=[reminder("INVOICE_DUE", 1042, discarded_at=NOON)])
    assert [] == sent(known, NOON + DAY - HOUR)
    assert [("INVOICE_DUE", "1042")] == sent(known, NOON + DAY)


@pytest.mark.parametrize(
    ("expected", "last", "now"),
    [
        (False, None, datetime(2026, 3, 6, 23, 59, tzinfo=UTC)),
        (True, None, datetime(2026, 3, 7, tzinfo=UTC)),
        (True, None, datetime(2026, 3, 8, tzinfo=UTC)),
        (False, datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)),
        (True, datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)),
        (False, datetime(2026, 3, 8, 1, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)),
        (True, datetime(2026, 3, 8, 1, tzinfo=UTC), datetime(2026, 3, 9, 1, tzinfo=UTC)),
        (False, datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 16, 23, tzinfo=UTC)),
        (True, datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 17, tzinfo=UTC)),
        (True, datetime(2026, 3, 17, tzinfo=UTC), datetime(2026, 3, 24, tzinfo=UTC)),
    ],
)
def test_steps_remind_once_each(expected: bool, last: datetime | None, now: datetime) -> None:
    """Due on the 10th, steps 3, 1, 0, then weekly: each step once, never within the window of the last."""
    kept = [] if last is None else [reminder("INVOICE_DUE", 1042, last)]
    assert expected == bool(sent(due(reminders=kept), now, steps=(3, 1, 0), then_every_days=7))


@pytest.mark.parametrize(
    ("expected", "now", "last"),
    [
        (False, datetime(2026, 3, 30, 23, 59, tzinfo=UTC), None),
        (True, datetime(2026, 3, 31, tzinfo=UTC), None),
        (False, datetime(2026, 4, 22, 23, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        (True, datetime(2026, 4, 23, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        (True, datetime(2026, 5, 1, tzinfo=UTC) - timedelta(microseconds=1), None),
        (False, datetime(2026, 5, 1, tzinfo=UTC), None),
    ],
)
def test_a_card_is_told_of_at_thirty_and_seven_days(expected: bool, now: datetime, last: datetime | None) -> None:
    """Its last day is 30 April: notified on 31 March, again on 23 April, never once it is past."""
    kept = [] if last is None else [reminder("PAYMENT_METHOD_EXPIRING", 3, last)]
    april = facts(pay_methods=[card(expires_on=date(2026, 4, 30))], reminders=kept)
    assert expected == bool(sent(april, now))


@given(st.datetimes(datetime(2026, 2, 20), datetime(2026, 5, 1), timezones=st.just(UTC)), st.booleans())  # noqa: DTZ001
def test_next_notification_at_is_exact(now: datetime, has_steps: bool) -> None:
    """Nothing is called for before it, something at it."""
    settings: dict[str, Any] = {"steps": (7, 1), "then_every_days": 7} if has_steps else {}
    first = decision(due(date(2026, 3, 20)), now, **settings)
    kept = [reminder("INVOICE_DUE", 1042, now)] if first.candidates else []
    known = due(date(2026, 3, 20), reminders=kept)
    at = first.next_notification_at
    assert at is not None
    assert at > now
    assert [] == sent(known, at - timedelta(microseconds=1), **settings)
    assert [("INVOICE_DUE", "1042")] == sent(known, at, **settings)


@pytest.mark.parametrize(
    ("expected", "stands", "known"),
    [
        (True, unresolved("INVOICE_DUE", 1042), facts()),
        (True, unresolved("INVOICE_DUE", 1042), facts(invoices=[invoice(status="Paid")])),
        (True, unresolved("INVOICE_DUE", 1042), facts(invoices=[invoice(due_on=date(2026, 4, 9))])),
        (False, unresolved("INVOICE_DUE", 1042), due()),
        (None, unresolved("INVOICE_DUE", 1042), facts(invoices=[invoice(status="Mystery")])),
        (None, unresolved("INVOICE_DUE", 1042), unlinked()),
        (True, unresolved("ELIGIBILITY_ELIGIBLE"), facts()),
        (False, unresolved("ELIGIBILITY_ELIGIBLE"), facts(account=account(eligibility_status="eligible"))),
        (None, unresolved("VERIFICATION_REJECTED"), facts(account=account(verification_status="unknown"))),
        (True, unresolved("VERIFICATION_REJECTED"), facts(account=account(verification_status="verified"))),
        (True, unresolved("ORDER_APPROVED", ORDER_ID), facts(orders=[order(stage="activated")])),
        (False, unresolved("ORDER_APPROVED", ORDER_ID), facts(orders=[order(stage="approved")])),
        (True, unresolved("ORDER_APPROVED", ORDER_ID), facts()),
        (None, unresolved("ORDER_APPROVED", ORDER_ID), facts(orders=None)),
        (True, unresolved("CANCELLATION_SCHEDULED", 7), facts(services=[service()])),
        (False, unresolved("CANCELLATION_SCHEDULED", 7), facts(services=[service()], cancelled_services=[7])),
        (
            True,
            unresolved("CANCELLATION_SCHEDULED", 7),
            facts(services=[service(status="Terminated")], cancelled_services=[7]),
        ),
        (True, unresolved("CANCELLATION_COMPLETE", 7), facts(services=[service()])),
        (None, unresolved("CANCELLATION_COMPLETE", 7), unlinked()),
        (True, unresolved("PAYMENT_METHOD_EXPIRING", 3), facts()),
        (True, unresolved("PAYMENT_METHOD_EXPIRING", 3), facts(pay_methods=[])),
        (False, unresolved("PAYMENT_METHOD_EXPIRING", 3), facts(pay_methods=[card(expires_on=date(2026, 3, 31))])),
        (None, unresolved("PAYMENT_METHOD_EXPIRING", 3), unlinked()),
        (False, unresolved("SYSTEM_ANNOUNCEMENT", "announcement-1"), facts()),
    ],
)
def test_when_it_is_over(expected: bool | None, stands: Unresolved, known: Facts) -> None:
    """Over when known to be; unknown never resolves; announcements never do."""
    assert expected == is_over(stands, known, RULES, NOON)


def test_wording_comes_from_the_data_file() -> None:
    """Title, message, link and window as the file says, with the values filled in."""
    (told_of,) = decision(due()).candidates
    assert told_of.message == "Invoice 1042 for ¥3,300 is due on March 10, 2026."
    assert (86400, "/account/billing/invoices") == (told_of.window_seconds, told_of.action_url)


def said(known: Facts, **given: Any) -> tuple[str, str]:
    (one,) = decide(known, rules(**given), NOON, ALL_FRESH).candidates
    return one.message, one.tone


def test_an_overdue_invoice_is_spoken_of_in_the_past() -> None:
    """Due today is due; due yesterday was due, and is critical. The title stays that of the seed."""
    assert ("Invoice 1042 for ¥3,300 is due on March 10, 2026.", "warning") == said(due())
    expected = "Invoice 1042 for ¥3,300 was due on March 9, 2026. Please pay it as soon as you can."
    assert (expected, "critical") == said(due(date(2026, 3, 9)))
    assert ["Invoice due"] == [one.title for one in decision(due(date(2026, 3, 9))).candidates]


def test_data_travels_beside_the_words() -> None:
    """Ids, names, amounts and dates that apply, and nothing else."""
    invoiced = decision(due(date(2026, 3, 9), account=account())).candidates[0]
    expected = {"invoiceId": 1042, "dueDate": "2026-03-09", "amount": "3300.00", "currency": "JPY"}
    assert expected == to_builtins(invoiced.about)
    expiring = decision(facts(pay_methods=[card(expires_on=date(2026, 3, 31))])).candidates[0]
    assert {"payMethodId": 3, "cardLastFour": "4242", "expiresOn": "2026-03-31"} == to_builtins(expiring.about)
    ordered = facts(orders=[order(stage="failed")], pending=[pending("ORDER_FAILED", ORDER_ID)])
    assert {"orderId": ORDER_ID, "orderNumber": "00000100"} == to_builtins(decision(ordered).candidates[0].about)


def test_a_rejection_carries_the_message_of_the_reviewer() -> None:
    """In words and as data where there is one; else the plain message."""
    rejected = account(verification_status="rejected", verification_notes=" The photo is {blurred}. ")
    (one,) = decision(facts(account=rejected, pending=[pending("VERIFICATION_REJECTED")])).candidates
    assert "“The photo is {blurred}.”" in one.message
    assert {"reviewerNotes": "The photo is {blurred}."} == to_builtins(one.about)
    (plain,) = decision(facts(pending=[pending("VERIFICATION_REJECTED")])).candidates
    assert "We could not verify your residence card. Please submit it again." == plain.message


def test_a_cancellation_says_when_it_takes_effect() -> None:
    """The end of the period where the request waits for it; an immediate one has no date."""
    wanted = [pending("CANCELLATION_SCHEDULED", 7)]
    (dated,) = decision(facts(services=[service(cancelled_as_of=date(2026, 3, 31))], pending=wanted)).candidates
    assert "We received the cancellation request for Home Internet. It ends on March 31, 2026." == dated.message
    assert {"serviceId": 7, "serviceName": "Home Internet", "endsOn": "2026-03-31"} == to_builtins(dated.about)
    (plain,) = decision(facts(services=[service(product_name=None)], pending=wanted)).candidates
    assert "We received the cancellation request for service 7." == plain.message


def test_words_are_in_the_customers_language() -> None:
    """The account's language, else that of the rules; money and dates as it writes them."""
    expected = "請求書 1042（¥3,300）のお支払い期限は2026年3月10日です。"
    assert expected == said(due(account=account(language="ja")))[0]
    assert expected == said(due(), language="ja")[0]
    assert expected != said(due(account=account(language="en")), language="ja")[0]


def test_links_take_names_escaped() -> None:
    """What stands in braces is one part of a path, whatever it holds."""
    made = decision(due(), action_url="/account/billing/invoices/{invoice_id}?number={invoice_number}").candidates
    assert ["/account/billing/invoices/1042?number=1042"] == [one.action_url for one in made]
    odd = facts(invoices=[invoice(due_on=date(2026, 3, 10), invoice_number="A/B 1&c=é")])
    made = decision(odd, action_url="/pay/{invoice_number}").candidates
    assert ["/pay/A%2FB%201%26c%3D%C3%A9"] == [one.action_url for one in made]
