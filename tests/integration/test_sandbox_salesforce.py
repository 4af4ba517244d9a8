"""The real simple_salesforce against the Salesforce stand-in, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce import (
    Salesforce,
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)
from simple_salesforce.exceptions import SalesforceOperationError

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.salesforce import SalesforceOrg, serve
from jobs.sandbox.server import StandIn
from jobs.sandbox.tables import Row, Table

MORNING = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
ELIGIBILITY = "Internet_Eligibility_Status__c"


class ToStandIn(requests.adapters.HTTPAdapter):
    """Sends every https:// request of the library to the stand-in (salesforce-api 8)."""

    def __init__(self, url: str) -> None:
        self.base = urlsplit(url)
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kw: Any) -> requests.Response:
        asked = urlsplit(str(request.url))
        request.url = urlunsplit((self.base.scheme, self.base.netloc, asked.path, asked.query, ""))
        return super().send(request, *args, **kw | {"timeout": 20})


@pytest.fixture
def org() -> SalesforceOrg:
    return SalesforceOrg(SimulatedClock(MORNING))


@pytest.fixture
def stand_in(org: SalesforceOrg) -> Iterator[StandIn]:
    with serve(org) as running:
        yield running


@pytest.fixture
def session(stand_in: StandIn) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", ToStandIn(stand_in.url))
    return session


@pytest.fixture
def client(org: SalesforceOrg, session: requests.Session) -> Salesforce:
    return _client_credentials(org, session)


def _client_credentials(org: SalesforceOrg, session: requests.Session, **changes: Any) -> Salesforce:
    arguments = {"consumer_key": org.consumer_key, "consumer_secret": org.consumer_secret, "domain": org.my_domain}
    return Salesforce(**arguments | changes, session=session)


def _accounts(org: SalesforceOrg, count: int) -> list[str]:
    return [org.insert("Account", Name=f"Account {n}") for n in range(count)]


def _token(stand_in: StandIn, **form: str) -> requests.Response:
    return requests.post(f"{stand_in.url}/services/oauth2/token", data=form, timeout=20)


