"""One of many: what one customer or one record does stops no other, and unknown never shows as none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

import sql
from config.database import LiveDatabase
from materializer.refresh.rebuild import rebuild
from materializer.refresh.refresh import Refreshed, refresh
from materializer.units import At, Batching
from tests.builders import LIMITS, rules

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RULES = rules("Asia/Tokyo")
ANNA, BERT, CARA = (f"00100000000000{number}AAA" for number in (1, 2, 3))
SNAPSHOT = """
insert into snapshot.account
    (account_id, is_customer, eligibility_status, verification_status, whmcs_client_id)
select '00100000000000' || number || 'AAA', true, 'eligible', 'verified', 100 + number
from generate_series(1, 3) as number;
insert into snapshot.client (client_id) values (101), (102), (103);
insert into snapshot.invoice (invoice_id, client_id, status, status_known, invoiced_on, due_on, total, currency)
select 1000 + number, 100 + number, 'Unpaid', 'Unpaid', '2026-03-01', '2026-03-12', 3300.00, 'JPY'
from generate_series(1, 3) as number;
insert into pipeline.pay_method_reading (client_id, read_at)
values (101, '2026-03-10T11:55:00Z'), (102, '2026-03-10T11:55:00Z'), (103, '2026-03-10T11:55:00Z');
insert into snapshot.pay_method (pay_method_id, client_id) values (1, 101), (2, 102), (3, 103);
insert into pipeline.stream_state (stream, synced_at, run_id)
select stream, '2026-03-10T11:55:00Z', 1
from unnest(array['account', 'order', 'case', 'client', 'invoice', 'service', 'pay_method', 'cancellation']) as stream;
update pipeline.source_state set synced_at = '2026-03-10T11:55:00Z';
insert into pipeline.refresh_mark select account_id, '2026-03-10T11:55:00Z' from snapshot.account;
"""
LISTED = {
    "before_at": "infinity",
    "before_id": "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "types": None,
    "only_unread": False,
    "page_size": 10,
}
NOT_A_NUMBER = "update snapshot.invoice set total = 'NaN' where client_id = 102"
NOT_A_DATE = "update snapshot.invoice set due_on = '294276-01-01' where client_id = 102"


@pytest.fixture
def filled(database: LiveDatabase) -> LiveDatabase:
    """Three customers, each with an invoice that is due and a pay method; all of them marked."""
    run_sql(database, SNAPSHOT)
    return database


def run_sql(database: LiveDatabase, statements: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statements))


def rows(database: LiveDatabase, question: str) -> list[tuple[Any, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


def refreshed(database: LiveDatabase, run_id: int, now: datetime = NOW, size: int = 10) -> Refreshed:
    return refresh(database, RULES, At(run_id, now), LIMITS, Batching(size))


def document(database: LiveDatabase, customer: str = BERT) -> dict[str, Any]:
    [(body,)] = rows(database, f"select document::text from me_status where customer_id = '{customer}'")
    decoded: dict[str, Any] = json.loads(body)
    return decoded


def set_aside(database: LiveDatabase, stream: str, owner: str, *, is_known: bool = False) -> None:
    run_sql(
        database,
        "insert into pipeline.set_aside_record"
        " (stream, record_id, field, reason, first_seen_at, last_seen_at, run_id, owner_id, is_known)"
        f" values ('{stream}', '9', 'total', 'x', now(), now(), 1, '{owner}', {is_known})",
    )


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize("fault", [NOT_A_NUMBER, NOT_A_DATE])
def test_a_customer_that_fails_stops_no_other(filled: LiveDatabase, fault: str, size: int) -> None:
    """The others get their documents and notifications; it is named with the reason, and keeps what it had."""
    run_sql(filled, fault)
    done = refreshed(filled, 10, size=size)
    assert (1, {"INVOICE_DUE": 2}) == (done.failed, done.sent)
    assert [(ANNA,), (CARA,)] == rows(filled, "select customer_id from me_status order by 1")
    [(customer, reason, failures)] = rows(filled, "select customer_id, reason, failures from pipeline.failed_customer")
    assert (BERT, 1) == (customer, failures)
    assert reason


def test_a_failed_customer_keeps_its_document_and_is_tried_again(filled: LiveDatabase) -> None:
    """Later and later; a good computation forgets the failure."""
    refreshed(filled, 10)
    before = document(filled)
    run_sql(filled, NOT_A_NUMBER + f"; insert into pipeline.refresh_mark values ('{BERT}', now())")
    assert 1 == refreshed(filled, 11).failed
    assert (0, before) == (refreshed(filled, 12).failed, document(filled))
    assert 1 == refreshed(filled, 13, NOW + timedelta(minutes=2)).failed
    assert 0 == refreshed(filled, 14, NOW + timedelta(minutes=4)).failed
    run_sql(filled, "update snapshot.invoice set total = 5 where client_id = 102")
    assert (0, 1) == (lambda done: (done.failed, done.changed))(refreshed(filled, 15, NOW + timedelta(minutes=9)))
    assert ([], "5") == (
        rows(filled, "select 1 from pipeline.failed_customer"),
        document(filled)["summary"]["stats"]["amountDue"],
    )


@pytest.mark.parametrize("fault", [NOT_A_NUMBER, NOT_A_DATE])
def test_a_rebuild_goes_on_past_a_customer_that_fails(filled: LiveDatabase, fault: str) -> None:
    """Two are rebuilt, the third is set aside."""
    run_sql(filled, fault)
    done = rebuild(filled, RULES, At(10, NOW), Batching(10))
    assert (2, 1) == (done.added, done.failed)
    assert [(BERT,)] == rows(filled, "select customer_id from pipeline.failed_customer")


def test_an_unreadable_invoice_makes_the_figures_of_its_client_unknown(filled: LiveDatabase) -> None:
    """Its other invoice is a task and news all the same; nobody else is concerned."""
    set_aside(filled, "invoice", "102")
    assert {"INVOICE_DUE": 3} == refreshed(filled, 10).sent
    stats = document(filled)["summary"]["stats"]
    assert [None] * 4 == [stats[name] for name in ("unpaidInvoices", "overdueInvoices", "amountDue", "currency")]
    assert (None, "invoice_due") == (document(filled)["summary"]["nextInvoice"], document(filled)["tasks"][0]["type"])
    assert "3300.00" == document(filled, ANNA)["summary"]["stats"]["amountDue"]


def test_an_invoice_read_well_before_keeps_its_values(filled: LiveDatabase) -> None:
    """It is set aside and known: the figures stand."""
    set_aside(filled, "invoice", "102", is_known=True)
    refreshed(filled, 10)
    assert "3300.00" == document(filled)["summary"]["stats"]["amountDue"]


def test_an_unreadable_pay_method_is_not_none(filled: LiveDatabase) -> None:
    """The count is unknown, and nobody is asked to add one."""
    run_sql(filled, "delete from snapshot.pay_method where client_id = 102")
    set_aside(filled, "pay_method", "102")
    refreshed(filled, 10)
    assert {"totalCount": None} == document(filled)["paymentMethods"]
    assert ["invoice_due"] == [task["type"] for task in document(filled)["tasks"]]


@pytest.mark.parametrize(("stream", "figure"), [("order", "openOrders"), ("case", "openCases")])
def test_an_unreadable_record_of_an_account_is_not_none(filled: LiveDatabase, stream: str, figure: str) -> None:
    """Orders and cases belong to the account."""
    set_aside(filled, stream, BERT)
    refreshed(filled, 10)
    assert (None, 0) == tuple(document(filled, one)["summary"]["stats"][figure] for one in (BERT, ANNA))


def test_nobody_is_welcomed_while_something_of_theirs_cannot_be_read(filled: LiveDatabase) -> None:
    """Onboarding needs all: an unreadable invoice may be one that is due."""
    run_sql(filled, "delete from snapshot.invoice")
    set_aside(filled, "invoice", "102")
    refreshed(filled, 10)
    assert ["onboarding"] == [task["type"] for task in document(filled, ANNA)["tasks"]]
    assert [] == document(filled)["tasks"]


def test_an_unreadable_link_is_in_doubt_and_not_empty(filled: LiveDatabase) -> None:
    """Billing is unknown, and nobody is welcomed."""
    run_sql(filled, f"update snapshot.account set whmcs_client_id = null where account_id in ('{ANNA}', '{BERT}')")
    run_sql(filled, f"update snapshot.account set unreadable_link = '#102' where account_id = '{BERT}'")
    refreshed(filled, 10)
    assert ("in_doubt", []) == (document(filled)["billing"]["state"], document(filled)["tasks"])
    assert ("none", ["onboarding"]) == (
        document(filled, ANNA)["billing"]["state"],
        [task["type"] for task in document(filled, ANNA)["tasks"]],
    )


def test_a_paid_invoice_stays_in_view_behind_newer_drafts(filled: LiveDatabase) -> None:
    """Events are ranked, not invoices; what is dated later than now has not happened, and shows when it has."""
    run_sql(
        filled,
        "update snapshot.invoice set status = 'Paid', paid_at = '2026-03-02T00:00:00Z' where client_id = 102;"
        " insert into snapshot.invoice (invoice_id, client_id, status, status_known, created_at)"
        " select 2000 + number, 102, case when number > 30 then 'Paid' else 'Draft' end, 'Draft',"
        "  case when number > 30 then timestamptz '2026-03-10T13:00:00Z' else '2026-03-09T00:00:00Z' end"
        " from generate_series(1, 60) as number",
    )
    refreshed(filled, 10)
    activity = document(filled)["summary"]["recentActivity"]
    assert ["invoice_paid", "invoice_created"] == [event["type"] for event in activity]
    assert 1 == refreshed(filled, 11, NOW + timedelta(hours=1)).changed
    assert 2031 == document(filled)["summary"]["recentActivity"][0]["relatedId"]


def test_news_of_a_stranger_leave_the_list_with_a_corrected_link(filled: LiveDatabase) -> None:
    """A notification is about a client's record, and listed while that client is the customer's."""
    refreshed(filled, 10)
    listed = sql.statement("api/count_unread_notifications")
    with filled.begin() as connection:
        assert 1 == connection.execute(listed, {"customer_id": BERT}).scalar_one()
    run_sql(filled, f"update snapshot.account set whmcs_client_id = null where account_id in ('{ANNA}', '{BERT}')")
    run_sql(filled, f"update snapshot.account set whmcs_client_id = 101 where account_id = '{BERT}'")
    run_sql(filled, f"insert into pipeline.refresh_mark values ('{ANNA}', now()), ('{BERT}', now())")
    refreshed(filled, 11)
    with filled.begin() as connection:
        assert ["1001"] == [
            row.source_id
            for row in connection.execute(sql.statement("api/list_notifications"), LISTED | {"customer_id": BERT})
        ]
        assert 0 == connection.execute(listed, {"customer_id": ANNA}).scalar_one()


@pytest.mark.parametrize("mark", ["read", "unread", "dismissed"])
def test_news_of_a_stranger_cannot_be_marked(filled: LiveDatabase, mark: str) -> None:
    """What is not listed for want of its client is not found either, and stays as it was."""
    refreshed(filled, 10)
    statement = sql.statement(f"api/mark_notification_{mark}")
    ((theirs,),) = rows(filled, f"select notification_id from notification where customer_id = '{BERT}'")
    named = {"notification_id": theirs, "customer_id": BERT}
    with filled.begin() as connection:
        assert [theirs] == list(connection.execute(statement, named).scalars())
    run_sql(filled, f"update me_status set whmcs_client_id = 101 where customer_id = '{BERT}'")
    state = f"select read_at, dismissed_at from notification where customer_id = '{BERT}'"
    before = rows(filled, state)
    with filled.begin() as connection:
        assert [] == list(connection.execute(statement, named).scalars())
    assert before == rows(filled, state)
