"""Hints, from the word to the new document: `sync-hinted` against both stand-ins."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from jobs.sandbox.salesforce import app
from jobs.sandbox.server import StandIn
from tests.end_to_end.stage import Stage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@pytest.fixture
def synced(stage: Stage) -> Stage:
    """Two customers, of whom everything was read; the first has an invoice to pay."""
    stage.add_customers(2)
    stage.add_due_invoices(1)
    assert 0 == stage.run("all").code
    stage.later(minutes=1)
    return stage


def document(stage: Stage, customer: str) -> dict[str, Any]:
    """What is served to the customer."""
    ((found,),) = stage.rows(f"select document from me_status where customer_id = '{customer}'")
    read = json.loads(found) if isinstance(found, str) else found
    assert isinstance(read, dict)
    return read


def tasks(stage: Stage, customer: str) -> list[str]:
    return [task["type"] for task in document(stage, customer)["tasks"]]


def hinted(stage: Stage, *customers: object) -> dict[str, Any]:
    """A hint, and one run that follows it."""
    assert 0 == stage.me_status("hint", *customers).code
    done = stage.run("sync-hinted", "--json")
    assert 0 == done.code, done.err
    return done.answer


def test_what_a_customer_just_did_is_served(synced: Stage) -> None:
    """A paid invoice and a new card, read by one run, with the notifications that belong to them; cursors stay."""
    states = synced.rows("select stream, cursor_at, synced_at, read_at, full_at from pipeline.stream_state order by 1")
    assert "invoice_due" in tasks(synced, synced.customers[0])
    synced.install.pay_invoice(1)
    synced.install.add_pay_method(1)
    synced.org.update("Account", synced.customers[0], Internet_Eligibility_Status__c="Eligible")
    answer = hinted(synced, synced.customers[0])
    assert "invoice_due" not in tasks(synced, synced.customers[0])
    assert 2 == document(synced, synced.customers[0])["paymentMethods"]["totalCount"]
    assert ["ELIGIBILITY_ELIGIBLE"] == [row["type"] for row in answer["notifications"]]
    assert (1, 1) == (answer["counts"]["hints_read"], answer["counts"]["customers"])
    assert states == synced.rows(
        "select stream, cursor_at, synced_at, read_at, full_at from pipeline.stream_state order by 1"
    )
    assert [] == synced.rows("select subject_id from pipeline.hint")
    assert [("operator", "read", 1)] == synced.rows("select origin, outcome, hints from pipeline.hint_count")


def test_a_client_is_a_customer_too(synced: Stage) -> None:
    """A hook of WHMCS knows the client alone; its account is read as well."""
    synced.org.update("Account", synced.customers[0], Internet_Eligibility_Status__c="Ineligible")
    synced.install.pay_invoice(1)
    hinted(synced, 1)
    assert "ineligible" == document(synced, synced.customers[0])["internetEligibility"]["status"]
    assert "invoice_due" not in tasks(synced, synced.customers[0])


def test_an_invoice_that_changed_hands_leaves_its_former_owner_with_the_same_run(synced: Stage) -> None:
    """Only the new owner is hinted: the invoice never stands in two documents."""
    before, after = synced.customers[:2]
    synced.install.tables["invoices"].change(1, userid=2)
    hinted(synced, after)
    owners = [one for one in (before, after) if "invoice-1-created" in json.dumps(document(synced, one))]
    assert [after] == owners


def test_a_former_owner_who_is_read_alone_stays_as_old_as_before(synced: Stage) -> None:
    """The invoice is not gone, so it stays until its new owner is read; nothing of it claims to be younger."""
    before, after = synced.customers[:2]
    old = billing_read_at(synced, before)
    synced.install.tables["invoices"].change(1, userid=2)
    hinted(synced, before)
    owners = [one for one in (before, after) if "invoice-1-created" in json.dumps(document(synced, one))]
    assert ([before], old) == (owners, billing_read_at(synced, before))
    hinted(synced, after)
    owners = [one for one in (before, after) if "invoice-1-created" in json.dumps(document(synced, one))]
    assert [after] == owners
    hinted(synced, before)
    assert billing_read_at(synced, before) > old


def billing_read_at(stage: Stage, customer: str) -> Any:
    """When the facts that the customer's billing rests on were read."""
    ((read_at,),) = stage.rows(f"select billing_at from pipeline.fact_age where customer_id = '{customer}'")
    return read_at


