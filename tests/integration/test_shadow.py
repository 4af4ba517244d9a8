"""The shadow check: a document that is not what its facts give is found within a day, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config.database import LiveDatabase
from config.schedule import ShadowCheck
from jobs.runs import health
from materializer.refresh import read_model
from materializer.refresh.rebuild import rebuild
from materializer.refresh.refresh import refresh
from materializer.refresh.shadow import AT_MOST, Checked, check, steps_due
from materializer.rules.rules import Rules
from materializer.units import At, Batching
from tests.builders import LIMITS
from tests.integration.test_refresh import ANNA, BERT, NOW, RULES, SNAPSHOT, rows, run_sql

WALK = ShadowCheck(customers=20, hours=24)
UNNOTICED = "update snapshot.invoice set total = 9999 where invoice_id = 1042"
"""A fault: what a sync writes without marking the customer."""
DIFFERENCES = "select customer_id, paths, settled_at from pipeline.document_difference"


@pytest.fixture
def refreshed(database: LiveDatabase) -> LiveDatabase:
    """Two customers with documents as they should be."""
    run_sql(database, SNAPSHOT)
    refresh(database, RULES, At(1, NOW), LIMITS, Batching(10))
    return database


def test_documents_that_are_what_their_facts_give_raise_no_alarm(refreshed: LiveDatabase) -> None:
    """All are compared, none differs."""
    assert Checked(2, 0) == check(refreshed, RULES, At(2, NOW), WALK)
    assert [] == rows(refreshed, DIFFERENCES)


def test_a_change_that_nobody_noticed_is_found_and_its_rule_named(refreshed: LiveDatabase) -> None:
    """Both bodies are kept, the status is not healthy, and once the document is right the matter is settled."""
    run_sql(refreshed, UNNOTICED)
    assert Checked(2, 1) == check(refreshed, RULES, At(2, NOW), WALK)
    ((customer, paths, settled_at),) = rows(refreshed, DIFFERENCES)
    assert (ANNA, None) == (customer, settled_at)
    assert {"summary.stats.amountDue", "tasks"} <= set(paths)
    ((stored, computed),) = rows(refreshed, "select stored, computed from pipeline.document_difference")
    assert ("3300" in stored, "9999" in computed) == (True, True)
    with refreshed.begin() as connection:
        (reason,) = health.seen(connection).differing_documents
    assert reason.startswith(f"{ANNA} at ")
    run_sql(refreshed, f"insert into pipeline.refresh_mark values ('{ANNA}', '{NOW.isoformat()}')")
    refresh(refreshed, RULES, At(3, NOW), LIMITS, Batching(10))
    assert Checked(1, 0) == check(refreshed, RULES, At(3, NOW), ShadowCheck(customers=1, hours=24))
    assert [(NOW,)] == rows(refreshed, "select settled_at from pipeline.document_difference")


def test_who_waits_for_a_refresh_may_differ(refreshed: LiveDatabase) -> None:
    """Facts that came with a mark are the next refresh's to take in."""
    run_sql(refreshed, UNNOTICED)
    run_sql(refreshed, f"insert into pipeline.refresh_mark values ('{ANNA}', now())")
    assert 0 == check(refreshed, RULES, At(2, NOW), WALK).differing


def test_whose_time_has_come_may_differ(refreshed: LiveDatabase) -> None:
    """Two days on the invoice is overdue, which no document says before its refresh."""
    assert 0 == check(refreshed, RULES, At(2, NOW + timedelta(days=3)), WALK).differing


MERGED = f"insert into pipeline.account_redirect values ('{BERT}', '{ANNA}', now())"
CARL = (
    "insert into snapshot.account (account_id, is_customer, eligibility_status, verification_status)"
    " values ('001000000000003AAA', {}, 'eligible', 'verified')"
)
LOST = f"delete from me_status where customer_id = '{BERT}'"


