"""How old answers are while the shrink gate holds removals: what is held is as old as the last reading that had it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from config.database import LiveDatabase
from materializer.snapshot import shrink_gate
from materializer.snapshot.shrink_gate import Removals
from materializer.units import At
from tests.integration.test_commit import BASELINE, GATE, NOW, account, pulled, serve, service, take, values
from tests.integration.test_readings import hinted

SECOND, THIRD, FOURTH = (NOW + timedelta(hours=hours) for hours in (1, 2, 3))
LISTS = "select billing_at from pipeline.fact_age order by customer_id"
CARDS = "select pay_methods_at from pipeline.fact_age order by customer_id"
MARKED = "select billing_at from pipeline.refresh_mark"
HELD = "select record_id from pipeline.held_removal where not is_settled order by 1"


@pytest.fixture(autouse=True)
def _baseline(database: LiveDatabase, engine: Engine) -> None:
    """Customer a, whose client 1 has services and a card, and b, whose client 2 has none."""
    take(database, pulled("account", account("a", client=1), account("b", client=2)), BASELINE, run_id=1)
    take(database, pulled("client", {"client_id": 1}, {"client_id": 2}), BASELINE, run_id=1)
    take(database, pulled("invoice", {"invoice_id": 1, "client_id": 1}), BASELINE, run_id=1)
    take(database, pulled("service", *services(1, 2, 3)), BASELINE, run_id=1)
    take(database, pulled("pay_method", *cards(1, 2, 3), extent="owners", owners=(1, 2)), BASELINE, run_id=1)
    serve(engine, a=1, b=2)


def services(*ids: int) -> list[dict[str, Any]]:
    return [service(number, 1) for number in ids]


def cards(*ids: int) -> list[dict[str, Any]]:
    return [{"pay_method_id": number, "client_id": 1} for number in ids]


def read_lists(database: LiveDatabase, run_id: int, now: datetime, *ids: int) -> Removals:
    """A full pull of the three lists of WHMCS, the services with these ids."""
    readings = (
        pulled("client", {"client_id": 1}, {"client_id": 2}),
        pulled("invoice", {"invoice_id": 1, "client_id": 1}),
        pulled("service", *services(*ids)),
    )
    applied = [take(database, reading, run_id=run_id, now=now) for reading in readings]
    return shrink_gate.apply_removals(database, applied, GATE, At(run_id, now))


def read_cards(
    database: LiveDatabase, run_id: int, now: datetime, *ids: int, owners: tuple[int, ...] = (1, 2)
) -> Removals:
    """A turn at the pay methods of these clients, which has these."""
    taken = take(database, pulled("pay_method", *cards(*ids), extent="owners", owners=owners), run_id=run_id, now=now)
    return shrink_gate.apply_removals(database, [taken], GATE, At(run_id, now))


def test_what_is_held_of_a_list_keeps_its_age(database: LiveDatabase, engine: Engine) -> None:
    """However often it is missing again; who has none of it was read."""
    assert read_lists(database, 2, SECOND).held is not None
    assert [NOW, SECOND] == values(engine, LISTS)
    assert read_lists(database, 3, THIRD).held is not None
    assert [NOW, THIRD] == values(engine, LISTS)
    assert ["1", "2", "3"] == values(engine, HELD)


def test_held_cards_keep_their_age_and_their_client_its_turn(database: LiveDatabase, engine: Engine) -> None:
    """The turns go on, so that nobody else waits for the decision."""
    assert read_cards(database, 2, SECOND).held is not None
    assert [NOW, SECOND] == values(engine, CARDS)
    assert [SECOND, SECOND] == values(engine, "select read_at from pipeline.pay_method_reading")


def test_what_a_reading_has_again_is_no_longer_held(database: LiveDatabase, engine: Engine) -> None:
    """Its owner was read with it, and a release leaves it alone; what is gone already is settled as well."""
    assert read_cards(database, 2, SECOND).held is not None
    assert {"pay_method": 1} == read_cards(database, 3, THIRD, 2, 3, owners=(1,)).removed
    assert (["1"], [NOW, SECOND]) == (values(engine, HELD), values(engine, CARDS))
    read_cards(database, 4, FOURTH, 2, 3, owners=(1,))
    assert ([], [FOURTH, SECOND]) == (values(engine, HELD), values(engine, CARDS))
    assert {} == shrink_gate.release(database, At(2, FOURTH))
    assert [2, 3] == values(engine, "select pay_method_id from snapshot.pay_method order by 1")


def test_a_pull_that_began_before_a_held_reading_forgets_nothing_of_it(database: LiveDatabase, engine: Engine) -> None:
    """It says nothing of an owner who was read by itself since."""
    more = [service(number, 9) for number in range(10, 21)]
    take(database, pulled("service", *services(1, 2, 3), *more), run_id=2)
    taken = take(database, hinted("service", owners=(9,), began_at=SECOND), run_id=3, now=SECOND)
    assert shrink_gate.apply_removals(database, [taken], GATE, At(3, SECOND)).held is not None
    take(database, pulled("service", *services(1, 2, 3), *more, began_at=NOW), run_id=4, now=THIRD)
    assert 11 == len(values(engine, HELD))


def test_released_rows_leave_documents_of_their_age_behind(database: LiveDatabase, engine: Engine) -> None:
    """Until the refresh a document shows them; then it is as young as the reading that missed them."""
    read_lists(database, 2, SECOND)
    assert {"service": 3} == shrink_gate.release(database, At(2, THIRD))
    assert ([NOW], [SECOND, SECOND]) == (values(engine, MARKED), values(engine, LISTS))


def test_discarded_removals_stay_as_old_until_a_reading_has_them(database: LiveDatabase, engine: Engine) -> None:
    """The operator says that the rows are there; nobody has read them since."""
    read_lists(database, 2, SECOND)
    assert shrink_gate.discard(database, At(2, THIRD))
    assert (["1", "2", "3"], [NOW, SECOND]) == (values(engine, HELD), values(engine, LISTS))
    read_lists(database, 3, THIRD, 1, 2, 3)
    assert [THIRD, THIRD] == values(engine, LISTS)
    assert [] == values(engine, "select record_id from pipeline.held_removal")


def test_what_a_pruned_hold_left_is_settled_as_well(database: LiveDatabase, engine: Engine) -> None:
    """A discarded hold may be pruned before its stream is read whole again."""
    read_lists(database, 2, SECOND)
    assert shrink_gate.discard(database, At(2, SECOND))
    with engine.begin() as connection:
        connection.execute(text("delete from pipeline.held_run"))
    read_lists(database, 3, THIRD, 1, 2, 3)
    assert [] == values(engine, "select record_id from pipeline.held_removal")
    assert [THIRD, THIRD] == values(engine, LISTS)