class TestLogins:
    def test_client_credentials_in_the_basic_header_open_a_session(
        self, org: SalesforceOrg, client: Salesforce
    ) -> None:
        assert org.session(client.session_id) is not None

    def test_client_credentials_in_the_form_open_a_session(self, org: SalesforceOrg, stand_in: StandIn) -> None:
        answer = _token(
            stand_in,
            grant_type="client_credentials",
            client_id=org.consumer_key,
            client_secret=org.consumer_secret,
        ).json()
        assert stand_in.url == answer["instance_url"]
        assert org.session(answer["access_token"]) is not None

    def test_the_password_grant_opens_a_session(self, org: SalesforceOrg, session: requests.Session) -> None:
        client = _client_credentials(
            org, session, username=org.username, password=org.password + org.security_token, domain="login"
        )
        assert 1 == org.logins
        assert 0 == client.query("SELECT COUNT() FROM Account")["totalSize"]

    def test_a_signed_assertion_opens_a_session(self, org: SalesforceOrg, session: requests.Session) -> None:
        private, public = _key_pair()
        org.add_public_key(public)
        client = Salesforce(
            username=org.username,
            consumer_key=org.consumer_key,
            privatekey=private,
            domain="login",
            session=session,
        )
        assert org.session(client.session_id) is not None

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"iss": "somebody else"}, "invalid_client_id"),
            ({"sub": "nobody@demo.example"}, "invalid_grant"),
            ({"aud": "https://elsewhere.example"}, "invalid_grant"),
            ({"exp": 1_000_000_000}, "invalid_grant"),
        ],
    )
    def test_an_assertion_with_a_wrong_claim_is_refused(
        self, org: SalesforceOrg, stand_in: StandIn, changes: dict[str, Any], error: str
    ) -> None:
        private, public = _key_pair()
        org.add_public_key(public)
        claims = {"iss": org.consumer_key, "sub": org.username, "aud": "https://login.salesforce.com"}
        expiry = {"exp": datetime.now(UTC) + timedelta(minutes=3)}
        assertion = jwt.encode(claims | expiry | changes, private, algorithm="RS256")
        answer = _token(stand_in, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=assertion)
        assert (400, error) == (answer.status_code, answer.json()["error"])

    def test_an_assertion_signed_with_an_unknown_key_is_refused(
        self, org: SalesforceOrg, session: requests.Session
    ) -> None:
        org.add_public_key(_key_pair()[1])
        with pytest.raises(SalesforceAuthenticationFailed, match="invalid_grant"):
            Salesforce(
                username=org.username,
                consumer_key=org.consumer_key,
                privatekey=_key_pair()[0],
                domain="login",
                session=session,
            )

    def test_a_refresh_token_serves_once_and_brings_its_successor(self, org: SalesforceOrg, stand_in: StandIn) -> None:
        client = {"client_id": org.consumer_key, "client_secret": org.consumer_secret}
        token = org.issue_refresh_token()
        first = _token(stand_in, grant_type="refresh_token", refresh_token=token, **client)
        again = _token(stand_in, grant_type="refresh_token", refresh_token=token, **client)
        assert first.json()["refresh_token"] in org.refresh_tokens
        assert "invalid_grant" == again.json()["error"]

    def test_soap_login_opens_a_session_up_to_version_64(self, org: SalesforceOrg, session: requests.Session) -> None:
        client = _soap(org, session, version="64.0")
        assert org.session(client.session_id) is not None
        assert 0 == client.query("SELECT COUNT() FROM Account")["totalSize"]

    def test_soap_login_is_gone_from_version_65(self, org: SalesforceOrg, session: requests.Session) -> None:
        with pytest.raises(SalesforceAuthenticationFailed) as refused:
            _soap(org, session, version="65.0")
        assert "UNSUPPORTED_API_VERSION" == refused.value.code

    def test_soap_login_with_a_wrong_password_says_invalid_login(
        self, org: SalesforceOrg, session: requests.Session
    ) -> None:
        with pytest.raises(SalesforceAuthenticationFailed) as refused:
            _soap(org, session, password="wrong")
        assert "INVALID_LOGIN" == refused.value.code

    def test_a_chunked_login_body_leaves_the_connection_usable(self, org: SalesforceOrg, stand_in: StandIn) -> None:
        with requests.Session() as session:
            for _ in range(2):
                url = f"{stand_in.url}/services/Soap/u/59.0"
                assert 500 == session.post(url, data=iter([b"<a>", b"</a>"]), timeout=20).status_code

    def test_a_chunked_login_body_is_read_whole(self, org: SalesforceOrg, stand_in: StandIn) -> None:
        password = org.password + org.security_token
        body = f"<login><username>{org.username}</username><password>{password}</password></login>".encode()
        url = f"{stand_in.url}/services/Soap/u/59.0"
        assert 200 == requests.post(url, data=iter([body[:9], body[9:]]), timeout=20).status_code

    def test_ten_wrong_passwords_lock_the_user_out(self, org: SalesforceOrg, session: requests.Session) -> None:
        for _ in range(10):
            with pytest.raises(SalesforceAuthenticationFailed):
                _soap(org, session, password="wrong")
        with pytest.raises(SalesforceAuthenticationFailed):
            _soap(org, session)
        org.clock.advance_to(MORNING + timedelta(minutes=16))
        assert _soap(org, session).session_id

    def test_a_login_fault_refuses_right_credentials(self, org: SalesforceOrg, session: requests.Session) -> None:
        org.faults.add("invalid_login", "oauth2/token")
        with pytest.raises(SalesforceAuthenticationFailed, match="invalid_grant"):
            _client_credentials(org, session)