def test_a_customer_without_a_document_is_named_with_what_it_would_be(refreshed: LiveDatabase) -> None:
    """Served is nothing, computed is a document; a rebuild brings it, and the matter is settled."""
    run_sql(refreshed, LOST)
    assert Checked(2, 1) == check(refreshed, RULES, At(2, NOW), WALK)
    ((stored, computed),) = rows(refreshed, "select stored, computed from pipeline.document_difference")
    assert (None, True) == (stored, '"rejected"' in computed)
    assert [(BERT, ["document"], None)] == rows(refreshed, DIFFERENCES)
    with refreshed.begin() as connection:
        assert (f"{BERT} at document",) == tuple(health.seen(connection).differing_documents)
    rebuild(refreshed, RULES, At(3, NOW), customer=BERT)
    assert Checked(2, 0) == check(refreshed, RULES, At(4, NOW), WALK)
    assert [(BERT, ["document"], NOW)] == rows(refreshed, DIFFERENCES)


def test_who_leaves_before_the_document_came_is_settled(refreshed: LiveDatabase) -> None:
    """Neither a document nor a customer: that is as it should be."""
    run_sql(refreshed, LOST)
    assert 1 == check(refreshed, RULES, At(2, NOW), WALK).differing
    run_sql(refreshed, f"delete from snapshot.account where account_id = '{BERT}'")
    assert 0 == check(refreshed, RULES, At(3, NOW), WALK).differing
    assert [(BERT, ["document"], NOW)] == rows(refreshed, DIFFERENCES)


@pytest.mark.parametrize(
    "meanwhile",
    [
        f"insert into pipeline.refresh_mark values ('{BERT}', now())",
        f"insert into pipeline.failed_customer values ('{BERT}', 'KeyError', 1, now(), now(), now(), 1)",
        MERGED,
        f"update snapshot.account set is_customer = false where account_id = '{BERT}'",
        f"delete from snapshot.account where account_id = '{BERT}'",
    ],
    ids=["marked", "set aside", "merged", "not admitted", "gone"],
)
def test_who_need_not_have_a_document_raises_no_alarm(refreshed: LiveDatabase, meanwhile: str) -> None:
    """A refresh is still to come or was tried, or the account is not a customer."""
    run_sql(refreshed, LOST)
    run_sql(refreshed, meanwhile)
    assert 0 == check(refreshed, RULES, At(2, NOW), WALK).differing


def test_a_customer_who_is_refreshed_now_is_passed_over(refreshed: LiveDatabase) -> None:
    """The refresh has taken the mark and written the document, and has not committed: neither is seen."""
    run_sql(refreshed, LOST)
    run_sql(refreshed, f"insert into pipeline.refresh_mark values ('{BERT}', now())")
    with refreshed.begin() as connection:
        read_model.take_marks(connection, [BERT])
        assert Checked(1, 0) == check(refreshed, RULES, At(2, NOW), WALK)


