"""Of two transactions under way, one of a client's records and one of who claims the client, one waits for the other.

Else neither would mark the customer for what the other does, and the document would lack a record with nothing to tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, text

from config.database import LiveDatabase
from materializer.snapshot import marks, shrink_gate
from materializer.units import At
from tests.integration.test_commit import BASELINE, GATE, NOW, account, clear_marks, pulled, service, take, values

MARKED = "select customer_id from pipeline.refresh_mark order by 1"
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"
PATIENCE = 60


@pytest.fixture(autouse=True)
def _baseline(database: LiveDatabase, engine: Engine) -> None:
    """An account that claims no client, and a client with a service."""
    take(database, pulled("account", account("a")), BASELINE, run_id=1)
    take(database, pulled("client", {"client_id": 1}), BASELINE, run_id=1)
    take(database, pulled("service", service(1, 1)), BASELINE, run_id=1)
    clear_marks(engine)


@contextmanager
def beside(work: Callable[[], Any], engine: Engine) -> Iterator[Future[Any]]:
    """Runs `work` in a thread until it waits for a transaction that is open now."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(work)
        deadline = time.monotonic() + PATIENCE
        while values(engine, WAITING) == [0] and not future.done() and time.monotonic() < deadline:
            time.sleep(0.01)
        yield future


def linked(database: LiveDatabase) -> Any:
    return take(database, pulled("account", account("a", client=1), extent="partial"), run_id=3)


def changed(database: LiveDatabase) -> Any:
    return take(database, pulled("service", service(1, 1, "Suspended"), extent="partial"), run_id=4)


def test_a_new_claim_waits_for_records_under_way(database: LiveDatabase, engine: Engine) -> None:
    """Then its mark comes after them."""
    with database.begin() as connection:
        marks.mark_clients(connection, [1], NOW)
        with beside(lambda: linked(database), engine) as waiting:
            assert not waiting.done()
            connection.commit()
            assert 1 == waiting.result(PATIENCE).changed
    assert ["a"] == values(engine, MARKED)


def test_records_wait_for_a_claim_under_way(database: LiveDatabase, engine: Engine) -> None:
    """And mark who claims them since."""
    with database.begin() as connection:
        connection.execute(text("update snapshot.account set whmcs_client_id = 1"))
        marks.hold_claims_alone(connection)
        with beside(lambda: changed(database), engine) as waiting:
            assert not waiting.done()
            connection.commit()
            assert 1 == waiting.result(PATIENCE).changed
    assert ["a"] == values(engine, MARKED)


def test_records_of_two_clients_do_not_wait_for_each_other(database: LiveDatabase) -> None:
    """Nor does an account that claims as before."""
    with database.begin() as connection:
        marks.mark_clients(connection, [2], NOW)
        assert 1 == changed(database).changed
        again = pulled("account", account("a", eligibility="eligible"), extent="partial")
        assert 1 == take(database, again, run_id=3).changed


def test_removals_of_clients_and_their_records_hold_claims_alone_from_the_start(
    database: LiveDatabase, engine: Engine
) -> None:
    """Two such transactions wait, and neither ends the other."""
    linked(database)
    clear_marks(engine)
    gone = [take(database, pulled(name), run_id=5) for name in ("client", "service")]
    with database.begin() as connection:
        marks.hold_claims(connection)
        with beside(lambda: shrink_gate.apply_removals(database, gone, GATE, At(5, NOW)), engine) as waiting:
            assert not waiting.done()
            connection.commit()
            assert {"client": 1, "service": 1} == waiting.result(PATIENCE).removed
    assert ["a"] == values(engine, MARKED)
