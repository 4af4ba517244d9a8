"""`me-status verify` among very many records: the one that was lost is found and its month named, while the org moves.

`ME_STATUS_VERIFY_ROWS=1000000` makes it large, `ME_STATUS_SEED` loses another one (docs/proof.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from config.database import LiveDatabase
from jobs.runs.proof import Proof, prove
from jobs.sandbox.population import Population
from materializer.copying import driver_of
from tests.salesforce_world import ELIGIBILITY, World

ROWS = int(os.environ.get("ME_STATUS_VERIFY_ROWS", "300"))
SEED = int(os.environ.get("ME_STATUS_SEED", "16"))
PULLED = (
    "insert into pipeline.stream_state (stream, synced_at, cursor_at, source_time, run_id)"
    " values ('account', :now, :now, :now, 1)"
)
LOST = (
    "delete from snapshot.account where account_id = :id"
    " returning to_char(created_at at time zone 'UTC', 'YYYY-MM') as month"
)


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    """An org of so many accounts, and a snapshot that has each of them with its stamps, pulled an hour later."""
    world = World(engine, Population(ROWS, seed=SEED, start=date(2026, 11, 1), zone=ZoneInfo("Asia/Tokyo")))
    world.limits["timeout_seconds"] = 600.0
    now = world.later(hours=1)
    with engine.begin() as connection:
        copy = (
            "copy snapshot.account (account_id, is_customer, eligibility_status, verification_status, created_at,"
            " modified_at) from stdin"
        )
        with driver_of(connection).cursor() as cursor, cursor.copy(copy) as rows:
            for key in world.org.keys("Account", deleted=False):
                row = world.org.row("Account", key, deleted=False)
                assert row is not None
                rows.write_row((key, True, "pending", "submitted", row["CreatedDate"], row["SystemModstamp"]))
        connection.execute(text(PULLED), {"now": now})
    yield world
    world.close()


def verified(world: World) -> Proof:
    program = world.program
    proofs = prove(LiveDatabase(world.engine), program.settings, program.tables, "salesforce", world.org.clock.now())
    return next(proof for proof in proofs if proof.stream == "account")


def move(world: World, dice: Random, among: list[str]) -> None:
    """Accounts are added, changed and deleted after the pull."""
    world.later(minutes=dice.randint(1, 30))
    world.accounts(3)
    for key in dice.sample(among, 5):
        world.org.update("Account", key, **{ELIGIBILITY: dice.choice(("Pending", "Eligible"))})
    world.org.delete("Account", dice.choice(among))


def test_one_row_lost_of_many_is_found_while_the_org_moves(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    """No alarm while nothing is lost, however the org moves; then one difference, of one row, in its month."""
    dice = Random(SEED)
    lost, *others = dice.sample(world.values("select account_id from snapshot.account order by 1"), 100)
    move(world, dice, others[:50])
    assert "equal" == verified(world).verdict
    with world.engine.begin() as connection:
        month = connection.execute(text(LOST), {"id": lost}).scalar_one()
    move(world, dice, others[50:])
    found = verified(world)
    assert ("differs", [(month, 1)]) == (
        found.verdict,
        [(one.bucket, one.source - one.snapshot) for one in found.differences],
    )
    record_property("figure", f"verify among {ROWS:,} accounts, seed {SEED}: no alarm; lost one found in {month}")
