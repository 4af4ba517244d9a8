"""Completeness and the shrink gate over a whole source: what is removed, held, released, discarded, superseded."""

from __future__ import annotations

import json
from argparse import Namespace

import pytest

from jobs.commands import held
from materializer.units import At
from tests.salesforce_world import ELIGIBILITY, World


@pytest.fixture
def shrunk(world: World) -> World:
    """60 accounts and 20 orders are known; 20 accounts and two orders are gone without a trace."""
    accounts = world.accounts(60)
    orders = [world.order(account) for account in accounts[:20]]
    world.sync()
    world.refresh()
    world.later(hours=1)
    for account in accounts[40:]:
        world.org.hard_delete("Account", account)
    for order in orders[:2]:
        world.org.hard_delete("Order", order)
    return world


def counts(world: World) -> tuple[int, int]:
    """Accounts and orders in the snapshot."""
    return len(world.statuses()), len(world.values('select 1 from snapshot."order"'))


def decide(world: World, action: str, run_id: int | None) -> dict[str, object]:
    assert run_id is not None
    return held.decide(world.engine, action, At(run_id, world.org.clock.now()), None)


def test_one_stream_that_trips_holds_all_removals_and_nothing_else(shrunk: World) -> None:
    """Two of 20 orders would pass by themselves; they wait with the accounts. Changes go on, exit 3."""
    accounts = sorted(shrunk.statuses())
    shrunk.org.update("Account", accounts[0], **{ELIGIBILITY: "Eligible"})
    (new,) = shrunk.accounts(1)
    report = shrunk.sync(full=True)
    assert ("held", 3, {"account": 20, "order": 2}) == (
        report.outcome, report.exit_code, (report.held or {})["removals"],
    )  # fmt: skip
    assert (61, 20) == counts(shrunk)
    assert (accounts[0], "eligibility_status", "pending", "eligible") in shrunk.transitions
    assert new in shrunk.statuses()
    assert [] == shrunk.asked("Id IN")  # nobody is asked about thousands of rows one by one


def test_held_runs_are_listed_until_decided(shrunk: World, capsys: pytest.CaptureFixture[str]) -> None:
    """What `me-status held list --json` prints."""
    report = shrunk.sync(full=True)
    assert [report.run_id] == [run["runId"] for run in listed(shrunk, capsys)]
    decide(shrunk, "discard", report.run_id)
    assert [] == listed(shrunk, capsys)


def listed(world: World, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    held._list(world.engine, Namespace(json=True))
    answer: list[dict[str, object]] = json.loads(capsys.readouterr().out)["held"]
    return answer


def test_release_removes_what_was_held_once(shrunk: World) -> None:
    """The customers leave the read model with the next refresh; releasing again is harmless."""
    report = shrunk.sync(full=True)
    assert {"account": 20, "order": 2} == decide(shrunk, "release", report.run_id)["removed"]
    assert not decide(shrunk, "release", report.run_id)["changed"]
    shrunk.refresh()
    assert ((40, 18), 40, []) == (counts(shrunk), len(shrunk.values("select 1 from me_status")), shrunk.lost())
    assert ["succeeded"] == shrunk.values(f"select outcome from job_run where run_id = {report.run_id}")


def test_discard_keeps_everything_and_the_next_full_pull_asks_again(shrunk: World) -> None:
    """Discarding says "not now": the rows are still missing, so the next complete pull holds them anew."""
    report = shrunk.sync(full=True)
    assert decide(shrunk, "discard", report.run_id)["changed"]
    assert not decide(shrunk, "discard", report.run_id)["changed"]
    assert (60, 20) == counts(shrunk)
    shrunk.later(minutes=5)
    assert "succeeded" == shrunk.sync().outcome  # a partial pull concludes nothing
    shrunk.later(hours=25)
    assert ("held", (60, 20)) == (shrunk.sync().outcome, counts(shrunk))


def test_a_later_complete_pull_supersedes_a_hold(shrunk: World) -> None:
    """Held again: the newer run counts. Back again: nothing is held."""
    earlier = shrunk.sync(full=True).run_id
    later = shrunk.sync(full=True).run_id
    decisions = "select run_id, decision from pipeline.held_run order by run_id"
    assert [(earlier, "superseded"), (later, None)] == shrunk.values(decisions)
    assert "discarded" in shrunk.values(f"select outcome from job_run where run_id = {earlier}")
    assert "succeeded" == shrunk.sync(full=True, accept_shrink=True).outcome
    assert [(earlier, "superseded"), (later, "superseded")] == shrunk.values(decisions)


def test_accept_shrink_lets_confirmed_removals_pass(shrunk: World) -> None:
    """`--accept-shrink` skips the gate, not the direct look-up: what is only not listed stays."""
    report = shrunk.sync(full=True, accept_shrink=True)
    assert ("succeeded", 20, 2) == (
        report.outcome, report.counts["account"]["removed"], report.counts["order"]["removed"],
    )  # fmt: skip
    assert ((40, 18), []) == (counts(shrunk), shrunk.lost())
    assert [] == shrunk.transitions


def test_a_record_that_a_direct_look_up_finds_stays(shrunk: World) -> None:
    """Missing from the list, there when asked for: deleted between two requests and restored, say."""
    accounts = sorted(shrunk.statuses())
    shrunk.org.hide_rows("Account", accounts[:3])

    def show_again(request: str, headers: dict[str, str]) -> dict[str, str]:
        if "FROM Case" in request:
            shrunk.org.hide_rows("Account", None)
        return headers

    shrunk.change_answer = show_again
    report = shrunk.sync(full=True, accept_shrink=True)
    assert (20, []) == (report.counts["account"]["removed"], shrunk.lost())


def test_a_look_up_that_fails_removes_nothing(shrunk: World) -> None:
    """The run fails, the rows stay, the next full pull asks again."""
    shrunk.org.faults.add("server_unavailable", "Id IN", times=None)
    assert ("failed", (60, 20)) == (shrunk.sync(full=True, accept_shrink=True).outcome, counts(shrunk))
    shrunk.org.faults.clear()
    assert ("succeeded", (40, 18)) == (shrunk.sync(full=True, accept_shrink=True).outcome, counts(shrunk))


def test_a_pull_whose_counts_disagree_removes_nothing(world: World) -> None:
    """Rows deleted between two pages: fewer came than were announced, so nothing is concluded in this run."""
    accounts = world.accounts(450)
    world.sync()
    world.later(hours=1)
    world.org.hard_delete("Account", accounts[0])

    def erase_midway(request: str, headers: dict[str, str]) -> dict[str, str]:
        if "/query/0r8" in request and accounts[-1] in world.org.tables["Account"]:
            world.org.hard_delete("Account", accounts[-1])
        return headers

    world.change_answer = erase_midway
    report = world.sync(full=True)
    assert 450 == len(world.statuses())
    assert "449 records announced, 448 received" == report.counts["account"]["incomplete"]
    world.sync(full=True)
    assert (448, []) == (len(world.statuses()), world.lost())


def test_losing_every_row_of_a_small_stream_is_held(world: World) -> None:
    """Three of three is everything, however few it is."""
    accounts = world.accounts(3)
    world.sync()
    world.org.hide_rows("Account", accounts)
    world.later(minutes=1)
    assert ("held", 3) == (world.sync(full=True).outcome, len(world.statuses()))
