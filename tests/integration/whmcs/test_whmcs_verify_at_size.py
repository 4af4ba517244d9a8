"""`me-status verify` among very many invoices: the one that was lost is found and its status named, as WHMCS moves.

`ME_STATUS_VERIFY_ROWS=1000000` makes it large, `ME_STATUS_SEED` loses another one (docs/proof.md).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from random import Random

import pytest
from sqlalchemy import Engine, text

from config.database import LiveDatabase
from jobs.runs.proof import Proof, prove
from jobs.sandbox.population import Population
from materializer.copying import driver_of
from tests.whmcs_world import TOKYO, World

ROWS = int(os.environ.get("ME_STATUS_VERIFY_ROWS", "300"))
SEED = int(os.environ.get("ME_STATUS_SEED", "16"))
INVOICES_OF_TEN_CUSTOMERS = 52
PULLED = "insert into pipeline.stream_state (stream, synced_at, run_id) values ('invoice', :now, 1)"


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    """An install with so many invoices, and a snapshot that has each of them with its status, pulled an hour later."""
    world = World(engine, Population(ROWS * 10 // INVOICES_OF_TEN_CUSTOMERS, SEED, date(2026, 11, 1), TOKYO))
    world.limits["timeout_seconds"] = 600.0
    now = world.later(hours=1)
    with engine.begin() as connection:
        copy = "copy snapshot.invoice (invoice_id, client_id, status, status_known) from stdin"
        with driver_of(connection).cursor() as cursor, cursor.copy(copy) as rows:
            for row in world.install.tables["invoices"].rows():
                rows.write_row((row["id"], row["userid"], row["status"], row["status"]))
        connection.execute(text(PULLED), {"now": now})
    yield world
    world.close()


def verified(world: World) -> Proof:
    """What is said of the invoices; the other streams were never pulled."""
    program = world.program
    now = world.install.clock.now()
    proofs = prove(LiveDatabase(world.engine), program.settings, program.tables, "whmcs", now)
    return next(proof for proof in proofs if proof.stream == "invoice")


def move(world: World, dice: Random, unpaid: list[int], paid: list[int]) -> None:
    """New invoices come after the pull, one of them paid at once; older ones are paid, or not paid any more."""
    world.later(minutes=dice.randint(1, 30))
    *_, newest = [world.install.add_invoice(client, total="1100.00") for client in dice.sample(world.keys("client"), 3)]
    for invoice in (newest, *unpaid):
        world.install.pay_invoice(invoice)
    for invoice in paid:
        world.install.set_invoice_status(invoice, "Unpaid")


def forget(world: World, invoice: int) -> str:
    """Takes an invoice out of the snapshot; its status."""
    with world.engine.begin() as connection:
        delete = text("delete from snapshot.invoice where invoice_id = :id returning status")
        return str(connection.execute(delete, {"id": invoice}).scalar_one())


def some(world: World, dice: Random, status: str) -> list[int]:
    """Six invoices of a status."""
    known = world.values(f"select invoice_id from snapshot.invoice where status = '{status}' order by 1")
    return dice.sample(known, 6)


def test_one_invoice_lost_of_many_is_found_while_the_install_moves(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    """No alarm while nothing is lost, also where one goes; then one more than known in its status, beside the moves."""
    dice = Random(SEED)
    (gone, *unpaid), (lost, *paid) = some(world, dice, "Unpaid"), some(world, dice, "Paid")
    assert "equal" == verified(world).verdict
    move(world, dice, unpaid[:2], paid[:1])
    world.delete("invoice", gone)
    assert "undecided" == verified(world).verdict
    forget(world, gone)  # as the next complete pull does
    assert "undecided" == verified(world).verdict
    status = forget(world, lost)
    move(world, dice, unpaid[2:], paid[1:3])
    found = verified(world)
    more = Counter({one.bucket: one.source - one.snapshot for one in found.differences})
    more.subtract({"Paid": len(unpaid) - len(paid[:3]), "Unpaid": len(paid[:3]) - len(unpaid)})
    assert ("differs", {status: 1}) == (found.verdict, {bucket: count for bucket, count in more.items() if count})
    rows = len(world.install.tables["invoices"])
    record_property("figure", f"verify among {rows:,} invoices, seed {SEED}: no alarm; the lost one found in {status}")
