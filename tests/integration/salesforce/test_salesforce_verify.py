"""`me-status verify` against Salesforce: what is equal is proved, what is lost is found, what moves is no alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from config.database import LiveDatabase
from jobs.runs.proof import Proof, prove
from tests.salesforce_world import ELIGIBILITY, World


@pytest.fixture
def synced(world: World) -> World:
    """Accounts of three months and an order, pulled an hour after they were last touched."""
    for month in (8, 9, 10):
        world.accounts(3, CreatedDate=datetime(2026, month, 5, tzinfo=UTC))
    world.order(world.accounts(1)[0])
    world.later(hours=1)
    assert "succeeded" == world.sync().outcome
    world.requests.clear()
    return world


def verified(world: World) -> dict[str, Proof]:
    program = world.program
    proofs = prove(LiveDatabase(world.engine), program.settings, program.tables, "salesforce", world.org.clock.now())
    return {proof.stream: proof for proof in proofs}


def change(world: World, statement: str) -> None:
    with world.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_synced_snapshot_is_proved_in_a_dozen_calls(synced: World) -> None:
    """Every stream is equal, through its last pull."""
    assert {"account": "equal", "order": "equal", "case": "equal"} == {
        name: proof.verdict for name, proof in verified(synced).items()
    }
    assert 12 >= len(synced.requests)
    assert [synced.org.clock.now()] == synced.values(
        "select proved_through from pipeline.stream_proof where stream = 'account'"
    )


def test_a_lost_row_is_found_and_its_month_named(synced: World) -> None:
    """One row that the snapshot lacks stops the proof where it is."""
    proved = synced.values("select proved_through from pipeline.stream_proof where stream = 'account'")
    change(synced, "delete from snapshot.account where created_at < '2026-08-31' and account_id = "
                   "(select min(account_id) from snapshot.account where created_at < '2026-08-31')")  # fmt: skip
    synced.later(hours=1)
    found = verified(synced)["account"]
    assert ("differs", [("2026-08", 3, 2)]) == (
        found.verdict,
        [(one.bucket, one.source, one.snapshot) for one in found.differences],
    )
    assert proved == synced.values("select proved_through from pipeline.stream_proof where stream = 'account'")
    assert "succeeded" == synced.sync(full=True).outcome
    assert "equal" == verified(synced)["account"].verdict


def test_a_row_that_is_gone_at_the_source_is_found(synced: World) -> None:
    """A hard deletion leaves no trace that an incremental pull could read."""
    (one, *_) = synced.values("select account_id from snapshot.account order by account_id")
    synced.org.hard_delete("Account", one)
    assert "differs" == verified(synced)["account"].verdict


def test_an_old_row_is_found_by_its_stamp(synced: World) -> None:
    """As many rows, one of them not as the source has it."""
    change(synced, "update snapshot.account set modified_at = modified_at - interval '1 day'")
    found = verified(synced)["account"]
    assert "differs" == found.verdict
    assert all(one.source_newest != one.snapshot_newest for one in found.differences)


def test_an_org_that_moves_raises_no_alarm(synced: World) -> None:
    """Whatever is inserted, changed, deleted and undeleted after the pull is counted on neither side."""
    one, other, third, *_ = synced.values("select account_id from snapshot.account order by account_id")
    synced.later(minutes=3)
    synced.org.update("Account", one, **{ELIGIBILITY: "Eligible"})
    synced.org.delete("Account", other)
    synced.org.delete("Account", third)
    synced.org.undelete("Account", third)
    synced.accounts(2)
    synced.later(minutes=1)
    assert "equal" == verified(synced)["account"].verdict


def test_a_stream_that_was_never_pulled_is_not_equal(world: World) -> None:
    """Nothing is proved of what is not there."""
    assert {"differs"} == {proof.verdict for proof in verified(world).values()}


def test_an_incremental_pull_proves_nothing(synced: World) -> None:
    """Only complete pulls and comparisons move the instant."""
    before = synced.values("select proved_through from pipeline.stream_proof where stream = 'account'")
    synced.later(hours=1)
    synced.sync()
    assert before == synced.values("select proved_through from pipeline.stream_proof where stream = 'account'")
    verified(synced)
    (after,) = synced.values("select proved_through from pipeline.stream_proof where stream = 'account'")
    assert timedelta(hours=1) == after - before[0]
