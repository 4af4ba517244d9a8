"""Who may ask what: refusals that look alike, each with its own remedy, none repeated (Q2, Q3, Q5, Q11, Q38)."""

from __future__ import annotations

import pytest
import stamina

from jobs.sandbox.whmcs.single import ACTIONS
from tests.whmcs_world import World, moved


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("auth_failed", "check WHMCS_IDENTIFIER, WHMCS_SECRET"),
        ("invalid_credentials", "check WHMCS_IDENTIFIER, WHMCS_SECRET"),
        ("account_disabled", "and the admin"),
        ("invalid_ip", "203.0.113.9 may not call; add it to API IP Access Restriction"),
    ],
)
def test_a_refused_login_is_tried_once_and_the_remedy_named(synced: World, kind: str, remedy: str) -> None:
    """All are 403 and differ by their message alone; a second attempt could have our address banned (Q2, Q3, Q38)."""
    before = synced.snapshot()
    fault = synced.install.faults.add(kind, times=None)
    report = synced.sync()
    assert ("failed", 1, 1) == (report.outcome, report.exit_code, fault.hits)
    assert remedy in str(report.error)
    assert remedy in str(synced.error)
    synced.well()
    assert {} == moved(synced.sync())
    assert (before, []) == (synced.snapshot(), synced.transitions)


def test_credentials_refused_in_mid_run_end_the_run(synced: World) -> None:
    """Only what was under way already asks once more, and no later list does (Q38)."""
    synced.pulls["concurrency"] = 3
    fault = synced.install.faults.add("auth_failed", after=4, times=None)
    assert "failed" == synced.sync().outcome
    assert fault.hits <= 3
    assert len(synced.requests) <= 4 + 3


@pytest.mark.parametrize("setting", ["whmcs_identifier", "whmcs_secret"])
def test_wrong_credentials_never_show_in_what_is_said(world: World, setting: str) -> None:
    """The setting is named, not its value."""
    world.settings[setting] = "very-secret-value"
    report = world.sync()
    assert ("failed", 1) == (report.outcome, len(world.requests))
    assert setting.upper() in str(report.error)
    assert "very-secret" not in f"{report.error} {world.error}"


def test_an_access_key_stands_in_for_an_address(world: World) -> None:
    """Required where our address is on no list."""
    world.install.access.requires_access_key = True
    world.install.access.access_key = "key!@#$%.()*[]-_1"
    refused = world.sync()
    assert "add it to API IP Access Restriction" in str(refused.error)
    world.settings["whmcs_access_key"] = "key!@#$%.()*[]-_1"
    assert "succeeded" == world.sync().outcome


@pytest.mark.parametrize("path", ["", "/", "/includes/api.php", "/includes/api.php/"])
def test_the_url_may_name_the_api_itself(world: World, path: str) -> None:
    """The path is appended once (Q5)."""
    world.settings["whmcs_url"] = world.standin.url + path
    assert "succeeded" == world.sync().outcome


@pytest.mark.parametrize(
    ("path", "remedy"),
    [("/includes/api.php/includes/api.php", "give WHMCS_URL without /includes/api.php"), ("/shop", "check WHMCS_URL")],
)
def test_a_wrong_path_is_reported_as_one(world: World, path: str, remedy: str) -> None:
    """ "An admin user is required" with 200, or a page not found: a matter of the setting (Q5)."""
    world.settings["whmcs_url"] = world.standin.url + path
    report = world.sync()
    assert remedy in str(report.error)
    assert 1 == len(world.requests)


def test_without_leave_to_read_pay_methods_all_else_goes_on(synced: World) -> None:
    """Their number stays unknown, nobody is asked to add one; asked for a few times only (whmcs-api 2)."""
    with_all = synced.snapshot()
    synced.install.role = set(ACTIONS) - {"GetPayMethods"}
    synced.later(minutes=10)
    new = synced.install.add_client()
    report = synced.sync()
    assert ("failed", "tick GetPayMethods in the credential's API role" in str(report.error)) == (report.outcome, True)
    assert len(synced.asked("GetPayMethods")) <= 4
    assert [new] == sorted({*synced.kept("client")} - {*_keys(with_all["client"])})
    assert with_all["pay_method"] == synced.snapshot()["pay_method"]
    synced_at = synced.values("select synced_at from pipeline.source_state where source = 'whmcs'")[0]
    assert synced.install.clock.now() == synced_at


def test_unknown_pay_methods_make_no_task(world: World) -> None:
    """0 only when WHMCS said so: with the action never allowed the count is null and there is no such task."""
    world.claim_clients()
    world.install.role = set(ACTIONS) - {"GetPayMethods"}
    world.sync()
    world.refresh()
    assert [(0, 0)] == world.values(
        "select count(payment_method_count), count(*) filter (where document::text like '%add_payment_method%')"
        " from me_status"
    )
    assert 0 < world.values("select count(active_service_count) from me_status")[0]


@pytest.mark.parametrize("action", ["GetCancelledPackages", "GetClientsProducts", "GetInvoices"])
def test_a_list_that_is_not_allowed_leaves_the_others(synced: World, action: str) -> None:
    """Failed and reported, with the name of the action to tick; its rows stay as they were."""
    before = synced.snapshot()
    synced.install.role = set(ACTIONS) - {action}
    report = synced.sync()
    assert f"tick {action} in the credential's API role" in str(report.error)
    assert 1 == len(synced.asked(f"^{action} "))
    assert before == synced.snapshot()


def test_a_bot_protection_in_json_is_no_refused_login(synced: World) -> None:
    """ "Access denied" by Imunify360, in an envelope or without: tried again (Q11)."""
    text = "Access denied by Imunify360 bot-protection. IPs used for automation should be whitelisted"
    synced.install.faults.add("waf_403", "GetInvoices", body=f'{{"message":"{text}"}}')
    synced.install.faults.add("error", "GetClientsProducts", message=text)
    report = synced.sync()
    assert ("succeeded", {}) == (report.outcome, moved(report))


def test_one_client_whose_pay_methods_always_fail_holds_up_nobody(world: World) -> None:
    """It is set aside and shown, its number stays unknown; when three fail, the source is down."""
    poor, *others = world.keys("client")
    world.install.faults.add("emitter_500", f"GetPayMethods .*clientid={poor}\\b", times=None)
    report = world.sync()
    assert ("succeeded", [("pay_method", f"client {poor}")]) == (report.outcome, world.set_aside)
    assert others == world.values(
        "select client_id from pipeline.pay_method_reading where read_at is not null order by 1"
    )
    world.install.faults.add("emitter_500", "GetPayMethods", times=None)
    with stamina.set_testing(True, attempts=1):
        assert "failed" == world.sync(full=True).outcome
    world.well()
    assert ("succeeded", [], {}) == (world.sync(full=True).outcome, world.set_aside, world.lost)


def _keys(rows: list[str]) -> list[int]:
    return [int(row[1:].split(",")[0]) for row in rows]