def test_a_customer_set_aside_is_not_compared(refreshed: LiveDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that raise keep the last document: neither an alarm nor the end of the run."""
    run_sql(refreshed, f"insert into pipeline.refresh_mark values ('{ANNA}', now()), ('{BERT}', now())")
    monkeypatch.setattr("materializer.refresh.refresh.build", raising)
    monkeypatch.setattr("materializer.refresh.shadow.build", raising)
    assert 2 == refresh(refreshed, RULES, At(2, NOW), LIMITS, Batching(10)).failed
    assert Checked(0, 0) == check(refreshed, RULES, At(3, NOW), WALK)


def test_rules_that_raise_where_they_did_not_are_named(
    refreshed: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a document, and no refresh has failed: the reason stands in place of the paths."""
    monkeypatch.setattr("materializer.refresh.shadow.build", raising)
    assert Checked(2, 2) == check(refreshed, RULES, At(2, NOW), WALK)
    ((paths,), *_) = rows(refreshed, "select paths from pipeline.document_difference")
    assert paths[0].startswith("KeyError in raising (test_shadow.py:")


def raising(*_: object) -> None:
    raise KeyError("total")


def test_everybody_has_a_turn_within_the_day(refreshed: LiveDatabase) -> None:
    """One customer a refresh, the walk goes around; a fault of the last one is found."""
    run_sql(refreshed, f"update snapshot.account set verification_status = 'submitted' where account_id = '{BERT}'")
    one = ShadowCheck(customers=1, hours=24)
    found = [check(refreshed, RULES, At(run, NOW), one).differing for run in range(2, 6)]
    assert 1 <= sum(found)
    assert [(BERT,)] == rows(refreshed, "select customer_id from pipeline.document_difference")


PLANTED = {
    "a change without a mark": (UNNOTICED, 0),
    "a removal without a mark": ("delete from snapshot.invoice", 0),
    "a link without a mark": (f"update snapshot.account set whmcs_client_id = null where account_id = '{ANNA}'", 0),
    "an account gone without a mark": (f"delete from snapshot.account where account_id = '{BERT}'", 0),
    "a transition without its mark": (
        "insert into status_transition (customer_id, entity, entity_id, field, old_value, new_value, observed_at,"
        f" run_id, is_pending) values ('{ANNA}', 'service', '7', 'status', 'Pending', 'Active', '{NOW}', 1, false)",
        0,
    ),
    "a mark lost": (f"{UNNOTICED}; insert into pipeline.refresh_mark values ('{ANNA}', now());"
                    " delete from pipeline.refresh_mark", 0),
    "a document edited": (
        "update me_status set document = cast(replace(cast(document as text), '3300', '1') as json)",
        0,
    ),
    "a merge without a mark": (MERGED, 0),
    "a document lost": (f"delete from me_status where customer_id = '{BERT}'", 0),
    "every document lost": ("truncate me_status", 0),
    "a customer who never had a document": (
        CARL.format("true"),
        0,
    ),
    "an account that became a customer without a mark": (
        f"{CARL.format('false')}; update snapshot.account set is_customer = true",
        0,
    ),
    "a next change too late": ("update me_status set next_change_at = null, next_notification_at = null", 3),
}  # fmt: skip
"""Faults as statements, and after how many days they show."""


def found(database: LiveDatabase, hours: int, after: timedelta) -> int:
    """How many differences hourly refreshes find that look at one customer each, beginning so long after `NOW`."""
    differing = 0
    for hour in range(hours):
        at = At(100 + after // timedelta(hours=1) + hour, NOW + after + timedelta(hours=hour))
        refresh(database, RULES, at, LIMITS, Batching(10))
        differing += check(database, RULES, at, ShadowCheck(customers=1, hours=24)).differing
    return differing


@pytest.mark.parametrize(("fault", "days"), PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_is_found_within_a_day_of_refreshes(refreshed: LiveDatabase, fault: str, days: int) -> None:
    """The walk comes to everybody; before the fault it finds nothing."""
    assert 0 == found(refreshed, 3, timedelta(0))
    run_sql(refreshed, fault)
    assert 0 < found(refreshed, 4, timedelta(days=days, hours=3))


def test_a_rule_that_changed_without_its_version_is_found_and_named(
    refreshed: LiveDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other code under the version of before: documents that were not computed anew say what no rule says any more."""
    assert 0 == found(refreshed, 3, timedelta(0))
    version = RULES.version
    monkeypatch.setattr(Rules, "due_days", property(lambda _: -1))
    assert version == replace(RULES).version
    assert 0 < found(refreshed, 4, timedelta(hours=3))
    ((paths,),) = rows(refreshed, "select paths from pipeline.document_difference")
    assert "tasks" in paths


def test_the_check_can_be_switched_off(refreshed: LiveDatabase) -> None:
    """No customers, no comparison."""
    run_sql(refreshed, UNNOTICED)
    assert Checked() == check(refreshed, RULES, At(2, NOW), ShadowCheck(customers=0, hours=24))


@pytest.mark.parametrize(
    ("documents", "since", "expected"),
    [
        (100, timedelta(minutes=1), 20),
        (1_440_000, timedelta(minutes=1), 1000),
        (1_440_000, timedelta(days=9), AT_MOST),
        (100, None, 20),
        (100, timedelta(minutes=-5), 20),
    ],
)
def test_as_many_are_checked_as_once_around_takes(documents: int, since: timedelta | None, expected: int) -> None:
    """In proportion to the time since the last check, with a least and a most."""
    now = datetime(2026, 3, 10, tzinfo=UTC)
    assert expected == steps_due(documents, None if since is None else now - since, now, WALK)