def test_a_link_that_a_hinted_reading_put_in_doubt_is_listed_after_the_next_sync(synced: Stage) -> None:
    """Which finds nothing changed itself: finding what is in doubt reads all links, and a hinted run must not wait."""
    one, other = synced.customers[:2]
    synced.org.update("Account", other, WHMCS_Client_Id__c="1")
    hinted(synced, other)
    synced.later(minutes=5)
    assert 0 == synced.run("sync-salesforce").code
    conflicts = synced.me_status("status", "--json").answer["problems"]["linkConflicts"]
    assert [one, other] == [claim["customerId"] for claim in conflicts]


def test_who_just_signed_up_is_served_as_soon_as_read(synced: Stage) -> None:
    """An account that no pull has seen, and its client, which only the account names."""
    (account,) = synced.add_customers(1)
    hinted(synced, account)
    assert ("linked", 1) == (
        document(synced, account)["billing"]["state"],
        document(synced, account)["paymentMethods"]["totalCount"],
    )


def test_records_that_left_are_removed_after_a_look_up(synced: Stage) -> None:
    """A card taken away, an account deleted; of ids that no source knows nothing stays."""
    synced.install.remove_pay_method(1)
    synced.org.delete("Account", synced.customers[1])
    answer = hinted(synced, 1, synced.customers[1], 999, "001000000000001AAA")
    assert 0 == document(synced, synced.customers[0])["paymentMethods"]["totalCount"]
    assert [] == synced.rows(f"select 1 from me_status where customer_id = '{synced.customers[1]}'")
    assert [] == synced.rows("select subject_id from pipeline.hint")
    assert 3 == answer["counts"]["hints_unknown"]


def test_a_run_without_work_leaves_no_row(synced: Stage) -> None:
    """Neither by hand nor by cron each minute."""
    assert 0 == synced.run("sync-hinted").code
    skipped = synced.me_status("run", "sync-hinted", "--slot", "--json")
    assert (0, "skipped") == (skipped.code, skipped.answer["outcome"])
    assert [] == synced.rows("select run_id from job_run where job = 'sync-hinted'")


def test_cron_follows_hints_by_slots(synced: Stage) -> None:
    """A slot becomes one run."""
    synced.install.pay_invoice(1)
    synced.me_status("hint", 1)
    assert 0 == synced.me_status("run", "sync-hinted", "--slot").code
    assert "invoice_due" not in tasks(synced, synced.customers[0])
    assert [(True,)] == synced.rows("select due_at is not null from job_run where job = 'sync-hinted'")


def test_a_hint_waits_for_a_source_that_is_away(synced: Stage) -> None:
    """What the other source says is served; the answer stays what it was; the next attempt is put off."""
    synced.install.pay_invoice(1)
    synced.org.update("Account", synced.customers[0], Internet_Eligibility_Status__c="Eligible")
    synced.me_status("hint", synced.customers[0])
    synced.monkeypatch.setenv("SALESFORCE_CONSUMER_SECRET", "wrong")
    failed = synced.run("sync-hinted", "--json")
    assert (1, "failed") == (failed.code, failed.answer["outcome"])
    assert "invoice_due" not in tasks(synced, synced.customers[0])
    assert [(["salesforce"],)] == synced.rows("select sources from pipeline.hint")
    synced.monkeypatch.setenv("SALESFORCE_CONSUMER_SECRET", synced.org.consumer_secret)
    assert 0 == synced.run("sync-hinted").code
    assert [1] == [count for (count,) in synced.rows("select count(*) from pipeline.hint")]
    synced.rows("update pipeline.source_state set hints_after = now() returning 1")
    assert 0 == synced.run("sync-hinted").code
    assert "eligible" == document(synced, synced.customers[0])["internetEligibility"]["status"]
    assert [(0,)] == synced.rows("select hint_attempts from pipeline.source_state where source = 'salesforce'")


def test_hints_grow_old_by_the_clock_that_noted_them(synced: Stage) -> None:
    """A run as of next year follows what was noted just now; what has waited for more than a day is dropped."""
    synced.install.pay_invoice(1)
    synced.later(days=400)
    hinted(synced, 1)
    assert "invoice_due" not in tasks(synced, synced.customers[0])
    synced.me_status("hint", 1)
    yesterday = "now() - interval '25 hours'"
    synced.rows(f"update pipeline.hint set first_at = {yesterday}, last_at = {yesterday} returning 1")
    assert 0 == synced.run("sync-hinted").code
    assert [("expired", 1), ("read", 1)] == synced.rows("select outcome, hints from pipeline.hint_count order by 1")
    assert [] == synced.rows("select subject_id from pipeline.hint")


