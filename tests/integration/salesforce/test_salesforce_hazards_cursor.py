"""Cursor and time: what is stamped, committed and read when (hazards H1 to H16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from tests.salesforce_world import ELIGIBILITY, START, VERIFICATION, World


def test_a_late_commit_is_found_within_the_overlap(world: World) -> None:
    """Stamped before the cursor, committed after the poll: the overlap reads it, once (H1, H2)."""
    late, other = world.accounts(2)
    world.sync()
    world.later(minutes=30)
    with world.org.open_transaction() as transaction:
        transaction.update("Account", late, **{ELIGIBILITY: "Eligible"})
        stamped = world.org.clock.now()
        world.org.update("Account", other, **{VERIFICATION: "Verified"})
        world.later(minutes=9)
        world.org.touch("Account", other)
        world.sync()
        assert [(other, "verification_status", "submitted", "verified")] == world.transitions
        assert (world.cursor() or START) > stamped
    world.later(minutes=1)
    for _ in range(2):
        world.sync()
    assert (late, "eligibility_status", "pending", "eligible") == world.transitions[-1]
    assert (2, []) == (len(world.transitions), world.lost())


def test_what_becomes_visible_after_the_overlap_is_found_by_the_daily_full_pull(world: World) -> None:
    """A row served later than ten minutes after its stamp is late by a day at most, never lost (H2b, H3)."""
    late, other = world.accounts(2)
    world.sync()
    world.later(minutes=30)
    with world.org.open_transaction() as transaction:
        transaction.update("Account", late, **{ELIGIBILITY: "Eligible"})
        world.later(minutes=25)
        world.org.touch("Account", other)
        world.sync()
    world.sync()
    assert [] == world.transitions
    world.later(hours=24)
    assert "full" == world.sync().counts["account"]["extent"]
    assert [(late, "eligibility_status", "pending", "eligible")] == world.transitions


def test_rows_of_one_second_on_both_sides_of_a_poll_all_come(world: World) -> None:
    """Stamps are whole seconds: a row stamped in the cursor's second after the poll is read next time (H4, H6)."""
    first, second = world.accounts(2)
    world.sync()
    world.later(minutes=30)
    world.org.update("Account", first, **{ELIGIBILITY: "Eligible"})
    world.sync()
    world.later(seconds=0.4)
    world.org.update("Account", second, **{ELIGIBILITY: "Ineligible"})
    world.sync()
    assert world.cursor() == START + timedelta(minutes=30)
    assert {first: "eligible", second: "ineligible"} == {key: status for key, (status, _) in world.statuses().items()}
    assert 2 == len(world.transitions)


def test_thousands_of_rows_in_one_second_come_whole_in_pages_of_any_size(world: World) -> None:
    """More rows in a second than a page holds neither loop nor get lost; pages may be short at will (H4, H5)."""
    accounts = world.accounts(3000)
    world.sync()
    world.later(minutes=20)
    world.org.mass_update("Account", accounts, **{ELIGIBILITY: "Eligible"})
    world.org.short_page_share = 0.5
    report = world.sync()
    assert ("succeeded", 3000, []) == (report.outcome, len(world.transitions), world.lost())
    assert 0 == world.sync().counts["account"]["changed"]
    assert 3000 == len(world.transitions)


@pytest.mark.parametrize("hours", [0.3, 3])
def test_changes_made_during_a_run_are_found_by_the_next(world: World, hours: float) -> None:
    """The cursor is the highest stamp read, not the end of the run, and not beyond its start (H9, H11)."""
    accounts = world.accounts(450)
    world.sync()
    started = world.later(minutes=30)
    world.org.mass_update("Account", accounts, **{ELIGIBILITY: "Eligible"})
    seen = []

    def change_midway(request: str, headers: dict[str, str]) -> dict[str, str]:
        if "/query/0" in request and not seen:
            seen.append(request)
            world.later(hours=hours)
            world.org.update("Account", accounts[-1], **{ELIGIBILITY: "Ineligible"})
            world.org.update("Account", accounts[0], **{VERIFICATION: "Verified"})
        return headers

    world.change_answer = change_midway
    world.sync()
    assert (1, started) == (len(seen), world.cursor())
    world.sync()
    assert [] == world.lost()
    assert [(accounts[0], "verification_status", "submitted", "verified")] == [
        step for step in world.transitions if step[1] == "verification_status"
    ]


def test_runs_without_news_leave_the_cursor_where_it_is(world: World) -> None:
    """Time that passed here or there proves nothing: only a stamp that was read moves the cursor (H9, H10)."""
    world.accounts(3)
    world.sync()
    before = world.cursor()
    for _ in range(3):
        world.later(hours=3)
        assert "succeeded" == world.sync().outcome
    assert (START, before) == (before, world.cursor())


