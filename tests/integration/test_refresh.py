"""Refresh over a real database: what changed is recomputed, notified once, and survives being done twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from config.database import LiveDatabase, rehearsal
from materializer.refresh import outbox, read_model
from materializer.refresh.rebuild import forecast, rebuild, recompute_batch
from materializer.refresh.refresh import Refreshed, refresh, refresh_batch
from materializer.rules import facts
from materializer.rules.rules import Rules
from materializer.units import At, Batching
from tests.builders import ALL_FRESH, LIMITS, rules

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ANNA, BERT = "001000000000001AAA", "001000000000002AAA"
RULES = rules("Asia/Tokyo")

SNAPSHOT = """
insert into snapshot.account
    (account_id, is_customer, eligibility_status, eligibility_known, verification_status, whmcs_client_id)
values ('001000000000001AAA', true, 'eligible', 'eligible', 'verified', 101),
       ('001000000000002AAA', true, 'pending', 'pending', 'rejected', null);
insert into snapshot.client (client_id) values (101);
insert into snapshot.invoice (invoice_id, client_id, status, status_known, invoiced_on, due_on, total, currency)
values (1042, 101, 'Unpaid', 'Unpaid', '2026-03-01', '2026-03-12', 3300.00, 'JPY');
insert into snapshot.service (service_id, client_id, status, status_known, product_name, registered_on)
values (7, 101, 'Active', 'Active', 'Home Internet', '2026-01-05');
insert into pipeline.stream_state (stream, synced_at, run_id)
select stream, '2026-03-10T11:55:00Z', 1
from unnest(array['account', 'order', 'case', 'client', 'invoice', 'service', 'pay_method', 'cancellation']) as stream;
update pipeline.source_state set synced_at = '2026-03-10T11:55:00Z';
insert into pipeline.refresh_mark select account_id, '2026-03-10T11:55:00Z' from snapshot.account;
insert into status_transition
    (customer_id, entity, entity_id, field, old_value, new_value, observed_at, run_id, notification_type, is_pending)
values ('001000000000001AAA', 'account', '001000000000001AAA', 'eligibility_status', 'pending', 'eligible',
        '2026-03-10T11:55:00Z', 1, 'ELIGIBILITY_ELIGIBLE', true);
