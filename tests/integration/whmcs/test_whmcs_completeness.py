"""Gone only when provably gone, and never much at once unasked (the contract's Definitions: shrink gate)."""

from __future__ import annotations

from typing import Any

import pytest

from config.database import LiveDatabase
from jobs.sandbox.whmcs.single import ACTIONS
from materializer.snapshot import shrink_gate
from materializer.units import At
from tests.whmcs_world import World, moved


@pytest.mark.parametrize(
    ("known", "gone", "is_held"),
    [
        (200, 10, False),  # 5 %, 10 rows: neither is exceeded
        (200, 11, True),  # 5.5 % and more than 10 rows
        (220, 11, False),  # more than 10 rows, but 5 % exactly
        (100, 10, False),  # 10 %, but not more than 10 rows
        (4, 3, False),  # 75 %, few rows
        (3, 3, True),  # every row of 3
        (2, 2, False),  # every row of 2
        (1, 1, False),
    ],
)
def test_the_shrink_gate_at_its_edges(world: World, known: int, gone: int, is_held: bool) -> None:
    """More than 5 % and more than 10 rows, or every row of 3 or more."""
    world.pulls["page_size"] = 250
    world.empty("cancellation", "invoice")
    client = world.keys("client")[0]
    added = [world.install.add_invoice(client) for _ in range(known)]
    world.sync()
    world.delete("invoice", *added[:gone])
    report = world.sync()
    assert ("held" if is_held else "succeeded", 3 if is_held else 0) == (report.outcome, report.exit_code)
    assert known - (0 if is_held else gone) == len(world.kept("invoice"))


def test_one_stream_tripping_holds_all_removals_and_lets_the_rest_in(synced: World) -> None:
    """What was added or changed goes on; releasing removes all that was held, once."""
    services = synced.keys("service")
    synced.empty("cancellation")
    synced.delete("service", services[0])
    new = synced.install.add_client()
    report = synced.sync()
    assert ("held", {"added": 1}) == (report.outcome, moved(report))
    assert (new in synced.kept("client"), services[0] in synced.kept("service")) == (True, True)
    run_id = synced.values("select run_id from pipeline.held_run where decision is null")[0]
    database = LiveDatabase(synced.engine)
    assert {"cancellation": 4, "service": 1} == shrink_gate.release(database, At(run_id, synced.install.clock.now()))
    assert {} == shrink_gate.release(database, At(run_id, synced.install.clock.now()))
    assert {} == synced.lost


def test_a_shrink_may_be_accepted(synced: World) -> None:
    """--accept-shrink lets it pass, looked up row by row all the same, beside the balances of the unpaid."""
    unpaid = synced.values("select invoice_id from snapshot.invoice where status = 'Unpaid'")
    synced.empty("invoice")
    report = synced.sync(accept_shrink=True)
    assert ("succeeded", 164) == (report.outcome, moved(report)["removed"])
    assert 164 + len(unpaid) == len(synced.asked("^GetInvoice "))


def test_a_later_complete_pull_supersedes_the_hold(synced: World) -> None:
    """The rows are there again: nothing is removed, nothing is held."""
    kept = [dict(row) for row in synced.install.tables["cancellations"].rows()]
    synced.empty("cancellation")
    assert "held" == synced.sync().outcome
    for row in kept:
        synced.install.insert("cancellations", row)
    report = synced.sync()
    assert ("succeeded", {}, {}) == (report.outcome, moved(report), synced.lost)
    assert ["superseded"] == synced.values("select decision from pipeline.held_run")


@pytest.mark.parametrize("stream", ["client", "service", "invoice", "cancellation"])
def test_each_missing_record_is_looked_up_in_the_same_run(synced: World, stream: str) -> None:
    """A list that hides a record which is there removes nothing; one that is gone in both goes."""
    actions = {
        "client": ("GetClients ", "GetClientsDetails .*clientid={key}"),
        "service": ("GetClientsProducts", "GetClientsProducts .*serviceid={key}"),
        "invoice": ("GetInvoices", "GetInvoice .*invoiceid={key}"),
        "cancellation": ("GetCancelledPackages", "GetCancelledPackages"),
    }
    gone = synced.keys(stream)[1]
    synced.delete(stream, gone)
    assert gone not in synced.kept(stream) or moved(synced.sync())["removed"] >= 1
    assert 1 <= len(synced.asked(actions[stream][1].format(key=gone)))
    assert {} == synced.lost


