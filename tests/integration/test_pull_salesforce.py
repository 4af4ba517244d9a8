"""Pulls of Salesforce over real HTTP, from a stand-in that misbehaves on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import stamina

from config import fields, schedule
from config.settings import Settings
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.salesforce import SalesforceOrg, serve
from jobs.sources import salesforce
from jobs.sources.errors import CredentialsError, FieldMissing, PermissionDenied, QuotaExhausted, TransientError
from jobs.sources.salesforce import SalesforceSource
from materializer.snapshot.pulls import Pulled, StreamState

START = datetime(2026, 11, 1, 9, 0, 0, tzinfo=UTC)
MAPPING = fields.load()
Connect = Callable[..., SalesforceSource]


@pytest.fixture(autouse=True)
def _tries_follow_at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def org() -> SalesforceOrg:
    org = SalesforceOrg(SimulatedClock(START))
    for number in range(450):
        org.insert(
            "Account", Name="Kanto", Internet_Eligibility_Status__c="Pending", WHMCS_Client_Id__c=str(number + 1)
        )
    later(org, hours=1)
    org.touch("Account", "001Sd0000000001IAA")
    return org


@pytest.fixture
def connect(org: SalesforceOrg) -> Iterator[Connect]:
    with serve(org) as standin:

        def connected(pulls: dict[str, Any] | None = None, **settings: Any) -> SalesforceSource:
            given = settings or {
                "salesforce_consumer_key": org.consumer_key,
                "salesforce_consumer_secret": org.consumer_secret,
            }
            plan = schedule.load()
            changed = {"page_size": 200} | (pulls or {})
            limits = plan.limits.model_copy(update={"timeout_seconds": 2})
            plan = plan.model_copy(update={"salesforce": plan.salesforce.model_copy(update=changed), "limits": limits})
            return salesforce.connect(
                Settings(_env_file=None, salesforce_instance_url=standin.url, **given), MAPPING, plan
            )

        yield connected


def rows(pulled: Pulled) -> list[dict[str, Any]]:
    return [row for window in pulled.spool.windows(1000) for row in window.to_pylist()]


def state(pulled: Pulled) -> StreamState:
    now = pulled.source_time or START
    return StreamState(pulled.stream.name, pulled.cursor_at, now, now, now, pulled.fields)


def later(org: SalesforceOrg, **delta: int) -> None:
    org.clock.advance_to(org.clock.now() + timedelta(**delta))


def test_the_baseline_reads_everything_and_is_complete(org: SalesforceOrg, connect: Connect) -> None:
    """Rows equal the server's count; pages follow the server's cursor."""
    pulled = connect().pull("account", None)
    assert (450, "full", True, org.clock.now()) == (
        pulled.spool.rows,
        pulled.extent,
        pulled.is_complete,
        pulled.cursor_at,
    )
    assert list(range(1, 451)) == sorted(row["whmcs_client_id"] for row in rows(pulled))


def test_an_incremental_pull_reads_what_changed_and_what_was_deleted(org: SalesforceOrg, connect: Connect) -> None:
    """queryAll from ten minutes before the cursor; deleted rows are keys, not rows."""
    first, second, third = list(org.keys("Account", deleted=False))[:3]
    source = connect()
    before = source.pull("account", None)
    later(org, hours=1)
    org.update("Account", first, Internet_Eligibility_Status__c="Eligible")
    org.delete("Account", second)
    org.merge(first, third)
    pulled = source.pull("account", state(before))
    assert "partial" == pulled.extent
    assert [(first, "eligible")] == [(row["account_id"], row["eligibility_status"]) for row in rows(pulled)]
    assert {second, third} == set(pulled.deleted)
    assert {third: first} == pulled.merged
    assert org.clock.now() == pulled.cursor_at


def test_a_late_commit_is_found_by_the_overlap(org: SalesforceOrg, connect: Connect) -> None:
    """A row stamped before the cursor and committed after the pull is read again (H1)."""
    account = next(org.keys("Account", deleted=False))
    source = connect()
    baseline = source.pull("account", None)
    later(org, minutes=30)
    with org.open_transaction() as transaction:
        transaction.update("Account", account, Internet_Eligibility_Status__c="Eligible")
        later(org, minutes=5)
        org.update("Account", list(org.keys("Account", deleted=False))[1], Internet_Eligibility_Status__c="Ineligible")
        between = source.pull("account", state(baseline))
        assert [account] != [row["account_id"] for row in rows(between)]
    after = source.pull("account", state(between))
    assert account in [row["account_id"] for row in rows(after)]


def test_nothing_changed_leaves_the_cursor(org: SalesforceOrg, connect: Connect) -> None:
    """Time that passed without a change proves nothing (H10); the overlap reads the last row again."""
    source = connect()
    before = source.pull("account", None)
    later(org, hours=2)
    pulled = source.pull("account", state(before))
    assert (1, before.cursor_at) == (pulled.spool.rows, pulled.cursor_at)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("html", {}),
        ("truncated_body", {}),
        ("truncated_json", {}),
        ("empty_body", {}),
        ("reset", {}),
        ("status", {"status": "420 Enhance Your Calm"}),
        ("server_unavailable", {}),
        ("concurrency_exceeded", {}),
        ("session_expired", {}),
        ("locator_invalid", {}),
    ],
)
def test_a_passing_fault_in_mid_cursor_loses_nothing(
    org: SalesforceOrg, connect: Connect, kind: str, arguments: dict[str, Any]
) -> None:
    """Retried, logged in again or started over: all rows, each once."""
    source = connect()
    org.faults.add(kind, "/query/0|/query/.*-", **arguments)
    pulled = source.pull("account", None)
    assert (450, True) == (pulled.spool.rows, pulled.is_complete)


def test_a_session_refused_for_ever_stops_after_one_login(org: SalesforceOrg, connect: Connect) -> None:
    """The login is not hammered (H33, H34); the error says where to look, and holds no query text."""
    source = connect()
    org.faults.add("session_expired", "query", times=None)
    with pytest.raises(CredentialsError, match="INVALID_SESSION_ID") as refused:
        source.pull("account", None)
    assert "SELECT" not in str(refused.value)


def test_the_daily_quota_stops_the_pull(org: SalesforceOrg, connect: Connect) -> None:
    """403 for the day's quota is not retried; the configured share stops before (H26)."""
    source = connect()
    org.faults.add("quota_exceeded", "query", times=None)
    with pytest.raises(QuotaExhausted):
        source.pull("account", None)
    org.faults.clear()
    org.api_total = 6
    with pytest.raises(QuotaExhausted, match="quota_stop_percent"):
        connect().pull("account", None)


