"""Field history: every step of the two account statuses between two pulls, where the org keeps it."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tests.salesforce_world import ELIGIBILITY, VERIFICATION, World

FIELD = "eligibility_status"


@pytest.fixture
def tracked(world: World) -> World:
    """Three accounts after their baseline in an org that tracks both fields."""
    world.org.track_history()
    world.accounts(3)
    world.sync()
    world.refresh()
    return world


def first(world: World) -> str:
    return min(world.statuses())


def walk(world: World, account: str, *words: str | None) -> None:
    """The account's eligibility, word by word, five minutes apart."""
    for word in words:
        world.later(minutes=5)
        world.org.update("Account", account, **{ELIGIBILITY: word})
    world.later(minutes=1)


@pytest.mark.parametrize("full", [False, True])
def test_both_ends_of_a_path_are_notified_once(tracked: World, full: bool) -> None:
    """Pending, Eligible, Ineligible between two pulls, partial or full: two transitions, two notifications."""
    account = first(tracked)
    walk(tracked, account, "Eligible", "Ineligible")
    tracked.sync(full=full)
    tracked.refresh()
    expected = [(account, FIELD, "pending", "eligible"), (account, FIELD, "eligible", "ineligible")]
    notified = [(account, "ELIGIBILITY_ELIGIBLE"), (account, "ELIGIBILITY_INELIGIBLE")]
    for _ in range(3):  # what lies in the overlap is read again and shows nothing new
        assert (expected, notified, []) == (tracked.transitions, tracked.notifications, tracked.lost())
        tracked.later(minutes=1)
        tracked.sync()
        tracked.refresh()


def test_steps_in_the_overlap_are_no_change(tracked: World) -> None:
    """A path that was observed writes nothing and marks nobody when it is read again."""
    walk(tracked, first(tracked), "Eligible")
    tracked.sync()
    tracked.refresh()
    tracked.later(minutes=1)
    assert 0 == tracked.sync().counts["account"]["changed"]
    assert [] == tracked.values("select customer_id from pipeline.refresh_mark")


def test_a_path_that_returns_to_its_start_is_seen(tracked: World) -> None:
    """The ends are equal, the steps are not: there and back are two transitions."""
    account = first(tracked)
    walk(tracked, account, "Eligible", "Pending")
    tracked.sync()
    assert [("pending", "eligible"), ("eligible", "pending")] == [step[2:] for step in tracked.transitions]
    walk(tracked, account, "Ineligible")
    tracked.sync()
    assert ("pending", "ineligible") == tracked.transitions[-1][2:]
    assert 3 == len(tracked.transitions)


def test_the_path_ends_where_the_snapshot_stands(tracked: World) -> None:
    """Over several pulls and accounts each chain of transitions is unbroken and ends at the present status."""
    one, two, three = sorted(tracked.statuses())
    for words in (("Eligible",), ("Pending", "Eligible"), ("Ineligible", None, "Pending"), ("Unheard of", "Eligible")):
        walk(tracked, one, *words)
        walk(tracked, two, *reversed(words))
        tracked.org.update("Account", three, **{VERIFICATION: "Verified"})
        tracked.sync()
    for account in (one, two):
        chain = [step[2:] for step in tracked.transitions if step[0] == account and step[1] == FIELD]
        assert "pending" == chain[0][0]
        assert [new for _, new in chain[:-1]] == [old for old, _ in chain[1:]]
        known = tracked.values(f"select eligibility_known from snapshot.account where account_id = '{account}'")
        assert known == [chain[-1][1]]
    assert [(three, "verification_status", "submitted", "verified")] == [
        step for step in tracked.transitions if step[0] == three
    ]


def test_a_step_taken_while_the_accounts_are_read_belongs_to_the_row_that_shows_it(tracked: World) -> None:
    """History is read after the accounts: a later step waits for the next run, an earlier one is never lost."""
    account = first(tracked)
    walk(tracked, account, "Eligible")
    seen = []

    def move_on(request: str, headers: dict[str, str]) -> dict[str, str]:
        if "queryAll" in request and "FROM Account " in request and not seen:
            seen.append(request)
            tracked.org.update("Account", account, **{ELIGIBILITY: "Ineligible"})
        return headers

    tracked.change_answer = move_on
    tracked.sync()
    tracked.later(minutes=1)
    tracked.sync()
    assert [("pending", "eligible"), ("eligible", "ineligible")] == [step[2:] for step in tracked.transitions]
    assert [] == tracked.lost()


def test_a_late_commit_brings_its_step_along(tracked: World) -> None:
    """Step and row are stamped alike and seen alike: notified once, with the step's own instant."""
    account, other, _ = sorted(tracked.statuses())
    tracked.later(minutes=20)
    with tracked.org.open_transaction() as transaction:
        transaction.update("Account", account, **{ELIGIBILITY: "Eligible"})
        stamped = tracked.org.clock.now()
        tracked.later(minutes=8)
        tracked.org.touch("Account", other)
        tracked.sync()
    tracked.sync()
    assert [(account, FIELD, "pending", "eligible")] == tracked.transitions
    assert [stamped] == tracked.values("select source_changed_at from status_transition")


def test_a_history_that_cannot_be_read_in_passing_is_read_by_the_next_run(tracked: World) -> None:
    """The accounts wait with it: applied without their steps, the steps would be lost."""
    walk(tracked, first(tracked), "Eligible", "Ineligible")
    tracked.org.faults.add("server_unavailable", "FROM AccountHistory", times=None)
    assert ("failed", []) == (tracked.sync().outcome, tracked.transitions)
    tracked.org.faults.clear()
    assert ("succeeded", 2) == (tracked.sync().outcome, len(tracked.transitions))


@pytest.mark.parametrize("why", ["no object", "forbidden", "not tracked"])
def test_an_org_without_history_shows_the_ends_and_says_nothing(world: World, why: str) -> None:
    """No tracking is not a fault: one transition from end to end, no warning, exit 0."""
    world.accounts(3)
    if why == "no object":
        world.org.remove_object("AccountHistory")
    elif why == "forbidden":
        world.org.faults.add("permission", "AccountHistory", times=None)
    world.sync()
    account = first(world)
    walk(world, account, "Eligible", "Ineligible")
    with capture_logs() as logs:
        assert 0 == world.sync().exit_code
    assert [] == [line for line in logs if line["log_level"] not in ("info", "debug")]
    assert [(account, FIELD, "pending", "ineligible")] == world.transitions