def test_instants_are_asked_for_in_z_and_whole_seconds(world: World) -> None:
    """No plus sign that could arrive as a space, no fraction, and SystemModstamp as the field (H6, H12, H13)."""
    world.accounts(1)
    world.sync()
    world.later(minutes=5, seconds=0.5)
    world.sync()
    (asked,) = world.asked("queryAll/.* FROM Account ")
    assert "WHERE SystemModstamp >= 2026-11-01T08:50:00Z AND SystemModstamp < 2026-11-01T09:05:01Z" in asked
    assert "ORDER BY SystemModstamp, Id" in asked
    assert "LastModifiedDate" not in asked


def test_a_record_that_changes_again_while_it_is_asked_for_is_read(world: World) -> None:
    """Its new stamp is beyond the window, and with it would go what had changed before the run (10)."""
    (account,) = world.accounts(1)
    world.sync()
    world.later(minutes=5)
    world.org.update("Account", account, **{ELIGIBILITY: "Eligible"})

    def change_again(asked: str) -> None:
        if " FROM Account " in asked and world.meanwhile is change_again:
            world.meanwhile = lambda _: None
            world.later(seconds=2)
            world.org.update("Account", account, **{VERIFICATION: "Verified"})

    world.meanwhile = change_again
    world.requests.clear()
    world.sync()
    assert {account: ("eligible", "verified")} == world.statuses()
    assert 2 == len(world.asked("queryAll/.* FROM Account "))


def test_stamps_that_move_by_themselves_change_nothing(world: World) -> None:
    """Roll-ups and renamed picklists touch every row: no change, no transition, no customer to judge anew (H14)."""
    accounts = world.accounts(300)
    world.sync()
    world.refresh()
    world.later(minutes=20)
    world.org.mass_update("Account", accounts)
    report = world.sync()
    assert (300, 0, 0) == tuple(report.counts["account"][name] for name in ("read", "changed", "added"))
    assert ([], []) == (world.transitions, world.values("select customer_id from pipeline.refresh_mark"))
    assert world.org.clock.now() == world.cursor()


def test_a_renamed_picklist_value_is_unknown_and_no_news(world: World) -> None:
    """A word nobody mapped makes no transition, and its old word back makes none either (H14, 13)."""
    accounts = world.accounts(5, **{ELIGIBILITY: "Eligible"})
    world.sync()
    world.later(minutes=20)
    world.org.rename_picklist("Account", ELIGIBILITY, "Eligible", "Serviceable")
    world.sync()
    assert {"unknown"} == {eligibility for eligibility, _ in world.statuses().values()}
    world.later(minutes=20)
    world.org.rename_picklist("Account", ELIGIBILITY, "Serviceable", "Eligible")
    world.sync()
    assert ([], []) == (world.transitions, world.lost())
    world.later(minutes=20)
    world.org.update("Account", accounts[0], **{ELIGIBILITY: "Ineligible"})
    world.sync()
    assert [(accounts[0], "eligibility_status", "eligible", "ineligible")] == world.transitions


def test_a_formula_is_seen_by_full_pulls_on_schedule(world: World) -> None:
    """Its result changes without a stamp: the daily full pull finds the change, once, and says so (H15)."""
    account, other = world.accounts(2)
    world.sync()
    world.later(minutes=20)
    world.org.touch("Account", other)
    world.sync()
    world.org.set_formula("Account", account, **{ELIGIBILITY: "Eligible"})
    world.later(minutes=5)
    world.sync()
    assert [] == world.transitions
    world.later(hours=24)
    with capture_logs() as logs:
        world.sync()
    assert [[ELIGIBILITY]] == [line["fields"] for line in logs if "formulas" in line["event"]]
    world.sync(full=True)
    assert [(account, "eligibility_status", "pending", "eligible")] == world.transitions


def test_a_related_record_that_changes_is_not_read(world: World) -> None:
    """Queries name fields of the object alone, so no value can change under another record's stamp (H16)."""
    account = world.accounts(1)[0]
    world.order(account)
    world.sync()
    selected = [request.partition("SELECT ")[2].partition(" FROM ")[0] for request in world.asked(r"SELECT .* FROM")]
    assert selected
    assert not [names for names in selected if "." in names]


def test_one_absurd_stamp_does_not_end_the_stream(world: World) -> None:
    """A record stamped in the year 2999 leaves the cursor where the server's clock is: later changes are seen."""
    absurd, other = world.accounts(2)
    world.org.tables["Account"].change(absurd, SystemModstamp=datetime(2999, 12, 31, tzinfo=UTC))
    world.sync()
    cursor = world.cursor()
    assert cursor is not None
    assert cursor <= world.org.clock.now()
    world.later(minutes=30)
    world.org.update("Account", other, **{ELIGIBILITY: "Eligible"})
    assert "succeeded" == world.sync().outcome
    assert [(other, "eligible")] == world.values(
        "select account_id, eligibility_status from snapshot.account where eligibility_status = 'eligible'"
    )