def test_a_permission_error_is_no_quota(org: SalesforceOrg, connect: Connect) -> None:
    """Both are 403; the remedy differs."""
    source = connect()
    org.faults.add("permission", "query", times=None)
    with pytest.raises(PermissionDenied, match="integration user"):
        source.pull("account", None)


def test_a_hidden_optional_field_is_null_and_not_read(org: SalesforceOrg, connect: Connect) -> None:
    """Its absence shows in `fields`, and a change of fields brings a full pull (H21 to H23)."""
    source = connect()
    before = source.pull("account", None)
    org.hide_field("Account", "WHMCS_Client_Id__c")
    later(org, minutes=1)
    pulled = source.pull("account", state(before))
    assert ("full", 450) == (pulled.extent, pulled.spool.rows)
    assert "WHMCS_Client_Id__c" not in pulled.fields
    assert {None} == {row["whmcs_client_id"] for row in rows(pulled)}


def test_without_a_describe_a_missing_field_is_found_by_the_query(org: SalesforceOrg, connect: Connect) -> None:
    """INVALID_FIELD on an optional field drops it and asks again."""
    org.faults.add("permission", "describe", times=None)
    org.hide_field("Account", "Internet_Eligibility__c")
    org.hide_field("Account", "Internet_Eligibility_Notes__c")
    pulled = connect().pull("account", None)
    assert (450, 8) == (pulled.spool.rows, len(pulled.fields))


def test_a_missing_required_field_is_named(org: SalesforceOrg, connect: Connect) -> None:
    """A hidden status is an error with its remedy, never a null status."""
    org.hide_field("Account", "Id_Verification_Status__c")
    with pytest.raises(FieldMissing, match=r"Account: field Id_Verification_Status__c .* grant Read"):
        connect().pull("account", None)


def test_thousands_of_rows_in_one_second_come_whole(org: SalesforceOrg, connect: Connect) -> None:
    """Equal stamps neither stall nor lose rows (H4, H5)."""
    source = connect()
    before = source.pull("account", None)
    later(org, minutes=20)
    org.mass_update("Account", list(org.keys("Account", deleted=False)), Internet_Eligibility_Status__c="Eligible")
    org.short_page_share = 0.5
    pulled = source.pull("account", state(before))
    assert (450, True) == (pulled.spool.rows, pulled.is_complete)


