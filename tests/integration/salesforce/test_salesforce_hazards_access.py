"""Deletes, access and schema: what leaves, what is hidden, what changes its shape (hazards H17 to H25)."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from jobs.commands import doctor
from jobs.sandbox.salesforce.schema import Field
from tests.salesforce_world import ELIGIBILITY, VERIFICATION, World

LINK, ACTIVATION = "WHMCS_Client_Id__c", "Activation_Status__c"


def test_soft_deleted_records_leave_with_the_next_run_and_return_without_news(world: World) -> None:
    """queryAll shows deletes; a restored account comes back with its status and no notification (H17)."""
    gone, _ = world.accounts(2, **{ELIGIBILITY: "Eligible"})
    world.sync()
    world.later(minutes=20)
    world.org.delete("Account", gone)
    assert 1 == world.sync().counts["account"]["removed"]
    assert gone not in world.statuses()
    world.later(minutes=20)
    world.org.undelete("Account", gone)
    world.sync()
    assert ([], []) == (world.lost(), world.transitions)


def test_a_record_restored_while_it_is_read_stays(world: World) -> None:
    """Deleted in one part of a halved window and alive in the next: alive is the later news (H17, H28)."""
    account, other = world.accounts(2)
    world.sync()
    world.later(minutes=20)
    world.org.delete("Account", account)
    world.later(hours=2)
    world.org.touch("Account", other)
    world.org.faults.add("query_timeout", "queryAll.*FROM Account ", days=0.01)

    def restore_midway(request: str, headers: dict[str, str]) -> dict[str, str]:
        if (
            2 == len(world.asked("queryAll.*FROM Account "))
            and world.org.row("Account", account, deleted=False) is None
        ):
            world.org.undelete("Account", account)
        return headers

    world.change_answer = restore_midway
    assert 0 == world.sync().counts["account"]["removed"]
    assert ({account, other}, []) == (set(world.statuses()), world.lost())


def test_what_left_without_a_trace_is_found_by_the_daily_full_pull(world: World) -> None:
    """Emptied from the Recycle Bin before it was read, or hard-deleted: asked for directly, then removed (H17, H18)."""
    emptied, erased, kept = world.accounts(3)
    order = world.order(kept)
    world.sync()
    world.later(minutes=20)
    world.org.delete("Account", emptied)
    world.org.empty_bin()
    world.org.hard_delete("Account", erased)
    world.org.hard_delete("Order", order)
    world.later(hours=25)
    report = world.sync()
    assert (2, 1) == (report.counts["account"]["removed"], report.counts["order"]["removed"])
    assert ([], {kept}) == (world.lost(), set(world.statuses()))
    assert [] == world.asked("/deleted/|/updated/")  # get-deleted has its own faults (H8, H18, H19)


def test_many_records_hidden_at_once_are_held_not_removed(world: World) -> None:
    """Losing View All looks like a mass deletion: the gate holds it, and the rows come back as if nothing was (H20)."""
    accounts = world.accounts(60)
    world.sync()
    world.refresh()
    world.later(hours=25)
    world.org.hide_rows("Account", accounts[:20])
    report = world.sync()
    assert ("held", 3, {"account": 20}) == (report.outcome, report.exit_code, (report.held or {})["removals"])
    assert 60 == len(world.statuses())
    world.org.hide_rows("Account", None)
    world.later(minutes=5)
    assert "succeeded" == world.sync(full=True).outcome
    assert ["superseded"] == world.values("select decision from pipeline.held_run")
    assert ([], [], 60) == (world.lost(), world.transitions, len(world.values("select 1 from me_status")))


@pytest.mark.parametrize("field", [ELIGIBILITY, VERIFICATION])
def test_a_hidden_status_field_stops_its_stream_and_changes_nothing(world: World, field: str) -> None:
    """Named with its remedy; no status becomes null, the cursor stays, the other streams go on (H21)."""
    (account,) = world.accounts(1, **{ELIGIBILITY: "Eligible", VERIFICATION: "Verified"})
    order = world.order(account)
    world.sync()
    before = world.cursor()
    world.later(minutes=20)
    world.org.touch("Account", account)
    world.org.update("Order", order, Status="Approved")
    world.org.hide_field("Account", field)
    report = world.sync()
    assert ("failed", 1) == (report.outcome, report.exit_code)
    assert f"Account: field {field} is not there or hidden" in (report.error or "")
    assert ({account: ("eligible", "verified")}, before) == (world.statuses(), world.cursor())
    assert [(order, "status", "Draft", "Approved")] == world.transitions
    world.org.hide_field("Account", field, hidden=False)
    assert "succeeded" == world.sync().outcome
    assert ([], 1) == (world.lost(), len(world.transitions))


def test_an_optional_field_that_goes_and_returns_is_no_news(world: World) -> None:
    """It is null meanwhile and said once a run; neither way is a transition or a notification (H21, H23)."""
    (account,) = world.accounts(1, **{LINK: "101"})
    order = world.order(account, Status="Activated", **{ACTIVATION: "Activated"})
    world.sync()
    world.refresh()
    world.later(minutes=20)
    for sobject, field in (("Account", LINK), ("Order", ACTIVATION)):
        world.org.hide_field(sobject, field)
    with capture_logs() as logs:
        assert "succeeded" == world.sync().outcome
    assert [LINK, ACTIVATION] == [line["field"] for line in logs if line["log_level"] == "warning"]
    assert [(None,)] == [(link,) for link in world.values("select whmcs_client_id from snapshot.account")]
    world.refresh()
    world.later(minutes=20)
    for sobject, field in (("Account", LINK), ("Order", ACTIVATION)):
        world.org.hide_field(sobject, field, hidden=False)
    world.sync()
    world.refresh()
    assert ([], [], []) == (world.lost(), world.transitions, world.notifications)
    assert [(order, "Activated")] == world.values('select order_id, activation_status from snapshot."order"')


def test_a_field_removed_in_mid_run_is_asked_for_no_more(world: World) -> None:
    """One bad column fails the whole query: the pull goes on without it (H21)."""
    world.accounts(450)
    world.sync()
    world.later(minutes=20)
    world.org.mass_update("Account", list(world.statuses()), **{ELIGIBILITY: "Eligible"})

    def remove_midway(request: str, headers: dict[str, str]) -> dict[str, str]:
        if "Account/describe" in request and LINK in world.org.schema["Account"].fields:
            world.org.remove_field("Account", LINK)
        return headers

    world.change_answer = remove_midway
    assert "succeeded" == world.sync().outcome
    assert (450, 450) == (len(world.transitions), sum(status == "eligible" for status, _ in world.statuses().values()))


def test_a_field_that_is_new_in_the_org_is_read_for_every_record(world: World) -> None:
    """Describe is asked each run: a mapped field that appears brings a full pull, without news (H22, H23)."""
    world.org.remove_field("Order", ACTIVATION)
    (account,) = world.accounts(1)
    order = world.order(account, Status="Approved")
    world.sync()
    world.later(days=1, hours=-1)
    world.org.add_field("Order", Field(ACTIVATION, "picklist"))
    world.org.tables["Order"].change(order, **{ACTIVATION: "Activated"})
    report = world.sync()
    assert ("full", "partial") == (report.counts["order"]["extent"], report.counts["account"]["extent"])
    assert ([], []) == (world.lost(), world.transitions)


def test_a_merged_account_lives_on_in_the_winner(world: World) -> None:
    """Not the loss of a customer: its notifications, orders and old id lead to the winner (H24)."""
    winner, loser = world.accounts(2)
    order = world.order(loser)
    world.sync()
    world.later(minutes=20)
    world.org.update("Account", loser, **{ELIGIBILITY: "Eligible"})
    world.sync()
    world.refresh()
    world.later(minutes=20)
    world.org.merge(winner, loser)
    world.sync()
    world.refresh()
    assert [(winner, "ELIGIBILITY_ELIGIBLE")] == world.notifications
    assert [(loser, winner)] == world.values("select account_id, customer_id from pipeline.account_redirect")
    assert [(order, winner)] == world.values('select order_id, account_id from snapshot."order"')
    assert ([winner], []) == (world.values("select customer_id from me_status"), world.lost())


def test_a_merge_first_seen_by_a_full_pull_is_still_a_merge(world: World) -> None:
    """The loser is missing; asked for directly it names its master (H24)."""
    winner, loser = world.accounts(2)
    world.sync()
    world.later(minutes=20)
    world.org.merge(winner, loser)
    world.sync(full=True)
    assert [(loser, winner)] == world.values("select account_id, customer_id from pipeline.account_redirect")


@pytest.mark.parametrize("how", ["switched off", "forbidden"])
def test_one_object_refused_is_never_silent(world: World, how: str) -> None:
    """The run fails and says which object; the others are applied, and the source does not count as synced (H25)."""
    accounts = world.accounts(2)
    world.sync()
    synced_at = world.values("select synced_at from pipeline.source_state where source = 'salesforce'")
    orders = world.org.schema["Order"]
    world.later(minutes=20)
    world.org.update("Account", accounts[0], **{ELIGIBILITY: "Eligible"})
    if how == "switched off":
        world.org.remove_object("Order")
    else:
        world.org.faults.add("permission", r"FROM Order\b|Order/describe", times=None)
    report = world.sync()
    assert ("failed", 1) == (report.outcome, report.exit_code)
    assert "query of Order" in (report.error or "")
    assert "integration user" in (report.error or "")
    assert (accounts[0], "eligibility_status", "pending", "eligible") in world.transitions
    assert synced_at == world.values("select synced_at from pipeline.source_state where source = 'salesforce'")
    assert [report.error] == world.values("select error from pipeline.source_state where source = 'salesforce'")
    world.org.schema["Order"] = orders
    world.org.faults.clear()
    order = world.order(accounts[0])
    assert "succeeded" == world.sync().outcome
    assert [order] == world.values('select order_id from snapshot."order"')


def test_doctor_names_what_is_missing_hidden_or_computed(world: World) -> None:
    """One line per finding with its remedy: a missing status fails, an optional field and a formula warn (H15, H21)."""
    world.org.hide_field("Account", VERIFICATION)
    world.org.remove_field("Account", LINK)
    world.org.schema["Account"].set_calculated(ELIGIBILITY, calculated=True)
    lines = {line.thing: line for line in doctor.check(world.program)}
    levels = {name: lines[f"Account.{name}"].level for name in (VERIFICATION, LINK, ELIGIBILITY)}
    assert {VERIFICATION: "fail", LINK: "warn", ELIGIBILITY: "warn"} == levels
    assert "full_every_hours" in lines[f"Account.{ELIGIBILITY}"].remedy
    assert "warn" == lines["Salesforce clock"].level
