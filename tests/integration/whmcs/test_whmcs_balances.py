"""What is still to pay: asked for invoice by invoice, and unknown where WHMCS's answer cannot be read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.whmcs_world import World


@pytest.fixture
def client(world: World) -> int:
    """A client of a customer, without invoices but those of the test."""
    world.claim_clients()
    chosen = world.keys("client")[0]
    theirs = [row["id"] for row in world.install.tables["invoices"].rows() if row["userid"] == chosen]
    world.delete("invoice", *theirs)
    return chosen


def document(world: World, client: int) -> dict[str, Any]:
    """What is served after a sync and a refresh."""
    world.sync()
    world.refresh()
    [body] = world.values(f"select document::text from me_status where whmcs_client_id = {client}")
    decoded: dict[str, Any] = json.loads(body)
    return decoded


def due(world: World, client: int) -> tuple[Any, Any]:
    """How many invoices are unpaid, and the amount due."""
    stats = document(world, client)["summary"]["stats"]
    return stats["unpaidInvoices"], stats["amountDue"]


def test_a_part_payment_counts(world: World, client: int) -> None:
    """2000 of 3300 paid: 1300 are due, in every amount shown."""
    today = world.install.today()
    world.install.add_invoice(client, total="3300.00", duedate=today, transactions=[{"amountin": Decimal(2000)}])
    made = document(world, client)
    assert ("1300.00", "1300.00", "1300.00") == (
        made["summary"]["stats"]["amountDue"],
        made["summary"]["nextInvoice"]["amount"],
        made["tasks"][0]["about"]["amount"],
    )


def test_an_invoice_over_others_counts_nowhere(world: World, client: int) -> None:
    """Mass Pay: two invoices of 5000 together, not 10000."""
    ids = [world.install.add_invoice(client, total=total) for total in ("2000.00", "3000.00")]
    items = [{"type": "Invoice", "relid": key, "amount": 1} for key in ids]
    world.install.add_invoice(client, total="5000.00", items=items)
    assert (2, "5000.00") == due(world, client)


@pytest.mark.parametrize("total", ["0.00", "-500.00"])
def test_nobody_is_dunned_for_nothing(world: World, client: int, total: str) -> None:
    """Due needs a balance above 0."""
    world.install.add_invoice(client, total=total, duedate=world.install.today())
    assert (0, "0.00") == due(world, client)
    mine = f"select invoice_id::text from snapshot.invoice where client_id = {client}"
    assert [] == world.values(f"select 1 from notification where type = 'INVOICE_DUE' and source_id in ({mine})")


def test_only_unpaid_invoices_are_asked_for_and_each_once_a_day(world: World, client: int) -> None:
    """New ones at once; after that when their row changed, and in a round robin."""
    world.pulls["sweep_always_below_rows"] = 100_000
    world.sync()
    unpaid = world.values("select count(*) from snapshot.invoice where status = 'Unpaid'")[0]
    assert unpaid == len(world.asked("GetInvoice(?!s)"))
    invoice = world.install.add_invoice(client, total="10.00")
    world.requests.clear()
    world.sync()
    assert world.asked(f"GetInvoice(?!s).*invoiceid={invoice}(&|$| )")
    world.later(hours=24)
    world.requests.clear()
    world.sync()
    assert unpaid + 1 == len(world.asked("GetInvoice(?!s)"))


def test_a_changed_row_has_its_balance_read_again(world: World, client: int) -> None:
    """What is stored is marked as outdated in the transaction that changes the row."""
    invoice = world.install.add_invoice(client, total="10.00")
    assert (1, "10.00") == due(world, client)
    world.install.tables["invoices"].change(invoice, total=Decimal("12.00"))
    assert (1, "12.00") == due(world, client)


@pytest.mark.parametrize("other", ["Paid", "Payment Pending"])
def test_an_invoice_opened_again_has_no_balance_of_before(world: World, client: int, other: str) -> None:
    """Its total counts until it is asked for; an invoice over others is still one."""
    world.pulls["sweep_always_below_rows"] = 100_000
    invoice = world.install.add_invoice(client, total="10.00", transactions=[{"amountin": Decimal(6)}])
    mass_pay = world.install.add_invoice(client, total="9.00", items=[{"type": "Invoice", "relid": 1, "amount": 9}])
    assert (1, "4.00") == due(world, client)
    world.install.faults.add("action_not_allowed", "GetInvoice(?!s)", times=None)
    for status in (other, "Unpaid"):
        for key in (invoice, mass_pay):
            world.install.set_invoice_status(key, status)
        made = due(world, client)
    assert (1, "10.00") == made
    known = f"select invoice_id from snapshot.balance where client_id = {client}"
    assert [mass_pay] == world.values(known)
    world.well()
    assert (1, "4.00") == due(world, client)


@pytest.mark.parametrize("answer", [{"balance": "3,300.00"}, {"items": 5}, {"balance": None}, {"userid": []}])
def test_an_answer_that_cannot_be_read_makes_the_figures_unknown(
    world: World, client: int, answer: dict[str, Any]
) -> None:
    """For this client alone; the invoice is named; read well again, it counts."""
    invoice = world.install.add_invoice(client, total="10.00")
    world.install.add_invoice(world.keys("client")[1], total="7.00")

    def spoil(asked: str, body: bytes) -> bytes:
        if "GetInvoice " not in asked.replace("&", " ").replace("?", " ") + " " and "GetInvoices" in asked:
            return body
        given = json.loads(body)
        return json.dumps(given | answer).encode() if given.get("invoiceid") == invoice else body

    world.spoil = spoil
    assert (None, None) == due(world, client)
    assert ("balance", str(invoice)) in world.set_aside
    assert world.values("select 1 from me_status where amount_due >= 7")
    world.well()
    assert ((1, "10.00"), []) == (due(world, client), world.set_aside)


def test_balances_that_may_not_be_read_leave_the_totals(world: World, client: int) -> None:
    """Until it was asked, an invoice's total counts; the stream is named, and the source is synced all the same."""
    world.install.faults.add("action_not_allowed", "GetInvoice(?!s)", times=None)
    world.install.add_invoice(client, total="10.00")
    made = document(world, client)["summary"]["stats"]
    assert "10.00" == made["amountDue"]
    assert ["balance"] == world.values("select stream from pipeline.incomplete_stream")


