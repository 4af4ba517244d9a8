"""Formats: instants, nulls, ids and CSV as REST and Bulk write them (hazards H48 to H54)."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from jobs.sandbox.salesforce.ids import to_18
from tests.salesforce_world import ELIGIBILITY, World

BULK = {"bulk_above_rows": 0}
SUBJECTS = ("NA", "None", "NULL", "null", "", "a\u2028b\x85c\x0bd", 'quote " comma , line\nend\r\n', "領収書 😀", " x ")
Headers = dict[str, str]


def snapshot(world: World) -> list[Any]:
    """Every column of every Salesforce row."""
    return [
        world.values(f'select * from snapshot."{stream}" order by 1')  # the names below
        for stream in ("account", "order", "case")
    ]


def test_bulk_and_rest_give_the_same_snapshot(world: World) -> None:
    """Instants with +0000 and with Z, null and empty, words like NA, line ends: no difference (H48, H49, H51)."""
    accounts = world.accounts(20, WHMCS_Client_Id__c=" 101 ", Internet_Eligibility_Request_Date_Time__c=world.later())
    for subject in SUBJECTS:
        world.org.insert("Case", AccountId=accounts[0], Subject=subject or None, Description="NA")
    world.order(accounts[1], Status="Approved")
    world.sync()
    by_rest = snapshot(world)
    world.pulls |= BULK
    world.later(hours=1)
    report = world.sync(full=True)
    assert ([0, 0, 0], 3) == (
        [report.counts[stream]["changed"] for stream in ("account", "order", "case")],
        len(world.asked("POST .*jobs")),
    )
    assert (by_rest, []) == (snapshot(world), world.transitions)
    subjects = world.values("select subject from snapshot.case order by case_id")
    assert [subject or None for subject in SUBJECTS] == subjects


def test_a_first_load_by_bulk_keeps_every_text(world: World) -> None:
    """The CSV's own line ends are line ends; every other separator of lines is text (H51)."""
    (account,) = world.accounts(1)
    for subject in SUBJECTS:
        world.org.insert("Case", AccountId=account, Subject=subject or None)
    world.pulls |= BULK
    world.sync()
    subjects = world.values("select subject from snapshot.case order by case_id")
    assert [subject or None for subject in SUBJECTS] == subjects


def test_null_bytes_are_dropped_and_their_rows_kept(world: World) -> None:
    """PostgreSQL takes none, CSV readers stumble over them (H50)."""
    world.accounts(30)
    world.pulls |= BULK
    fault = world.org.faults.add("null_bytes", "FROM Account", rows=5)
    assert ("succeeded", 1) == (world.sync().outcome, fault.hits)
    assert (30, []) == (len(world.statuses()), world.lost())


@pytest.mark.parametrize("last", ["null", "", None])
def test_the_end_of_bulk_results_is_known_in_each_of_its_forms(world: World, last: str | None) -> None:
    """The text null, an empty locator or none at all end the results; a page short of the count does not pass (H54)."""
    world.accounts(250)
    world.pulls |= BULK
    world.org.bulk_page_rows = 100

    def other_end(request: str, headers: Headers) -> Headers:
        if headers.get("Sforce-Locator") == "null":
            headers.pop("Sforce-Locator")
            headers |= {} if last is None else {"Sforce-Locator": last}
        return headers

    world.change_answer = other_end
    assert "succeeded" == world.sync().outcome
    assert ([], 3) == (world.lost(), len(world.asked("jobs/query/.*/results")))


@pytest.mark.parametrize("locator", [None, "MTAw"])
def test_bulk_results_that_end_early_or_turn_in_circles_are_not_believed(world: World, locator: str | None) -> None:
    """A locator lost in mid-results, or the same one again: said, and read by REST, whole (H54)."""
    world.accounts(250)
    world.pulls |= BULK
    world.org.bulk_page_rows = 100

    def spoil(request: str, headers: Headers) -> Headers:
        if headers.get("Sforce-Locator", "null") != "null":
            headers.pop("Sforce-Locator")
            headers |= {} if locator is None else {"Sforce-Locator": locator}
        return headers

    world.change_answer = spoil
    with capture_logs() as logs:
        assert "succeeded" == world.sync().outcome
    assert "Bulk did not deliver; reading by REST" in [line["event"] for line in logs]
    assert ([], 250) == (world.lost(), len(world.statuses()))


def test_a_page_of_csv_cut_short_is_not_believed(world: World) -> None:
    """Half a page, correctly framed: neither rows nor parts of rows are taken from it (H50, H54)."""
    world.accounts(150)
    world.pulls |= BULK
    world.org.faults.add("truncated_json", "results", times=None)
    assert "succeeded" == world.sync().outcome
    assert (150, []) == (len(world.statuses()), world.lost())


def test_ids_of_15_characters_are_the_same_records(world: World) -> None:
    """Reports and formulas give 15, the API 18: joined, and distinguished by case (9.2)."""
    upper, lower = to_18("001Sd00000AbCdE"), to_18("001Sd00000abcde")
    for key in (upper, lower):
        world.org.insert("Account", Id=key, **{ELIGIBILITY: "Pending"})
    order = world.order(upper[:15])
    world.sync()
    assert {upper, lower} == set(world.statuses())
    assert [(order, upper)] == world.values('select order_id, account_id from snapshot."order"')


def test_a_record_that_cannot_be_read_is_set_aside_and_the_rest_is_kept(world: World) -> None:
    """Exit 3, the record named by id and field; once it can be read it comes in by itself."""
    (account,) = world.accounts(1)
    good, bad = world.order(account), world.order("nobody")
    report = world.sync()
    assert ("succeeded", 3) == (report.outcome, report.exit_code)
    assert [(bad, "AccountId")] == world.values("select record_id, field from pipeline.set_aside_record")
    world.later(minutes=20)
    world.org.update("Order", bad, AccountId=account)
    assert 0 == world.sync().exit_code
    assert ({good, bad}, []) == (
        set(world.values('select order_id from snapshot."order"')),
        world.values("select record_id from pipeline.set_aside_record"),
    )