def test_a_look_up_that_fails_removes_nothing_of_the_source(synced: World) -> None:
    """The run fails; the next one looks again."""
    gone = synced.keys("invoice")[1]
    synced.delete("invoice", gone)
    synced.install.faults.add("html", "GetInvoice ", times=None)
    assert "failed" == synced.sync().outcome
    assert gone in synced.kept("invoice")
    synced.well()
    assert {"removed": 1} == moved(synced.sync())


def test_a_look_up_that_is_not_allowed_removes_nothing(synced: World) -> None:
    """The remedy names the action."""
    gone = synced.keys("invoice")[1]
    synced.delete("invoice", gone)
    synced.install.role = set(ACTIONS) - {"GetInvoice"}
    report = synced.sync()
    assert (True, True) == (gone in synced.kept("invoice"), "tick GetInvoice in" in str(report.error))


def test_a_sweep_that_does_not_add_up_removes_nothing(synced: World) -> None:
    """WHMCS announces more rows than it gives: incomplete, shown in the counts, changes applied all the same."""
    gone = synced.keys("invoice")[1]
    synced.delete("invoice", gone)
    paid = synced.values("select invoice_id from snapshot.invoice where status = 'Unpaid' limit 1")[0]
    synced.install.pay_invoice(paid)
    announced = len(synced.keys("invoice"))
    synced.quirk(empty_list="list")
    synced.spoil = lambda _, body: body.replace(
        b'"totalresults":"%d"' % announced, b'"totalresults":"%d"' % (announced + 1)
    )
    report = synced.sync()
    assert {"changed": 1} == moved(report)
    assert "announced" in report.counts["invoice"]["incomplete"]
    synced.well()
    assert {"removed": 1} == moved(synced.sync())


def miscount(world: World) -> None:
    """Has WHMCS announce three invoices more than it gives, whatever is added or deleted."""
    row = b'"totalresults":"%d"'

    def spoiled(label: str, body: bytes) -> bytes:
        total = len(world.keys("invoice"))
        return body.replace(row % total, row % (total + 3)) if label.startswith("GetInvoices") else body

    world.quirk(empty_list="list")
    world.spoil = spoiled


def add_invoices(world: World, count: int, **given: Any) -> list[int]:
    client = world.keys("client")[0]
    return [world.install.add_invoice(client, **given) for _ in range(count)]


def test_a_deleted_invoice_is_not_dunned_for_ever_by_a_miscount(synced: World) -> None:
    """Unpaid and not shown: looked up and gone, its reminder resolved; a paid one stays, and the count is shown."""
    due, paid = add_invoices(synced, 1, duedate=synced.install.today()) + add_invoices(synced, 1, status="Paid")
    synced.sync()
    synced.refresh()
    miscount(synced)
    synced.delete("invoice", due, paid)
    report = synced.sync()
    synced.refresh()
    assert ("succeeded", {"removed": 1}) == (report.outcome, moved(report))
    assert (False, True) == (due in synced.kept("invoice"), paid in synced.kept("invoice"))
    assert [True] == synced.values(
        f"select resolved_at is not null from notification where type = 'INVOICE_DUE' and source_id = '{due}'"
    )
    assert ["invoice"] == synced.values("select stream from pipeline.incomplete_stream")


def test_each_suspect_has_its_turn(synced: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few in each run are looked up, others in the next: after some runs none of those deleted is left."""
    monkeypatch.setattr(shrink_gate, "MOST_SUSPECTS", 2)
    deleted = add_invoices(synced, 3)
    synced.sync()
    miscount(synced)
    synced.delete("invoice", *deleted)
    removed = [moved(synced.sync()).get("removed", 0) for _ in range(3)]
    assert (3, []) == (sum(removed), sorted({*deleted} & {*synced.kept("invoice")}))


def test_suspects_found_gone_come_under_the_gate(synced: World) -> None:
    """More than 5 % and more than 10 of them in one run are held, and removed when released."""
    deleted = add_invoices(synced, 12)
    synced.sync()
    miscount(synced)
    synced.delete("invoice", *deleted)
    assert "held" == synced.sync().outcome
    run_id = synced.values("select run_id from pipeline.held_run where decision is null")[0]
    at = At(run_id, synced.install.clock.now())
    assert {"invoice": 12} == shrink_gate.release(LiveDatabase(synced.engine), at)
