"""`me-status verify` against WHMCS: totals per status, a lost row found, and no alarm while the install moves."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from config.database import LiveDatabase
from jobs.runs.proof import Proof, prove
from jobs.sources.errors import SourceError
from tests.whmcs_world import World


def verified(world: World) -> dict[str, Proof]:
    program = world.program
    now = world.install.clock.now()
    proofs = prove(LiveDatabase(world.engine), program.settings, program.tables, "whmcs", now)
    return {proof.stream: proof for proof in proofs}


def change(world: World, statement: str) -> None:
    with world.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_synced_snapshot_is_proved_in_a_dozen_calls(synced: World) -> None:
    """Clients, services, invoices by status and cancellations are equal."""
    assert {"equal"} == {proof.verdict for proof in verified(synced).values()}
    assert 12 >= len(synced.requests)


def test_a_lost_invoice_is_found_and_its_status_named(synced: World) -> None:
    """One row that the snapshot lacks, in a status of many."""
    change(synced, "delete from snapshot.invoice where invoice_id = (select min(invoice_id) from snapshot.invoice"
                   " where status = 'Paid')")  # fmt: skip
    found = verified(synced)["invoice"]
    assert ("differs", ["Paid"], [1]) == (
        found.verdict,
        [one.bucket for one in found.differences],
        [one.source - one.snapshot for one in found.differences],
    )
    assert ["differs"] == synced.values("select verdict from pipeline.stream_proof where stream = 'invoice'")


@pytest.mark.parametrize("stream", ["client", "service"])
def test_a_lost_row_of_a_list_is_found(synced: World, stream: str) -> None:
    """Lists that have a total and no more."""
    change(
        synced, f"delete from snapshot.{stream} where {stream}_id = (select min({stream}_id) from snapshot.{stream})"
    )
    assert "differs" == verified(synced)[stream].verdict


def test_an_install_that_moves_raises_no_alarm(synced: World) -> None:
    """New clients, services and invoices since the pull, one paid, one gone: nothing of it is a loss."""
    client = synced.install.add_client(firstname="Aiko", lastname="Abe", email="aiko@example.jp")
    for _ in range(3):
        synced.install.add_invoice(client, total="1100.00")
        synced.install.add_service(client, name="SIM")
    (unpaid, *_) = synced.values("select invoice_id from snapshot.invoice where status = 'Unpaid' order by invoice_id")
    synced.install.pay_invoice(unpaid)
    synced.delete("invoice", synced.keys("invoice")[0])
    assert "differs" not in {proof.verdict for proof in verified(synced).values()}


def test_what_is_set_aside_is_known_to_be_missing(world: World) -> None:
    """A record that cannot be read is counted at the source and told apart from a loss."""
    world.install.poison("clients", world.keys("client")[3])
    world.sync()
    assert "equal" == verified(world)["client"].verdict


def test_an_install_that_is_down_cannot_be_asked(synced: World) -> None:
    """No verdict is noted then."""
    before = synced.values("select * from pipeline.stream_proof order by stream")
    synced.install.faults.add("status", "GetInvoices")
    synced.install.faults.add("status", "GetClients ", times=9)
    with pytest.raises(SourceError):
        verified(synced)
    assert before == synced.values("select * from pipeline.stream_proof order by stream")
