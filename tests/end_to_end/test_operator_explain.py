"""`explain` as an operator reads it: whom it finds, what it says, and what it keeps to itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.end_to_end.stage import Stage


@pytest.fixture
def notified(stage: Stage) -> Stage:
    """Three customers after their baseline; the first owes two invoices and was reminded of the one that is due."""
    stage.add_customers(3)
    stage.add_due_invoices(1)
    stage.add_due_invoices(1, due=date(2026, 3, 30))
    assert 0 == stage.run("all").code
    return stage


def explained(stage: Stage, asked: object) -> dict[str, Any]:
    return stage.me_status("explain", asked, "--as-of", stage.now, "--json").answer


@pytest.mark.parametrize("asked", ["001Sd0000000001IAA", "001Sd0000000001", "1"])
def test_a_customer_is_found_by_either_id(notified: Stage, asked: str) -> None:
    """An Account id of 15 or 18 characters, or the WHMCS client id."""
    assert notified.customers[0] == explained(notified, asked)["customerId"]


def test_a_merged_account_is_explained_as_its_winner(notified: Stage) -> None:
    """And says so."""
    winner, loser, _ = notified.customers
    notified.later(minutes=5)
    notified.org.merge(winner, loser)
    notified.run("all")
    assert (winner, loser) == (explained(notified, loser)["customerId"], explained(notified, loser)["mergedAccount"])
    assert f"customer {winner}, to which {loser} was merged" in notified.me_status("explain", loser).out


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("001Sd0000000099IAA", "is not in the snapshot"),
        ("4711", "no customer names WHMCS client 4711"),
    ],
)
def test_nobody_is_meant(notified: Stage, asked: str, says: str) -> None:
    """Exit 1, nothing on standard output, and what to do."""
    done = notified.me_status("explain", asked)
    assert (1, "", True) == (done.code, done.out, says in done.err), done.err


def test_a_client_of_two_customers_is_served_to_none(notified: Stage) -> None:
    """Both are named; each is explained with its rival."""
    first, second, _ = notified.customers
    notified.later(minutes=5)
    notified.org.update("Account", second, WHMCS_Client_Id__c="1")
    notified.run("all")
    done = notified.me_status("explain", "1")
    assert (1, True) == (done.code, f"claimed by {first}, {second}" in done.err)
    found = explained(notified, first)
    assert ("conflict", f"WHMCS client 1: claimed by {second} too") == (found["link"]["state"], found["link"]["why"])
    unknown = [task["why"] for task in found["tasks"] if task["why"].startswith("not known")]
    assert ["not known: the link to WHMCS is in doubt"] * 3 == unknown


def test_tasks_come_with_the_values_behind_them(notified: Stage) -> None:
    """Those it has and those it has not."""
    assert [
        ("invoice_due", True, "invoice 1 Unpaid, due 2026-03-12, today 2026-03-10 (Asia/Tokyo), within 7 days"),
        ("add_payment_method", False, "1 stored pay method"),
        ("order_in_progress", False, "no order"),
        ("eligibility_pending", False, "eligibility_status is not_requested"),
        ("verification_rejected", False, "verification_status is not_submitted"),
        ("onboarding", False, "there is another task: invoice_due"),
    ] == [(task["type"], task["applies"], task["why"]) for task in explained(notified, "1")["tasks"]]


def test_what_comes_next_has_its_reason(notified: Stage) -> None:
    """The document's next change, and the reminders in the order in which they come."""
    found = explained(notified, "1")
    assert {"at": "2026-03-12T15:00:00Z", "why": "invoice 1, due 2026-03-12, becomes overdue"} == found["nextChange"]
    assert [("1", "2026-03-11T00:00:00Z"), ("2", "2026-03-22T15:00:00Z"), ("1", "2029-11-30T15:00:00Z")] == [
        (one["sourceId"], one["nextAt"]) for one in found["reminders"]
    ]
    assert "sent at 2026-03-10T00:00:00Z, again once 24 h have passed" in found["reminders"][0]["why"]


def test_notifications_name_their_transition_or_values(notified: Stage) -> None:
    """And until when dedupe suppresses their like."""
    notified.later(minutes=5)
    notified.org.update("Account", notified.customers[0], Internet_Eligibility_Status__c="Eligible")
    notified.run("all")
    eligible, due = explained(notified, "1")["notifications"]
    assert "eligibility_status not_requested -> eligible, seen by run 4" in eligible["why"]
    assert (True, "2026-03-10T01:05:00Z") == (eligible["isWithinWindow"], eligible["sameAgainFrom"])
    assert "invoice 1 Unpaid, due 2026-03-12, today 2026-03-10 (Asia/Tokyo), within 7 days" == due["why"]


def test_what_dedupe_suppressed_says_when_it_passes(notified: Stage) -> None:
    """A status that comes back within the hour is recorded and not notified again."""
    customer = notified.customers[0]
    for status in ("Eligible", "Pending", "Eligible"):
        notified.later(minutes=5)
        notified.org.update("Account", customer, Internet_Eligibility_Status__c=status)
        notified.run("all")
    (suppressed,) = explained(notified, customer)["suppressed"]
    assert ("ELIGIBILITY_ELIGIBLE", "window", "2026-03-10T01:05:00Z") == (
        suppressed["type"],
        suppressed["reason"],
        suppressed["passesAt"],
    )
    assert (
        "one was sent within its window, passes from 2026-03-10T01:05:00Z"
        in notified.me_status("explain", customer).out
    )


def test_what_waits_in_a_held_run_is_explained(stage: Stage) -> None:
    """Its reminder says that nothing more comes until that is decided; a discarded one says so, too."""
    stage.add_customers(1)
    stage.add_due_invoices(101)
    run_id = stage.run("all", "--json").answer["runs"][-1]["runId"]
    found = explained(stage, "1")
    assert {run_id} == {waiting["runId"] for waiting in found["waiting"]}
    assert "waits in a held run; nothing more until that is decided" in found["reminders"][-1]["why"]
    assert f"waits in held run {run_id}" in stage.me_status("explain", 1).out
    stage.me_status("held", "discard", run_id, "--as-of", stage.now)
    found = explained(stage, "1")
    assert ("discarded", []) == (found["suppressed"][0]["reason"], found["waiting"])
    assert "discarded by the operator at 2026-03-10T00:00:00Z" in found["reminders"][0]["why"]


def test_a_document_behind_its_facts_is_said_to_be(notified: Stage) -> None:
    """A sync without a refresh marks the customer; time alone is reported, too."""
    assert (True, None) == (
        explained(notified, "1")["document"]["isCurrent"],
        explained(notified, "1")["document"]["markedAt"],
    )
    notified.later(minutes=5)
    notified.install.pay_invoice(1)
    notified.run("sync-whmcs")
    assert notified.now == explained(notified, "1")["document"]["markedAt"]
    assert "the next refresh computes it anew" in notified.me_status("explain", 1, "--as-of", notified.now).out


def test_the_text_is_short_and_keeps_names_to_itself(notified: Stage) -> None:
    """Ids and statuses; no name, no e-mail address, no card."""
    done = notified.me_status("explain", 1, "--as-of", notified.now)
    assert 0 == done.code
    for personal in ("Sato", "Ana", "example.org", "1111"):
        assert personal not in done.out
    assert len(done.out.splitlines()) < 50
    assert max(map(len, done.out.splitlines())) < 180
