"""Sessions and transport: what happens between the request and its answer (hazards H33 to H47, H55)."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.salesforce_world import ELIGIBILITY, World

NEXT_PAGE, FIRST_PAGE = "/query/0r8", r"queryAll/\?q=SELECT Id.*FROM Account "


@pytest.fixture
def changed(world: World) -> World:
    """A world after its baseline in which 450 of 450 accounts became eligible: three pages to read."""
    accounts = world.accounts(450)
    world.sync()
    world.later(minutes=20)
    world.org.mass_update("Account", accounts, **{ELIGIBILITY: "Eligible"})
    return world


def assert_nothing_lost(world: World) -> None:
    """Every change came in once, and a further run finds nothing."""
    assert ([], 450) == (world.lost(), len(world.transitions))
    assert ("succeeded", 0) == (world.sync().outcome, len(world.transitions) - 450)


PASSING: list[tuple[str, dict[str, Any]]] = [
    ("html", {}),
    ("empty_body", {}),
    ("truncated_json", {}),
    ("truncated_body", {}),
    ("wrong_type", {}),
    ("reset", {}),
    ("slow", {"seconds": 0.8}),
    ("status", {"status": "406 Not Acceptable", "body": b""}),
    ("status", {"status": "420 Enhance Your Calm", "body": b""}),
    ("status", {"status": "429 Too Many Requests"}),
    ("status", {"status": "502 Bad Gateway"}),
    ("status", {"status": "503 Service Unavailable"}),
    ("status", {"status": "504 Gateway Timeout"}),
    ("server_unavailable", {}),
    ("unknown_exception", {}),
    ("lock_row", {}),
    ("concurrency_exceeded", {}),
    ("session_expired", {}),
]


@pytest.mark.parametrize(("kind", "arguments"), PASSING)
def test_what_passes_by_itself_is_tried_again(changed: World, kind: str, arguments: dict[str, Any]) -> None:
    """Edge pages, resets, cuts, locks, an expired session, anywhere in a run: one run, nothing lost (H40 to H42)."""
    changed.limits["timeout_seconds"] = 0.4
    for match in ("Account/describe", FIRST_PAGE, NEXT_PAGE):
        fault = changed.org.faults.add(kind, match, **arguments)
        assert ("succeeded", 1) == (changed.sync().outcome, fault.hits)
        assert_nothing_lost(changed)
        changed.later(seconds=1)
        changed.org.mass_update("Account", changed.statuses())


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [("server_unavailable", {}), ("html", {}), ("reset", {}), ("truncated_body", {}), ("slow", {"seconds": 0.5})],
)
def test_what_does_not_pass_fails_the_run_and_the_next_one_goes_on(
    changed: World, kind: str, arguments: dict[str, Any]
) -> None:
    """Bounded tries, an error with a remedy, the cursor where it was, other streams applied, later all of it (H37)."""
    before = changed.cursor()
    changed.limits["timeout_seconds"] = 0.2
    fault = changed.org.faults.add(kind, NEXT_PAGE, times=None, **arguments)
    report = changed.sync()
    assert ("failed", 3) == (report.outcome, fault.hits)
    assert "Salesforce: next page of Account: " in (report.error or "")
    assert (before, []) == (changed.cursor(), changed.transitions)
    changed.org.faults.clear()
    assert "succeeded" == changed.sync().outcome
    assert_nothing_lost(changed)


@pytest.mark.parametrize("where", ["describe", "queryAll", NEXT_PAGE, "jobs/query", "limits", "Organization"])
def test_a_session_refused_for_ever_costs_one_more_login(changed: World, where: str) -> None:
    """No recursion, no loop, whatever kind of call it is: the login is not hammered (H33, H34, H43)."""
    changed.pulls["bulk_above_rows"] = 100 if where == "jobs/query" else 1000
    logins = changed.org.logins
    changed.org.faults.add("session_expired", where, times=None)
    report = changed.sync(full=where == "jobs/query")
    assert ("failed", 2) == (report.outcome, changed.org.logins - logins)
    for part in ("INVALID_SESSION_ID", "My Domain"):
        assert part in (report.error or "")


def test_a_session_that_ends_in_mid_run_is_renewed_once_with_the_same_page_size(changed: World) -> None:
    """Every request of the query carries the batch size asked for, before and after the new login (H35)."""
    logins = changed.org.logins
    changed.org.faults.add("session_expired", NEXT_PAGE)
    changed.sync()
    sizes = {
        sent.get("Sforce-Query-Options")
        for asked, sent in zip(changed.requests, changed.sent_headers, strict=True)
        if "/query" in asked
    }
    assert ({"batchSize=200"}, 2) == (sizes, changed.org.logins - logins)
    assert_nothing_lost(changed)


@pytest.mark.parametrize("token", [True, False])
def test_a_session_not_meant_for_the_api_is_not_renewed(changed: World, token: bool) -> None:
    """A new login never helps against "not valid for use with the REST API"; nor does one with a fixed token (H39)."""
    if token:
        changed.settings = {"salesforce_access_token": changed.org.open_session()}
    logins = changed.org.logins
    changed.org.faults.add("session_invalid_for_rest", "query", times=None)
    report = changed.sync()
    assert ("failed", 0 if token else 1) == (report.outcome, changed.org.logins - logins)
    assert "the session may not use the REST API; check the user and the app" in (report.error or "")


def test_a_dead_token_is_reported_not_repeated(changed: World) -> None:
    """SALESFORCE_ACCESS_TOKEN cannot be renewed by us: two requests and an error (H34)."""
    changed.settings = {"salesforce_access_token": "00DSd0000000001!expired"}
    asked = len(changed.requests)
    report = changed.sync()
    assert ("failed", 2) == (report.outcome, len(changed.requests) - asked)
    assert "the token" in (report.error or "")


def test_no_request_waits_for_ever(changed: World) -> None:
    """Every kind of call has the timeout, the login included (H36)."""
    changed.limits["timeout_seconds"] = 0.2
    for match in ("oauth2/token", "Account/describe", FIRST_PAGE):
        changed.org.faults.clear()
        changed.org.faults.add("slow", match, times=None, seconds=3)
        report = changed.sync()
        assert "failed" == report.outcome
        assert "no answer in time" in (report.error or "")
    changed.org.faults.clear()
    changed.sync()
    assert_nothing_lost(changed)


@pytest.mark.parametrize("after", [0, 1])
def test_a_lost_cursor_starts_the_query_over(changed: World, after: int) -> None:
    """INVALID_QUERY_LOCATOR in mid-read: once more from the start, each change once (H44)."""
    changed.org.faults.add("locator_invalid", NEXT_PAGE, after=after)
    assert "succeeded" == changed.sync().outcome
    assert_nothing_lost(changed)


def test_a_cursor_lost_again_and_again_fails_the_run(changed: World) -> None:
    """Three starts, then the next run."""
    fault = changed.org.faults.add("locator_invalid", NEXT_PAGE, times=None)
    report = changed.sync()
    assert ("failed", 3) == (report.outcome, fault.hits)
    changed.org.faults.clear()
    changed.sync()
    assert_nothing_lost(changed)


def test_further_pages_are_asked_for_at_the_address_given(changed: World) -> None:
    """nextRecordsUrl is used as the path it is, never as an id behind another path (H55)."""
    changed.requests.clear()
    changed.sync()
    assert 2 == len(changed.asked("^GET /services/data/v62.0/query/0r8[^/?]*$"))


def test_soap_login_stays_at_a_version_that_has_it_and_warns_of_its_end(world: World) -> None:
    """API 67 for data, 64 for login(); the end of SOAP is said in every run that uses it (H45)."""
    world.accounts(3)
    world.settings = {
        "salesforce_username": world.org.username,
        "salesforce_password": world.org.password,
        "salesforce_security_token": world.org.security_token,
        "salesforce_api_version": "67.0",
    }
    with capture_logs() as logs:
        assert "succeeded" == world.sync().outcome
    assert 1 == len(world.asked("POST /services/Soap/u/64.0"))
    assert [line for line in logs if "Summer '27" in line["event"]]


def test_a_wrong_password_is_tried_once_a_run(world: World) -> None:
    """Ten failures in a row would lock the user out (H33)."""
    world.settings = {"salesforce_username": world.org.username, "salesforce_password": "wrong-password"}
    report = world.sync()
    assert ("failed", 1) == (report.outcome, world.org.users[world.org.username].failures)


def test_a_login_that_fails_in_passing_is_tried_again(changed: World) -> None:
    """An edge page in place of a token is not a verdict on the credentials (H40)."""
    changed.org.faults.add("html", "oauth2/token")
    changed.org.faults.add("status", "oauth2/token", status="503 Service Unavailable")
    assert "succeeded" == changed.sync().outcome
    assert_nothing_lost(changed)


def test_another_organization_is_refused(changed: World) -> None:
    """All ids differ between two orgs: nothing is applied, nothing removed, and the remedy is named (10)."""
    (row,) = list(changed.org.tables["Organization"].rows())
    changed.org.tables["Organization"].remove(row["Id"])
    changed.org.tables["Organization"].put("00DSd0000000002AAA", row | {"Id": "00DSd0000000002AAA"})
    report = changed.sync(full=True, accept_shrink=True)
    assert ("failed", 450, []) == (report.outcome, len(changed.statuses()), changed.transitions)
    assert "a database of its own" in (report.error or "")


def test_an_organization_that_cannot_be_asked_now_is_not_taken_for_the_right_one(changed: World) -> None:
    """A passing failure of that one question ends the run; only a hidden Organization is left unasked (10)."""
    changed.org.faults.add("server_unavailable", "Organization", times=None)
    assert ("failed", []) == (changed.sync().outcome, changed.transitions)
    changed.org.faults.clear()
    changed.org.faults.add("permission", "Organization", times=None)
    assert "succeeded" == changed.sync().outcome
    assert_nothing_lost(changed)