"""


@pytest.fixture
def filled(database: LiveDatabase) -> LiveDatabase:
    """Two customers, both marked: Anna is linked and owes an invoice, Bert is not linked."""
    run_sql(database, SNAPSHOT)
    return database


def run_sql(database: LiveDatabase, statements: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statements))


def rows(database: LiveDatabase, question: str) -> list[tuple[Any, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


def refreshed(database: Any, run_id: int, now: datetime = NOW, rules: Rules = RULES, **given: Any) -> Refreshed:
    settings: dict[str, Any] = {"freshness": LIMITS, "batching": Batching(1)} | given
    return refresh(database, rules, At(run_id, now), **settings)


def documents(database: LiveDatabase) -> list[tuple[Any, ...]]:
    return rows(database, "select customer_id, document::text, next_change_at from me_status order by 1")


def test_what_changed_is_recomputed_and_notified(filled: LiveDatabase) -> None:
    """Both get a row; Anna hears of her eligibility and of her invoice; marks and transitions are consumed."""
    done = refreshed(filled, 10)
    assert (2, 2, {"ELIGIBILITY_ELIGIBLE": 1, "INVOICE_DUE": 1}, None) == (
        done.customers,
        done.changed,
        done.sent,
        done.held,
    )
    expected = [(ANNA, 101, 1, "invoice_due"), (BERT, None, None, "eligibility_pending")]
    assert expected == rows(
        filled, "select customer_id, whmcs_client_id, unpaid_invoice_count, top_task_type from me_status order by 1"
    )
    assert [(0, 0, 0)] == rows(
        filled,
        "select (select count(*) from pipeline.refresh_mark), (select count(*) from pipeline.notification_outbox),"
        " (select count(*) from status_transition where is_pending)",
    )


def test_a_second_run_has_nothing_to_do(filled: LiveDatabase) -> None:
    """Same data, same instant: no customer is looked at."""
    refreshed(filled, 10)
    assert Refreshed() == Refreshed(**vars(refreshed(filled, 11)))


def test_time_alone_changes_documents_and_reminds(filled: LiveDatabase) -> None:
    """Once overdue the document says so; the reminder comes again after its window, while data is fresh."""
    refreshed(filled, 10)
    later = datetime(2026, 3, 12, 15, tzinfo=UTC)
    assert {} == refreshed(filled, 11, later).sent
    assert [(1,)] == rows(filled, f"select overdue_invoice_count from me_status where customer_id = '{ANNA}'")
    run_sql(filled, "update pipeline.stream_state set synced_at = '2026-03-12T15:00:00Z'")
    assert {"INVOICE_DUE": 1} == refreshed(filled, 12, later).sent


def test_refreshed_equals_rebuilt(filled: LiveDatabase) -> None:
    """Byte for byte, at the instant of the refresh and after time has moved on."""
    for run_id, now in enumerate((NOW, NOW + DAY, NOW + 3 * DAY), start=10):
        refreshed(filled, run_id, now)
        kept = documents(filled)
        rebuild(filled, RULES, At(run_id + 50, now))
        assert kept == documents(filled)


def test_what_is_paid_is_resolved(filled: LiveDatabase) -> None:
    """The notification stays, resolved."""
    refreshed(filled, 10)
    run_sql(
        filled,
        "update snapshot.invoice set status = 'Paid', status_known = 'Paid';"
        f"insert into pipeline.refresh_mark values ('{ANNA}', now())",
    )
    assert 1 == refreshed(filled, 11, NOW + timedelta(minutes=5)).resolved
    assert [("INVOICE_DUE",)] == rows(filled, "select type from notification where resolved_at is not null")


def test_a_customer_that_is_none_any_more_leaves(filled: LiveDatabase) -> None:
    """No account: no row, and nothing is left to notify."""
    refreshed(filled, 10)
    run_sql(
        filled,
        f"delete from snapshot.account where account_id = '{BERT}';"
        f"insert into pipeline.refresh_mark values ('{BERT}', now())",
    )
    assert 1 == refreshed(filled, 11).removed
    assert [(ANNA,)] == rows(filled, "select customer_id from me_status")


def test_a_unit_done_twice_does_nothing_the_second_time(filled: LiveDatabase) -> None:
    """The same unit of the same run: the first one's counts, no second notification."""
    arguments = ("batch-0", (ANNA, BERT), RULES, At(10, NOW), ALL_FRESH)
    first = refresh_batch(filled, *arguments)
    assert first == refresh_batch(filled, *arguments)
    assert [(2,)] == rows(filled, "select count(*) from pipeline.notification_outbox")


def test_a_run_that_died_before_sending_is_carried_on(filled: LiveDatabase) -> None:
    """What it had decided goes out with the next run, once."""
    refresh_batch(filled, "batch-0", (ANNA, BERT), RULES, At(10, NOW), ALL_FRESH)
    assert {"ELIGIBILITY_ELIGIBLE": 1, "INVOICE_DUE": 1} == refreshed(filled, 11).sent
    assert {} == refreshed(filled, 12).sent


def test_a_mark_that_is_being_set_is_left_for_the_next_run(filled: LiveDatabase) -> None:
    """While another transaction holds the mark, the customer waits; nothing is lost."""
    with filled.begin() as other:
        other.execute(text(f"update pipeline.refresh_mark set marked_at = now() where customer_id = '{ANNA}'"))
        refreshed(filled, 10)
        assert [(BERT,)] == rows(filled, "select customer_id from me_status")
    refreshed(filled, 11)
    assert [(ANNA,), (BERT,)] == rows(filled, "select customer_id from me_status order by 1")


def test_who_is_tied_is_refreshed_together_or_not_at_all(filled: LiveDatabase) -> None:
    """A refresh of one takes the other along, in batches of one too; while either's mark is held, both wait."""
    run_sql(filled, "update pipeline.refresh_mark set changes_hands = true")
    with filled.begin() as other:
        other.execute(text(f"update pipeline.refresh_mark set marked_at = now() where customer_id = '{ANNA}'"))
        refreshed(filled, 10)
        assert [] == rows(filled, "select customer_id from me_status")
    assert 0 == refresh_batch(filled, "batch-0", (BERT,), RULES, At(11, NOW), ALL_FRESH)["customers"]
    refresh(filled, RULES, At(12, NOW), LIMITS, Batching(1), [BERT])
    assert [(ANNA,), (BERT,)] == rows(filled, "select customer_id from me_status order by 1")
    assert [] == rows(filled, "select customer_id from pipeline.refresh_mark")


