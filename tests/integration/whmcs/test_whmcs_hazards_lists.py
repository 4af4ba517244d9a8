"""Lists in every reported form: the snapshot is that of a well-behaved install (whmcs-api 5; Q13 to Q18, Q32)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.whmcs_world import World, moved

FORMS = ["missing", "text", "list", "object", "nested_list", "nested_text"]


@pytest.mark.parametrize(
    "quirk",
    [
        pytest.param({"ids": "int"}, id="all ids are numbers"),
        pytest.param({"ids": "str"}, id="all ids are text"),
        pytest.param({"ids": "mixed", "counters": "str"}, id="ids mixed, counters text"),
        pytest.param({"counters": "int"}, id="counters are numbers"),
        pytest.param({"single_as_object": True}, id="a single row is an object"),
        pytest.param({"numeric_keys": True}, id="lists are maps"),
        pytest.param({"flat_keys": True, "ids": "str"}, id="flat keys"),
        pytest.param({"flat_keys": True, "empty_list": "nested_text"}, id="flat keys and empty text"),
        pytest.param({"escaped_unicode": True}, id="escaped text"),
        pytest.param({"warning": "Deprecated"}, id="a warning rides along"),
    ],
)
def test_every_form_gives_the_same_rows(world: World, quirk: dict[str, Any]) -> None:
    """A baseline under the quirk equals one without: a well-behaved run finds nothing to change (Q15 to Q18)."""
    world.quirk(**quirk)
    assert "succeeded" == world.sync().outcome
    under_quirk = world.snapshot()
    world.well()
    assert {} == moved(world.sync(full=True))
    assert (under_quirk, {}, []) == (world.snapshot(), world.lost, world.transitions)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_list_of_one_or_two_is_read_in_every_form(world: World, rows: int) -> None:
    """One row may come as an object or as a map of one; two may not become one (Q15)."""
    world.delete("cancellation", *world.keys("cancellation")[rows:])
    world.sync()
    for quirk in ("single_as_object", "numeric_keys", "flat_keys"):
        world.well()
        world.quirk(**{quirk: True})
        assert ({}, rows) == (moved(world.sync(full=True)), len(world.kept("cancellation")))


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_list_is_empty_in_every_form(world: World, form: str) -> None:
    """No ghost record, nothing set aside, and a baseline: later rows are new (Q13, Q14)."""
    world.empty("cancellation", "invoice")
    world.quirk(empty_list=form)
    report = world.sync()
    assert ("succeeded", [], {}) == (report.outcome, world.set_aside, world.lost)
    world.well()
    world.install.add_cancellation(world.keys("service")[0])
    assert {"added": 1} == moved(world.sync())


@pytest.mark.parametrize("form", FORMS)
def test_no_pay_methods_are_none_only_where_whmcs_says_so(world: World, form: str) -> None:
    """An answer without the key says nothing: these clients are set aside and their number stays unknown (Q13)."""
    world.quirk(empty_pay_methods=form)
    without = sorted({*world.keys("client")} - {row["clientid"] for row in world.install.tables["pay_methods"].rows()})
    report = world.sync()
    expected = [("pay_method", f"client {client}") for client in without] if form == "missing" else []
    assert expected == world.set_aside
    assert (3 if expected else 0, {}) == (report.exit_code, world.lost)
    known = world.values("select client_id from pipeline.pay_method_reading where read_at is not null")
    assert sorted({*world.keys("client")} - ({*without} if expected else set())) == sorted(known)
    world.well()
    assert ("succeeded", {}, []) == (world.sync(full=True).outcome, world.lost, world.set_aside)


@pytest.mark.parametrize("message", ["No Results Found", "no clients found", "No records", "Nothing found"])
def test_no_results_reported_as_an_error_is_an_empty_list(world: World, message: str) -> None:
    """As some old wrappers have it (Q32); other errors of lists stay errors."""
    world.empty("cancellation")
    world.quirk(no_results=message)
    report = world.sync()
    assert ("succeeded", {}) == (report.outcome, world.lost)
    assert 0 == report.counts["cancellation"]["read"]


def test_no_results_for_a_list_that_has_some_removes_nothing(synced: World) -> None:
    """Once in a while, and wrongly: every row would be gone, so the run is held; the next clean one goes on."""
    before = synced.snapshot()
    synced.install.faults.add("no_results_error", "GetInvoices", times=None)
    assert "held" == synced.sync().outcome
    assert before == synced.snapshot()
    synced.well()
    report = synced.sync()
    assert ("succeeded", {}, before) == (report.outcome, moved(report), synced.snapshot())
    assert [] == synced.values("select run_id from pipeline.held_run where decision is null")


def test_malformed_rows_are_set_aside_and_shown(world: World) -> None:
    """A container with something else in it makes no customer's record (Q14)."""
    world.spoil = lambda asked, body: (
        body.replace(b'"packages":{"package":[', b'"packages":{"package":["",null,{"x":1},')
        if "GetCancelledPackages" in asked
        else body
    )
    world.sync()
    assert [] != world.set_aside
    assert {*world.kept("cancellation")} <= {*world.keys("cancellation")}


def test_the_page_size_is_always_asked_for(synced: World) -> None:
    """A caller who forgets it gets 25 rows and silently loses the rest (Q28)."""
    synced.sync(full=True)
    singles = {"GetPayMethods", "GetClientsDetails", "GetInvoice"}
    paged = [asked for asked in synced.requests if asked.split()[0] not in singles]
    assert [] == [asked for asked in paged if "limitnum=" not in asked]
