"""Hinted readings beside pulls of whole streams: neither overwrites newer rows with older ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from config.database import LiveDatabase
from materializer.snapshot import readings, shrink_gate
from materializer.snapshot.pulls import Pulled
from materializer.snapshot.readings import OutdatedReading
from materializer.snapshot.streams import STREAMS
from materializer.units import At
from tests.integration.test_commit import BASELINE, GATE, NOW, account, pulled, service, take, values

EARLIER, LATER = NOW, NOW + timedelta(seconds=5)


def hinted(name: str, *rows: dict[str, Any], owners: tuple[Any, ...], began_at: datetime, **more: Any) -> Pulled:
    """A reading of some owners."""
    return pulled(name, *rows, extent="owners", owners=owners, is_hinted=True, began_at=began_at, **more)


@pytest.fixture(autouse=True)
def _baseline(database: LiveDatabase) -> None:
    take(database, pulled("account", account("a", client=1), account("b", client=2)), BASELINE, run_id=1)
    take(database, pulled("service", service(1, 1), service(2, 2), service(3, 1)), BASELINE, run_id=1)


def statuses(engine: Engine) -> list[tuple[int, str]]:
    """The services known."""
    return values(engine, "select service_id, status from snapshot.service order by 1")


def test_a_hinted_reading_changes_its_owners_rows_and_no_cursor(database: LiveDatabase, engine: Engine) -> None:
    """The stream's state stays; the reading is noted by owner."""
    before = values(engine, "select stream, synced_at, read_at, run_id from pipeline.stream_state order by 1")
    reading = hinted("service", service(1, 1, "Suspended"), owners=(1,), began_at=EARLIER)
    taken = take(database, reading, run_id=2, now=LATER)
    assert (1, (3,)) == (taken.changed, taken.missing)
    assert before == values(engine, "select stream, synced_at, read_at, run_id from pipeline.stream_state order by 1")
    found = values(engine, "select stream, owner_id, began_at from pipeline.owner_reading")
    assert [("service", "1", EARLIER)] == found
    assert {"service": 1} == shrink_gate.apply_removals(database, [taken], GATE, At(2, LATER)).removed
    assert [(1, "Suspended"), (2, "Active")] == statuses(engine)


def test_one_customer_may_lose_all_it_had(database: LiveDatabase, engine: Engine) -> None:
    """The rule "every row" is for readings of everybody."""
    take(database, pulled("service", *(service(number, 9) for number in range(10, 20)), extent="partial"))
    taken = take(database, hinted("service", owners=(9,), began_at=LATER), run_id=3)
    assert 10 == len(taken.missing)
    assert shrink_gate.apply_removals(database, [taken], GATE, At(3, NOW)).held is None
    take(database, pulled("service", *(service(number, 9) for number in range(10, 21)), extent="partial"), run_id=4)
    taken = take(database, hinted("service", owners=(9,), began_at=LATER), run_id=5)
    assert shrink_gate.apply_removals(database, [taken], GATE, At(5, NOW)).held is not None


def test_a_pull_leaves_alone_who_was_read_since_it_began(database: LiveDatabase, engine: Engine) -> None:
    """Nothing of theirs is changed, added or missing; where it would have been, they are read again."""
    take(database, hinted("service", service(1, 1, "Suspended"), service(3, 1), owners=(1,), began_at=LATER))
    sweep = pulled("service", service(1, 1), service(2, 2, "Suspended"), service(4, 1), began_at=EARLIER)
    taken = take(database, sweep, run_id=3)
    assert [(1, "Suspended"), (2, "Suspended"), (3, "Active")] == statuses(engine)
    assert () == taken.missing
    assert [("client", "1", "sync")] == values(engine, "select kind, subject_id, origin from pipeline.hint")


def test_who_was_read_before_a_pull_began_is_read_by_it(database: LiveDatabase, engine: Engine) -> None:
    """The pull is the newer one; nobody needs a hint."""
    take(database, hinted("service", service(1, 1, "Suspended"), service(3, 1), owners=(1,), began_at=EARLIER))
    taken = take(database, pulled("service", service(1, 1), service(2, 2), began_at=LATER), run_id=3)
    assert ((3,), [(1, "Active"), (2, "Active"), (3, "Active")]) == (taken.missing, statuses(engine))
    assert [] == values(engine, "select subject_id from pipeline.hint")


def test_a_reading_that_a_pull_overtook_is_not_applied(database: LiveDatabase, engine: Engine) -> None:
    """Not even in part: its rows may be older than those known by now."""
    take(database, pulled("service", service(1, 1, "Terminated"), service(2, 2), service(3, 1), began_at=LATER))
    with pytest.raises(OutdatedReading):
        take(database, hinted("service", service(1, 1), owners=(1,), began_at=EARLIER), run_id=3)
    assert [(1, "Terminated"), (2, "Active"), (3, "Active")] == statuses(engine)
    assert [] == values(engine, "select owner_id from pipeline.owner_reading")


def test_an_older_deletion_takes_nobody_away(database: LiveDatabase, engine: Engine) -> None:
    """An account undeleted, and read by itself, since the pull that saw it deleted."""
    take(database, hinted("account", account("a", client=1), owners=("a",), began_at=LATER))
    taken = take(database, pulled("account", extent="partial", deleted={"a", "b"}, began_at=EARLIER), run_id=3)
    assert 1 == taken.removed
    assert ["a"] == values(engine, "select account_id from snapshot.account")
    assert [("account", "a", "sync")] == values(engine, "select kind, subject_id, origin from pipeline.hint")


def test_the_clock_is_the_databases(database: LiveDatabase) -> None:
    """It moves on within a transaction."""
    with database.begin() as connection:
        assert readings.clock(connection) < readings.clock(connection)


def test_pay_methods_read_by_hint_are_not_read_again_by_an_older_pull(database: LiveDatabase, engine: Engine) -> None:
    """Neither the rows nor the age of the reading go back."""
    card = {"pay_method_id": 1, "client_id": 1}
    take(database, pulled("pay_method", extent="owners", owners=(1, 2)), BASELINE, run_id=1)
    take(database, hinted("pay_method", card, owners=(1,), began_at=LATER), now=LATER)
    taken = take(database, pulled("pay_method", extent="owners", owners=(1, 2), began_at=EARLIER), run_id=3)
    assert ((), [1]) == (taken.missing, values(engine, "select pay_method_id from snapshot.pay_method"))
    readings_known = values(engine, "select client_id, read_at from pipeline.pay_method_reading order by 1")
    assert [(1, LATER), (2, NOW)] == readings_known


def test_streams_name_their_owner_by_a_column() -> None:
    """Every stream but cancellations belongs to an account or a client, which a hint can name."""
    owners = {name: stream.owner for name, stream in STREAMS.items()}
    assert {"account_id", "client_id", "service_id"} == set(owners.values())
    assert "service_id" == owners["cancellation"]