def test_too_many_who_are_tied_are_refreshed_all_the_same(filled: LiveDatabase, monkeypatch: Any) -> None:
    """More than one transaction should hold, as after a migration: batch by batch."""
    monkeypatch.setattr(read_model, "TOGETHER_AT_MOST", 1)
    run_sql(filled, "update pipeline.refresh_mark set changes_hands = true")
    refresh(filled, RULES, At(10, NOW), LIMITS, Batching(1))
    assert [(ANNA,), (BERT,)] == rows(filled, "select customer_id from me_status order by 1")


def test_one_who_cannot_be_read_does_not_hold_up_who_is_tied_to_them(filled: LiveDatabase, monkeypatch: Any) -> None:
    """The transaction of all ends, and they come apart: the one is set aside, the other is refreshed."""
    run_sql(filled, "update pipeline.refresh_mark set changes_hands = true")
    monkeypatch.setattr(facts, "decode", unreadable(facts.decode, ANNA))
    assert 1 == refreshed(filled, 10).failed
    assert [(BERT,)] == rows(filled, "select customer_id from me_status")
    assert [(ANNA,)] == rows(filled, "select customer_id from pipeline.failed_customer")


@pytest.mark.parametrize("customer", [None, BERT])
def test_who_is_tied_is_rebuilt_together(filled: LiveDatabase, customer: str | None) -> None:
    """In batches of one, or when one of them is named: one transaction; marks stay for the refresh."""
    run_sql(filled, "update pipeline.refresh_mark set changes_hands = true")
    assert 2 == rebuild(filled, RULES, At(10, NOW), Batching(1), customer=customer).added
    assert [(2, 1)] == rows(filled, "select count(*), count(distinct xmin::text) from me_status")
    assert [(2,)] == rows(filled, "select count(*) from pipeline.refresh_mark where changes_hands")


def test_who_is_tied_is_not_recomputed_without_the_others(filled: LiveDatabase) -> None:
    """Whom new rules, or a range of a rebuild, come to while the tie is there: the refresh takes them all."""
    run_sql(filled, "update pipeline.refresh_mark set changes_hands = true")
    assert 0 == recompute_batch(filled, "batch-0", (ANNA,), RULES, At(10, NOW))["customers"]
    assert 2 == recompute_batch(filled, "batch-1", (ANNA, BERT), RULES, At(10, NOW))["customers"]


def test_one_who_cannot_be_read_does_not_hold_up_the_rebuild_of_who_is_tied(
    filled: LiveDatabase, monkeypatch: Any
) -> None:
    """They come apart, as in a refresh."""
    run_sql(filled, "update pipeline.refresh_mark set changes_hands = true")
    monkeypatch.setattr(facts, "decode", unreadable(facts.decode, ANNA))
    rebuild(filled, RULES, At(10, NOW), Batching(1))
    assert [(BERT,)] == rows(filled, "select customer_id from me_status")


def unreadable(decode: Any, customer: str) -> Any:
    """`decode` that raises where the facts name the customer."""

    def read(known: str) -> Any:
        if customer in known:
            raise ValueError("not JSON")
        return decode(known)

    return read


def test_a_rehearsal_keeps_nothing(filled: LiveDatabase) -> None:
    """A dry run counts what would happen and leaves the database as it was."""
    with rehearsal(filled.engine) as practice:
        assert {"ELIGIBILITY_ELIGIBLE": 1, "INVOICE_DUE": 1} == refreshed(practice, 10).sent
    assert [(0, 2)] == rows(
        filled, "select (select count(*) from me_status), (select count(*) from pipeline.refresh_mark)"
    )


def test_dedupe_swallows_within_the_window_and_says_so(filled: LiveDatabase) -> None:
    """Inside the hour it is recorded with the time at which it would pass; exactly an hour later it passes."""
    again = """
        update status_transition set is_pending = true;
        insert into pipeline.refresh_mark values ('001000000000001AAA', now())
    """
    refreshed(filled, 10)
    run_sql(filled, again)
    assert {"ELIGIBILITY_ELIGIBLE": 1} == refreshed(filled, 11, NOW + timedelta(minutes=59)).suppressed
    expected = [("window", NOW + timedelta(hours=1))]
    assert expected == rows(filled, "select reason, passes_at from pipeline.suppressed_notification")
    run_sql(filled, again)
    assert {"ELIGIBILITY_ELIGIBLE": 1} == refreshed(filled, 12, NOW + timedelta(hours=1)).sent


# The flood gate -------------------------------------------------------------------------------------------------------


@pytest.fixture
def narrow() -> Rules:
    """Rules whose flood gate lets none through at first."""
    gate = RULES.notifications.flood_gate.model_copy(update={"floor": 0})
    return Rules(RULES.notifications.model_copy(update={"flood_gate": gate}), RULES.tasks, RULES.zone, RULES.wording)