def test_a_rehearsal_says_what_would_change_and_keeps_the_hint(synced: Stage) -> None:
    """Nothing is written."""
    synced.install.pay_invoice(1)
    synced.me_status("hint", 1)
    before = synced.everything()
    done = synced.run("sync-hinted", "--dry-run", "--json")
    assert (0, 1) == (done.code, done.answer["counts"]["invoice"]["changed"])
    assert before == synced.everything()


def test_a_mass_of_hints_does_not_slip_past_the_flood_gate(synced: Stage) -> None:
    """Hinted refreshes of an hour count as one run: the second small one is held."""
    customers = synced.add_customers(120)
    assert 0 == synced.run("all").code
    synced.later(minutes=1)
    for account in customers:
        synced.org.update("Account", account, Internet_Eligibility_Status__c="Eligible")
    hinted(synced, *customers[:60])
    synced.later(minutes=30)
    synced.me_status("hint", *customers[60:])
    held = synced.run("sync-hinted", "--json")
    assert (3, "held") == (held.code, held.answer["outcome"])
    about = held.answer["held"]["types"]["ELIGIBILITY_ELIGIBLE"]
    assert (60, 60, 100) == (about["notifications"], about["alreadySent"], about["limit"])
    assert "eligible" == document(synced, customers[-1])["internetEligibility"]["status"]


def test_ages_of_facts_and_what_became_of_hints_are_told(synced: Stage) -> None:
    """`status` and `explain`: a hinted reading makes one customer's facts younger, not the source's oldest."""
    synced.rows(
        "update pipeline.pay_method_reading set read_at = read_at - interval '20 hours' where client_id = 2 returning 1"
    )
    synced.rows(
        "update pipeline.stream_state set read_at = read_at - interval '2 hours' where stream = 'invoice' returning 1"
    )
    hinted(synced, synced.customers[0], "001000000000001AAA")
    synced.me_status("hint", 2)
    state = synced.me_status("status", "--json").answer
    assert (1, {"read": 1, "unknown": 1}) == (state["hints"]["waiting"], state["hints"]["counts"]["operator"])
    assert state["hints"]["oldestAt"] is not None
    assert (True, []) == (state["facts"]["pay_method"]["ageSeconds"] >= 72_000, state["eventChannels"])
    said = synced.me_status("status").out
    assert "hints: 1 waiting, the first since" in said
    assert "oldest facts: account" in said
    read = {
        customer: {
            age["stream"]: age["readAt"] for age in synced.me_status("explain", customer, "--json").answer["sources"]
        }
        for customer in synced.customers
    }
    assert all(
        read[synced.customers[0]][stream] > read[synced.customers[1]][stream] for stream in ("invoice", "pay_method")
    )


def test_one_customer_costs_fourteen_requests_at_most(synced: Stage) -> None:
    """6 of Salesforce, its login aside, and 8 of WHMCS: with orders, cases, services and two unpaid invoices."""
    customer = synced.customers[0]
    for number in range(3):
        synced.org.insert("Order", AccountId=customer, Status="Approved", OrderNumber=f"{number}")
        synced.org.insert("Case", AccountId=customer, Status="New", CaseNumber=f"{number}")
        synced.install.add_service(1)
    synced.add_due_invoices(1)
    asked: dict[str, list[str]] = {"salesforce": [], "whmcs": []}

    def noting(source: str, behind: WSGIApplication) -> WSGIApplication:
        def note(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            asked[source].append(environ["PATH_INFO"])
            return behind(environ, start_response)

        return note

    with (
        StandIn(noting("salesforce", app(synced.org)), synced.clock) as crm,
        StandIn(noting("whmcs", synced.install.app()), synced.clock) as billing,
    ):
        synced.monkeypatch.setenv("SALESFORCE_INSTANCE_URL", crm.url)
        synced.monkeypatch.setenv("WHMCS_URL", billing.url)
        answer = hinted(synced, customer)
    assert (1, 3) == (answer["counts"]["hints_read"], document(synced, customer)["summary"]["stats"]["openCases"])
    of_salesforce = [path for path in asked["salesforce"] if "/oauth2/" not in path]
    assert (True, True) == (1 <= len(of_salesforce) <= 6, 1 <= len(asked["whmcs"]) <= 8), asked