@pytest.mark.parametrize(
    "fields", [{"total": "3,300.00"}, {"duedate": "2026-02-30"}, {"userid": []}, {"total": {"a": 1}}, {"status": 5.5}]
)
def test_an_invoice_row_that_cannot_be_read(world: World, client: int, fields: dict[str, Any]) -> None:
    """Its client's figures are unknown; where even the client cannot be read, it is nobody's, and named."""
    invoice = world.install.add_invoice(client, total="10.00")

    def spoil(asked: str, body: bytes) -> bytes:
        if "GetInvoices" not in asked:
            return body
        given = json.loads(body)
        rows = (given.get("invoices") or {}).get("invoice") or []
        for row in rows if isinstance(rows, list) else [rows]:
            if row["id"] == invoice:
                row.update(fields)
        return json.dumps(given).encode()

    world.spoil = spoil
    expected = {"userid": (0, "0.00"), "status": (0, "0.00")}.get(next(iter(fields)), (None, None))
    assert expected == due(world, client)
    assert (("invoice", str(invoice)) in world.set_aside) == ("status" not in fields)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_an_absurd_date_stops_nothing(world: World, client: int, zone: str) -> None:
    """The record and all others are taken in, and everybody's document is computed."""
    world.settings |= {"whmcs_timezone": zone, "me_status_timezone": zone}
    world.install.add_invoice(client, datepaid="0001-01-01 00:00:00", created_at="9999-12-31 23:59:59")
    world.install.add_service(client, regdate="0001-01-01", nextduedate="9999-12-31")
    assert ("succeeded", {}, []) == (world.sync().outcome, world.lost, world.set_aside)
    assert ("succeeded", []) == (world.refresh().outcome, world.values("select 1 from pipeline.failed_customer"))