def test_a_flood_is_held_and_released_once(filled: LiveDatabase, narrow: Rules) -> None:
    """Documents go on; releasing sends what was held, stamped with the moment of release; again does nothing."""
    done = refreshed(filled, 10, rules=narrow)
    assert done.held is not None
    assert {"ELIGIBILITY_ELIGIBLE", "INVOICE_DUE"} == set(done.held["types"])
    assert [(0, 2)] == rows(filled, "select (select count(*) from notification), (select count(*) from me_status)")
    assert {} == refreshed(filled, 11, NOW + DAY, narrow).sent
    released = outbox.release(filled, At(10, NOW + DAY))
    assert released is not None
    assert {"ELIGIBILITY_ELIGIBLE": 1, "INVOICE_DUE": 1} == released.sent
    assert [(NOW + DAY,)] == rows(filled, "select distinct created_at from notification")
    assert outbox.release(filled, At(10, NOW + DAY)) is None


def test_a_discarded_flood_is_recorded_and_reminds_after_its_window(filled: LiveDatabase, narrow: Rules) -> None:
    """Nothing goes out; reminders count from the discarding; discarding again does nothing."""
    refreshed(filled, 10, rules=narrow)
    assert 2 == outbox.discard(filled, At(10, NOW))
    assert outbox.discard(filled, At(10, NOW)) is None
    assert [("discarded", 2)] == rows(
        filled, "select reason, count(*) from pipeline.suppressed_notification group by reason"
    )
    run_sql(filled, "update pipeline.stream_state set synced_at = '2026-03-11T12:00:00Z'")
    assert {} == refreshed(filled, 11, NOW + DAY - timedelta(minutes=1)).sent
    assert {"INVOICE_DUE": 1} == refreshed(filled, 12, NOW + DAY).sent


def test_an_announcement_goes_to_everybody_once(filled: LiveDatabase) -> None:
    """All customers; the same run again sends nobody a second one; unknown ids are named."""
    refreshed(filled, 10)
    works = outbox.Announcement("Works", "On {Sunday}")
    everybody = outbox.announce(filled, RULES, works, At(20, NOW), confirmed=False)
    assert everybody == outbox.Announced("announcement-20", 2)
    again = outbox.announce(filled, RULES, works, At(20, NOW), confirmed=False)
    assert outbox.Announced("announcement-20", 0) == again
    some = replace(works, customers=[ANNA[:15], "001000000000009AAA"])
    listed = outbox.announce(filled, RULES, some, At(21, NOW), confirmed=False)
    assert outbox.Announced("announcement-21", 1, ("001000000000009AAA",)) == listed


def test_an_announcement_beyond_the_gate_asks(filled: LiveDatabase, narrow: Rules) -> None:
    """Not confirmed: nothing is sent."""
    refreshed(filled, 10)
    works = outbox.Announcement("Works", "On Sunday", "/x")
    asked = outbox.announce(filled, narrow, works, At(20, NOW), confirmed=False)
    assert outbox.NeedsConfirmation(2, 0) == asked
    sent = outbox.announce(filled, narrow, works, At(20, NOW), confirmed=True)
    assert outbox.Announced("announcement-20", 2) == sent


# Rebuild --------------------------------------------------------------------------------------------------------------


def test_rebuild_tells_nobody_and_consumes_nothing(filled: LiveDatabase) -> None:
    """Documents appear; marks, transitions and notifications stay as they were."""
    assert (2, 2, 0) == (lambda done: (done.customers, done.added, done.removed))(rebuild(filled, RULES, At(10, NOW)))
    assert [(2, 1, 0, 0)] == rows(
        filled,
        "select (select count(*) from pipeline.refresh_mark),"
        " (select count(*) from status_transition where is_pending), (select count(*) from notification),"
        " (select count(*) from pipeline.notification_outbox)",
    )


def test_a_report_says_what_would_differ_and_writes_nothing(filled: LiveDatabase) -> None:
    """By path, how many documents, with samples."""
    refreshed(filled, 10)
    kept = documents(filled)
    run_sql(filled, "update snapshot.invoice set total = 4400.00")
    done = forecast(filled, RULES, NOW)
    assert (2, 1) == (done.customers, done.changed)
    assert (1, (ANNA,)) == (
        done.differences["summary.stats.amountDue"].documents,
        done.differences["summary.stats.amountDue"].samples,
    )
    assert kept == documents(filled)