class TestQueries:
    def test_all_pages_together_hold_every_record_once(self, org: SalesforceOrg, client: Salesforce) -> None:
        """The end is `done`, whatever the size of a page (3.1)."""
        wanted = _accounts(org, 25)
        org.page_cap, org.short_page_share = 4, 0.5
        found = [record["Id"] for record in client.query_all_iter("SELECT Id FROM Account")]
        assert sorted(wanted) == sorted(found)

    def test_the_page_size_asked_for_is_kept(self, org: SalesforceOrg, client: Salesforce) -> None:
        _accounts(org, 250)
        page = client.query("SELECT Id FROM Account", headers={"Sforce-Query-Options": "batchSize=200"})
        assert (200, 250, False) == (len(page["records"]), page["totalSize"], page["done"])
        rest = client.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        assert (50, True) == (len(rest["records"]), rest["done"])
        assert "nextRecordsUrl" not in rest

    def test_a_record_has_its_attributes_and_fields_in_select_order(
        self, org: SalesforceOrg, client: Salesforce
    ) -> None:
        key = org.insert("Account", Name="", WHMCS_Client_Id__c="17")
        record = client.query("SELECT whmcs_client_id__c, SystemModstamp, Name, IsDeleted FROM account")["records"][0]
        assert [
            ("attributes", {"type": "Account", "url": f"/services/data/v59.0/sobjects/Account/{key}"}),
            ("WHMCS_Client_Id__c", "17"),
            ("SystemModstamp", "2026-11-20T00:00:00.000+0000"),
            ("Name", None),
            ("IsDeleted", False),
        ] == [(name, dict(value) if name == "attributes" else value) for name, value in record.items()]

    def test_a_parent_path_nests_the_parent(self, org: SalesforceOrg, client: Salesforce) -> None:
        account = org.insert("Account", Name="Acme")
        org.insert("Order", AccountId=account, EffectiveDate=date(2026, 12, 1))
        org.insert("Order", AccountId=None, EffectiveDate=date(2026, 12, 2))
        records = client.query("SELECT Account.Name, EffectiveDate FROM Order ORDER BY EffectiveDate")["records"]
        assert ["Acme", None] == [record["Account"] and record["Account"]["Name"] for record in records]
        assert ["2026-12-01", "2026-12-02"] == [record["EffectiveDate"] for record in records]

    def test_counts_come_in_their_own_shapes(self, org: SalesforceOrg, client: Salesforce) -> None:
        _accounts(org, 3)
        assert {"totalSize": 3, "done": True, "records": []} == client.query("SELECT COUNT() FROM Account")
        record = client.query("SELECT COUNT(Id) c FROM Account")["records"][0]
        assert ("AggregateResult", 3) == (record["attributes"]["type"], record["c"])

    def test_deleted_records_are_seen_by_query_all_alone(self, org: SalesforceOrg, client: Salesforce) -> None:
        kept, gone = _accounts(org, 2)
        org.clock.advance_to(MORNING + timedelta(hours=1))
        org.delete("Account", gone)
        assert [kept] == [record["Id"] for record in client.query("SELECT Id FROM Account")["records"]]
        deletes = "SELECT Id FROM Account WHERE IsDeleted = true AND SystemModstamp >= 2026-11-20T01:00:00Z"
        assert [gone] == [record["Id"] for record in client.query_all_iter(deletes, include_deleted=True)]

    def test_an_emptied_bin_is_seen_for_one_more_day(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.delete("Account", _accounts(org, 1)[0])
        org.empty_bin()
        count = "SELECT COUNT() FROM Account"
        assert 1 == client.query(count, include_deleted=True)["totalSize"]
        org.clock.advance_to(MORNING + timedelta(days=1))
        assert 0 == client.query(count, include_deleted=True)["totalSize"]

    def test_a_cursor_is_a_snapshot_of_ids(self, org: SalesforceOrg, client: Salesforce) -> None:
        _accounts(org, 4)
        org.page_cap = 2
        page = client.query("SELECT Id FROM Account ORDER BY Id")
        org.insert("Account", Name="Late")
        rest = client.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        assert (2, 4, True) == (len(rest["records"]), rest["totalSize"], rest["done"])

    def test_a_locator_dies_after_two_days(self, org: SalesforceOrg, client: Salesforce) -> None:
        _accounts(org, 4)
        org.page_cap = 2
        page = client.query("SELECT Id FROM Account")
        org.clock.advance_to(MORNING + timedelta(days=2))
        fresh = _client_credentials(org, client.session)
        with pytest.raises(SalesforceMalformedRequest, match="INVALID_QUERY_LOCATOR"):
            fresh.query_more(page["nextRecordsUrl"], identifier_is_url=True)

    def test_a_window_reads_the_generated_rows_of_that_time_and_the_written_ones(self) -> None:
        org = SalesforceOrg(SimulatedClock(MORNING), tables={"Account": Table(_Hourly(1000))})
        with serve(org) as running:
            session = requests.Session()
            session.mount("https://", ToStandIn(running.url))
            client = _client_credentials(org, session)
            org.update("Account", _Hourly(1000).key_at(3), Name="Changed")
            since = "SELECT Id FROM Account WHERE SystemModstamp >= 2026-11-19T22:00:00Z ORDER BY SystemModstamp, Id"
            found = [record["Id"] for record in client.query_all_iter(since)]
            after = f"SELECT Id FROM Account WHERE Id > '{_Hourly(1000).key_at(989)}' ORDER BY Id LIMIT 5"
            assert [_Hourly(1000).key_at(n) for n in (998, 999, 3)] == found
            assert [_Hourly(1000).key_at(n) for n in range(990, 995)] == [
                record["Id"] for record in client.query_all_iter(after)
            ]

    def test_a_late_commit_shows_an_old_stamp(self, org: SalesforceOrg, client: Salesforce) -> None:
        """Stamped when written, visible when committed (H1)."""
        key = _accounts(org, 1)[0]
        late = org.open_transaction()
        late.update("Account", key, Name="Late")
        org.clock.advance_to(MORNING + timedelta(minutes=8))
        assert "Account 0" == client.Account.get(key)["Name"]
        late.commit()
        record = client.Account.get(key)
        assert ("Late", "2026-11-20T00:00:00.000+0000") == (record["Name"], record["SystemModstamp"])


class TestScenarios:
    def test_a_mass_update_stamps_one_second(self, org: SalesforceOrg, client: Salesforce) -> None:
        keys = _accounts(org, 30)
        org.clock.advance_to(MORNING + timedelta(hours=1))
        assert 30 == org.mass_update("Account", keys, Internet_Eligibility_Status__c="Eligible")
        found = client.query(f"SELECT SystemModstamp FROM Account WHERE {ELIGIBILITY} = 'Eligible'")["records"]
        assert [{"2026-11-20T01:00:00.000+0000"}, 30] == [{record["SystemModstamp"] for record in found}, len(found)]

    def test_tracked_history_tells_old_and_new_value(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.track_history(True)
        key = org.insert("Account", Name="Acme")
        org.update("Account", key, Internet_Eligibility_Status__c="Pending")
        org.update("Account", key, Internet_Eligibility_Status__c="Eligible", Name="Acme 2")
        soql = "SELECT AccountId, Field, OldValue, NewValue FROM AccountHistory ORDER BY Id"
        records = [list(record.values())[1:] for record in client.query(soql)["records"]]
        assert [[key, ELIGIBILITY, None, "Pending"], [key, ELIGIBILITY, "Pending", "Eligible"]] == records

    def test_a_merge_points_the_loser_to_the_winner_and_moves_its_children(
        self, org: SalesforceOrg, client: Salesforce
    ) -> None:
        winner, loser = _accounts(org, 2)
        order = org.insert("Order", AccountId=loser)
        org.merge(winner, loser)
        soql = "SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true"
        record = client.query(soql, include_deleted=True)["records"][0]
        assert (loser, winner) == (record["Id"], record["MasterRecordId"])
        assert winner == client.Order.get(order)["AccountId"]

    def test_a_formula_changes_without_a_stamp_and_is_told_by_describe(
        self, org: SalesforceOrg, client: Salesforce
    ) -> None:
        key = _accounts(org, 1)[0]
        org.clock.advance_to(MORNING + timedelta(hours=1))
        org.set_formula("Account", key, Internet_Eligibility_Status__c="Eligible")
        record = client.Account.get(key)
        assert ("Eligible", "2026-11-20T00:00:00.000+0000") == (record[ELIGIBILITY], record["SystemModstamp"])
        assert _described(client)[ELIGIBILITY]["calculated"] is True

    def test_a_hidden_field_is_missing_in_describe_and_refused_in_queries(
        self, org: SalesforceOrg, client: Salesforce
    ) -> None:
        assert "picklist" == _described(client)[ELIGIBILITY]["type"]
        org.hide_field("Account", ELIGIBILITY)
        assert ELIGIBILITY not in _described(client)
        with pytest.raises(SalesforceMalformedRequest) as refused:
            client.query(f"SELECT Id, {ELIGIBILITY} FROM Account")
        assert "INVALID_FIELD" == refused.value.content[0]["errorCode"]
        assert f"No such column '{ELIGIBILITY}' on entity 'Account'" in refused.value.content[0]["message"]

    def test_hidden_rows_are_silently_absent(self, org: SalesforceOrg, client: Salesforce) -> None:
        seen, hidden = _accounts(org, 2)
        org.hide_rows("Account", [hidden])
        assert [seen] == [record["Id"] for record in client.query_all_iter("SELECT Id FROM Account")]
        with pytest.raises(SalesforceResourceNotFound):
            client.Account.get(hidden)

    def test_an_object_switched_off_is_an_invalid_type(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.remove_object("Order")
        with pytest.raises(SalesforceMalformedRequest, match="INVALID_TYPE"):
            client.query("SELECT Id FROM Order")

    def test_a_renamed_value_moves_the_stamp_and_not_the_edit_date(
        self, org: SalesforceOrg, client: Salesforce
    ) -> None:
        key = org.insert("Account", Internet_Eligibility_Status__c="Eligible")
        org.clock.advance_to(MORNING + timedelta(hours=1))
        org.rename_picklist("Account", ELIGIBILITY, "Eligible", "Available")
        record = client.Account.get(key)
        assert ("Available", "2026-11-20T01:00:00.000+0000") == (record[ELIGIBILITY], record["SystemModstamp"])
        assert "2026-11-20T00:00:00.000+0000" == record["LastModifiedDate"]


class TestResources:
    def test_updated_drops_seconds_and_stays_behind_open_transactions(
        self, org: SalesforceOrg, client: Salesforce
    ) -> None:
        key = _accounts(org, 1)[0]
        org.open_transaction()
        org.clock.advance_to(MORNING + timedelta(minutes=30, seconds=30))
        answer = client.Account.updated(MORNING + timedelta(seconds=40), org.clock.now())
        assert {"ids": [key], "latestDateCovered": "2026-11-20T00:00:00.000+0000"} == answer

    def test_deleted_tells_soft_and_hard_deletes(self, org: SalesforceOrg, client: Salesforce) -> None:
        soft, hard = _accounts(org, 2)
        org.delete("Account", soft)
        org.hard_delete("Account", hard)
        org.clock.advance_to(MORNING + timedelta(minutes=5))
        answer = client.Account.deleted(MORNING, org.clock.now())
        assert {soft, hard} == {entry["id"] for entry in answer["deletedRecords"]}

    def test_a_span_under_a_minute_is_refused(self, org: SalesforceOrg, client: Salesforce) -> None:
        with pytest.raises(SalesforceMalformedRequest, match="INVALID_REPLICATION_DATE"):
            client.Account.updated(MORNING, MORNING + timedelta(seconds=50))

    def test_limits_and_the_usage_header_count_every_call(self, org: SalesforceOrg, client: Salesforce) -> None:
        client.query("SELECT COUNT() FROM Account")
        assert 99_998 == client.limits()["DailyApiRequests"]["Remaining"]
        assert (2, 100_000) == (client.api_usage["api-usage"].used, client.api_usage["api-usage"].total)

    def test_a_used_up_allowance_refuses(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.count_call(100_000)
        with pytest.raises(SalesforceRefusedRequest, match="TotalRequests"):
            client.limits()

    def test_one_batch_describes_two_objects(self, org: SalesforceOrg, client: Salesforce) -> None:
        wanted = [{"method": "GET", "url": f"v59.0/sobjects/{name}/describe"} for name in ("Account", "Case", "Foo")]
        answer = client.restful("composite/batch", method="POST", json={"batchRequests": wanted})
        assert [200, 200, 404] == [part["statusCode"] for part in answer["results"]]

    def test_dates_of_answers_are_those_of_the_simulated_clock(self, stand_in: StandIn) -> None:
        answer = requests.get(f"{stand_in.url}/services/data/", timeout=20)
        assert "Fri, 20 Nov 2026 00:00:00 GMT" == answer.headers["Date"]
        assert {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"} == answer.json()[-1]

    def test_the_organization_tells_its_id(self, client: Salesforce) -> None:
        assert client.is_sandbox() is True
        assert "00DSd0000000001" == client.query("SELECT Id FROM Organization")["records"][0]["Id"][:15]


class TestBulk:
    def test_a_download_holds_every_record_over_several_pages(
        self, org: SalesforceOrg, client: Salesforce, tmp_path: Path
    ) -> None:
        keys = _accounts(org, 5)
        org.bulk_page_rows = 2
        parts = client.bulk2.Account.download("SELECT Id FROM Account", path=str(tmp_path), wait=0.1)
        text = "".join(Path(part["file"]).read_text() for part in parts)
        assert 3 == len(parts)
        assert all(key in text for key in keys)

    def test_csv_has_its_own_way_of_writing_values(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.insert("Account", Name='Say "hi",\nNA', WHMCS_Client_Id__c=None)
        soql = "SELECT Name, IsDeleted, CreatedDate, WHMCS_Client_Id__c FROM Account"
        text = "".join(client.bulk2.Account.query(soql, wait=0.1))
        assert '"Say ""hi"",\nNA","false","2026-11-20T00:00:00.000Z",""' == text.split("\n", 1)[1].rstrip("\n")

    def test_query_all_shows_deleted_records(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.delete("Account", _accounts(org, 1)[0])
        assert "true" in "".join(client.bulk2.Account.query_all("SELECT Id, IsDeleted FROM Account", wait=0.1))

    def test_an_empty_result_is_a_header_row(self, client: Salesforce) -> None:
        assert ['"Id"\n'] == list(client.bulk2.Account.query("SELECT Id FROM Account", wait=0.1))

    def test_a_failed_job_raises(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.faults.add("bulk_failed")
        with pytest.raises(SalesforceOperationError):
            list(client.bulk2.Account.query("SELECT Id FROM Account", wait=0.1))

    def test_order_by_is_taken_and_noted(self, org: SalesforceOrg, client: Salesforce) -> None:
        list(client.bulk2.Account.query("SELECT Id FROM Account ORDER BY Id", wait=0.1))
        assert ["SELECT Id FROM Account ORDER BY Id"] == org.bulk_warnings

    def test_null_bytes_stand_in_the_file(self, org: SalesforceOrg, client: Salesforce) -> None:
        _accounts(org, 1)
        org.faults.add("null_bytes")
        job = _bulk(client, "POST", "", json={"operation": "query", "query": "SELECT Id FROM Account"}).json()["id"]
        states = [_bulk(client, "GET", f"/{job}").json()["state"] for _ in range(2)]
        answer = _bulk(client, "GET", f"/{job}/results")
        assert ["InProgress", "JobComplete"] == states
        assert b"\0" in answer.content
        assert ("1", "null") == (answer.headers["Sforce-NumberOfRecords"], answer.headers["Sforce-Locator"])

    def test_a_stuck_job_can_be_aborted_and_deleted(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.faults.add("bulk_stuck", times=None)
        job = _bulk(client, "POST", "", json={"operation": "query", "query": "SELECT Id FROM Account"}).json()["id"]
        assert {"InProgress"} == {_bulk(client, "GET", f"/{job}").json()["state"] for _ in range(4)}
        assert "Aborted" == _bulk(client, "PATCH", f"/{job}", json={"state": "Aborted"}).json()["state"]
        assert [204, 404] == [_bulk(client, method, f"/{job}").status_code for method in ("DELETE", "GET")]


class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "error", "code"),
        [
            ("quota_exceeded", SalesforceRefusedRequest, "REQUEST_LIMIT_EXCEEDED"),
            ("concurrency_exceeded", SalesforceRefusedRequest, "REQUEST_LIMIT_EXCEEDED"),
            ("permission", SalesforceRefusedRequest, "INSUFFICIENT_ACCESS"),
            ("api_disabled", SalesforceRefusedRequest, "API_DISABLED_FOR_ORG"),
            ("server_unavailable", SalesforceGeneralError, "SERVER_UNAVAILABLE"),
            ("unknown_exception", SalesforceGeneralError, "UNKNOWN_EXCEPTION"),
            ("lock_row", SalesforceMalformedRequest, "UNABLE_TO_LOCK_ROW"),
            ("query_timeout", SalesforceMalformedRequest, "QUERY_TIMEOUT"),
        ],
    )
    def test_a_fault_becomes_the_error_of_the_library(
        self, org: SalesforceOrg, client: Salesforce, kind: str, error: type[Exception], code: str
    ) -> None:
        org.faults.add(kind, "GET /services/data/v59.0/query.*FROM Account")
        with pytest.raises(error, match=code):
            client.query("SELECT Id FROM Account")
        assert 0 == client.query("SELECT Id FROM Account")["totalSize"]

    def test_a_session_that_ends_once_is_renewed_by_the_library(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.faults.add("session_expired")
        assert 0 == client.query("SELECT Id FROM Account")["totalSize"]
        assert 2 == org.logins

    def test_sessions_that_always_end_cost_four_logins_and_fail(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.faults.add("session_expired", times=None)
        with pytest.raises(SalesforceExpiredSession):
            client.query("SELECT Id FROM Account")
        assert 5 == org.logins

    def test_a_session_ends_after_two_hours(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.clock.advance_to(MORNING + timedelta(hours=2))
        assert org.session(client.session_id) is None
        assert 0 == client.query("SELECT Id FROM Account")["totalSize"]

    def test_a_timeout_spares_narrow_windows(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.faults.add("query_timeout", times=None, days=7)
        window = "SELECT Id FROM Account WHERE SystemModstamp >= 2026-11-01T00:00:00Z AND SystemModstamp < {}"
        assert 0 == client.query(window.format("2026-11-07T00:00:00Z"))["totalSize"]
        with pytest.raises(SalesforceMalformedRequest, match="QUERY_TIMEOUT"):
            client.query(window.format("2026-11-20T00:00:00Z"))

    def test_a_cursor_can_be_lost_on_the_way(self, org: SalesforceOrg, client: Salesforce) -> None:
        _accounts(org, 5)
        org.page_cap = 2
        org.faults.add("locator_invalid", after=1)
        with pytest.raises(SalesforceMalformedRequest, match="INVALID_QUERY_LOCATOR"):
            list(client.query_all_iter("SELECT Id FROM Account"))

    def test_a_retired_version_is_gone(self, org: SalesforceOrg, session: requests.Session) -> None:
        with pytest.raises(SalesforceGeneralError, match="410"):
            _client_credentials(org, session, version="30.0").limits()

    def test_html_in_place_of_json_is_no_json(self, org: SalesforceOrg, client: Salesforce) -> None:
        org.faults.add("html", "FROM Account")
        with pytest.raises(requests.exceptions.JSONDecodeError):
            client.query("SELECT Id FROM Account")


class _Hourly:
    """Generated accounts, the last of them stamped an hour before the morning, each other an hour earlier."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def key_at(self, position: int) -> str:
        return f"001Gn00000{position:05d}AAA"

    def row_at(self, position: int) -> Row:
        stamp = MORNING - timedelta(hours=self._count - position)
        return {"Id": self.key_at(position), "IsDeleted": False, "CreatedDate": stamp, "SystemModstamp": stamp}

    def position_of(self, key: str) -> int | None:
        position = int(key[10:15]) if key.startswith("001Gn") else -1
        return position if 0 <= position < self._count else None


def _soap(org: SalesforceOrg, session: requests.Session, **changes: str) -> Salesforce:
    arguments = {"username": org.username, "password": org.password, "security_token": org.security_token}
    return Salesforce(**arguments | changes, session=session)


def _described(client: Salesforce) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in client.Account.describe()["fields"]}


def _bulk(client: Salesforce, method: str, path: str, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {client.session_id}"}
    url = f"https://demo.my.salesforce.com/services/data/v59.0/jobs/query{path}"
    return client.session.request(method, url, headers=headers, **more)


def _key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
