"""The to-do list: which tasks, in which order, saying what."""

from __future__ import annotations

from datetime import date

import pytest

from materializer.rules.facts import Facts
from materializer.rules.tasks import Task, tasks_of
from tests.builders import TODAY, account, facts, invoice, order, rules, service, unlinked

RULES = rules()


def tasks(known: Facts) -> list[Task]:
    return tasks_of(known, RULES, TODAY)


def types(known: Facts) -> list[str]:
    return [task.type for task in tasks(known)]


def test_all_come_in_the_order_of_the_seed() -> None:
    """Priority first: invoice, pay method, order, eligibility, verification; never onboarding beside another."""
    known = facts(
        account=account(eligibility_status="pending", verification_status="rejected"),
        invoices=[invoice(due_on=TODAY)],
        pay_methods=[],
        orders=[order()],
    )
    expected = [
        (1, "invoice-1042", "invoice_due"),
        (2, "add-payment-method", "add_payment_method"),
        (3, "order-801000000000001AAA", "order_in_progress"),
        (4, "eligibility-pending", "eligibility_pending"),
        (5, "verification-rejected", "verification_rejected"),
    ]
    assert expected == [(task.priority, task.id, task.type) for task in tasks(known)]


@pytest.mark.parametrize(
    ("expected", "due_on"),
    [
        ([], date(2026, 3, 18)),
        (["warning"], date(2026, 3, 17)),
        (["warning"], date(2026, 3, 10)),
        (["critical"], date(2026, 3, 9)),
        ([], None),
    ],
)
def test_an_invoice_is_due_seven_days_ahead(expected: list[str], due_on: date | None) -> None:
    """Due: no later than today and seven days; overdue: before today; without a due date: neither."""
    assert expected == [task.tone for task in tasks(facts(invoices=[invoice(due_on=due_on)], services=[service()]))]


@pytest.mark.parametrize("status", ["Draft", "Payment Pending", "Collections", "Refunded", "Cancelled", "Paid", None])
def test_only_unpaid_is_unpaid(status: str | None) -> None:
    """No other status makes an invoice due."""
    assert [] == tasks(facts(invoices=[invoice(due_on=TODAY, status=status)], services=[service()]))


def test_one_task_speaks_of_the_earliest_invoice_and_counts_the_others() -> None:
    """Earliest due date, then lowest id; what is not due yet is not counted."""
    due = [invoice(9, due_on=date(2026, 3, 9)), invoice(8, due_on=date(2026, 3, 9)), invoice(1, due_on=TODAY)]
    (task,) = tasks(facts(invoices=[*due, invoice(2)]))
    assert (8, 2, "3300.00") == (task.about.invoice_id, task.about.other_invoices, task.about.amount)
    assert task.description == "Invoice 8 for ¥3,300 was due on March 9, 2026."


def test_a_pay_method_is_asked_for_only_when_known_to_be_missing() -> None:
    """0 asks; not known does not."""
    assert ["add_payment_method"] == types(facts(pay_methods=[], services=[service()]))
    assert [] == types(facts(pay_methods=[], pay_methods_read_at=None, services=[service()]))
    assert [] == types(facts(pay_methods=None, services=[service()]))


@pytest.mark.parametrize(
    ("expected", "known"),
    [
        (["onboarding"], facts()),
        (["onboarding"], facts(orders=[order(stage="draft")])),
        ([], facts(orders=[order(stage="activated")])),
        ([], facts(services=[service(status="Cancelled")])),
        ([], facts(services=None)),
        ([], facts(orders=None)),
        (["onboarding"], unlinked()),
        ([], unlinked(link="dangling")),
        ([], unlinked(link="conflict")),
        ([], unlinked(orders=None)),
        ([], unlinked(orders=[order(stage="activated")])),
        (["eligibility_pending"], facts(account=account(eligibility_status="pending"))),
    ],
)
def test_onboarding_needs_knowledge(expected: list[str], known: Facts) -> None:
    """Services and orders both known and none, a draft counting as none; an empty link means that there is none."""
    assert expected == types(known)


def test_each_order_in_progress_has_a_task() -> None:
    """One per order in stage in_progress or approved."""
    orders = [
        order(f"80100000000000{n}AAA", stage=stage) for n, stage in enumerate(("approved", "failed", "in_progress"))
    ]
    assert ["order-801000000000000AAA", "order-801000000000002AAA"] == [task.id for task in tasks(facts(orders=orders))]