def test_a_query_that_runs_too_long_is_halved(org: SalesforceOrg, connect: Connect) -> None:
    """QUERY_TIMEOUT on a wide window: ask for less at once (H28)."""
    source = connect()
    before = source.pull("account", None)
    for account in list(org.keys("Account", deleted=False))[:10]:
        later(org, days=1)
        org.update("Account", account, Internet_Eligibility_Status__c="Eligible")
    org.faults.add("query_timeout", "FROM Account ", times=None, days=3)
    later(org, minutes=1)
    recent = StreamState("account", before.cursor_at, START, org.clock.now(), START, before.fields)
    pulled = source.pull("account", recent)
    assert 10 == sum(row["eligibility_status"] == "eligible" for row in rows(pulled))


@pytest.mark.parametrize("kind", [None, "bulk_limit", "bulk_failed", "null_bytes"])
def test_a_large_object_comes_by_bulk_or_else_by_rest(org: SalesforceOrg, connect: Connect, kind: str | None) -> None:
    """Bulk gives the same rows as REST; any refusal of it falls back."""
    by_rest = rows(connect().pull("account", None))
    if kind:
        org.faults.add(kind, times=None)
    pulled = connect({"bulk_above_rows": 100}).pull("account", None)
    assert (True, by_rest) == (pulled.is_complete, rows(pulled))


def test_the_missing_are_looked_up_directly(org: SalesforceOrg, connect: Connect) -> None:
    """Hard-deleted, deleted and merged accounts are gone; the merged one names its winner."""
    winner, loser, erased, alive = list(org.keys("Account", deleted=False))[:4]
    org.merge(winner, loser)
    org.hard_delete("Account", erased)
    pulled = connect().pull("account", None)
    assert pulled.confirm_gone is not None
    assert {loser, erased} == pulled.confirm_gone([winner, loser, erased, alive])
    assert {loser: winner} == pulled.merged


def test_field_history_tells_the_path(org: SalesforceOrg, connect: Connect) -> None:
    """Every step between two pulls is read where the org tracks the field."""
    org.track_history()
    account = next(org.keys("Account", deleted=False))
    source = connect()
    before = source.pull("account", None)
    for word in ("Eligible", "Ineligible"):
        later(org, minutes=20)
        org.update("Account", account, Internet_Eligibility_Status__c=word)
    later(org, minutes=1)
    pulled = source.pull("account", state(before))
    assert [("Pending", "Eligible"), ("Eligible", "Ineligible")] == [
        (step.old_word, step.new_word) for step in pulled.history
    ]


def test_a_malformed_record_is_set_aside(org: SalesforceOrg, connect: Connect) -> None:
    """The record is named by id and field; the rest of the pull is complete."""
    account = next(org.keys("Account", deleted=False))
    order = org.insert("Order", AccountId=account, Status="Approved", EffectiveDate=date(2026, 11, 1))
    org.insert("Order", AccountId="nobody", Status="Approved", EffectiveDate=date(2026, 11, 1))
    pulled = connect().pull("order", None)
    assert [order] == [row["order_id"] for row in rows(pulled)]
    assert ["AccountId"] == [record.field for record in pulled.set_aside]
    assert pulled.is_complete


def test_wrong_credentials_are_told_once(org: SalesforceOrg, connect: Connect) -> None:
    """No retry, no secret in the message."""
    with pytest.raises(CredentialsError, match="SALESFORCE_") as refused:
        connect(salesforce_consumer_key="k", salesforce_consumer_secret="very-secret")
    assert "very-secret" not in str(refused.value)


def test_soap_login_works_at_its_last_version(org: SalesforceOrg, connect: Connect) -> None:
    """A raised API version does not move the login to an endpoint without login() (H45)."""
    source = connect(
        salesforce_username=org.username,
        salesforce_password=org.password,
        salesforce_security_token=org.security_token,
        salesforce_api_version="67.0",
    )
    assert 450 == source.pull("account", None).spool.rows


def test_an_unreachable_host_is_a_passing_error() -> None:
    """The message names the setting, not the stack."""
    settings = Settings(
        _env_file=None,
        salesforce_instance_url="http://127.0.0.1:9",
        salesforce_consumer_key="k",
        salesforce_consumer_secret="s",
    )
    with pytest.raises(TransientError, match="SALESFORCE_INSTANCE_URL"):
        salesforce.connect(settings, MAPPING, schedule.load())
