"""Several at once, on connections of their own and without the jobs' locks: the store alone keeps them apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec
import psycopg
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import Engine, text

from config.database import LiveDatabase
from materializer.refresh import outbox
from materializer.refresh.rebuild import forecast, rebuild
from materializer.refresh.refresh import refresh
from materializer.snapshot import deletions
from materializer.snapshot.streams import STREAMS
from materializer.units import At, Batching
from readapi.openapi import status_schema
from tests.builders import LIMITS, rules

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = NOW + 25 * HOUR
"""When reminders are sent again."""
RULES = rules("Asia/Tokyo")
FRESHNESS = {
    "computedAt": "2026-03-10T12:00:00Z",
    "salesforceSyncedAt": None,
    "whmcsSyncedAt": None,
    "isStale": True,
    "asOf": dict.fromkeys(("summary", "internetEligibility", "residenceCardVerification", "paymentMethods")),
}
CUSTOMERS = 300
DUE = 100

SNAPSHOT = f"""
insert into snapshot.account
    (account_id, is_customer, eligibility_status, eligibility_known, verification_status, whmcs_client_id)
select '001' || lpad(n::text, 12, '0') || 'AAA', true, 'eligible', 'eligible', 'verified', n
from generate_series(1, {CUSTOMERS}) as n;
insert into snapshot.client (client_id) select n from generate_series(1, {CUSTOMERS}) as n;
insert into snapshot.invoice (invoice_id, client_id, status, status_known, invoiced_on, due_on, total, currency)
select n, n, 'Unpaid', 'Unpaid', '2026-03-01', '2026-03-12', 3300.00, 'JPY' from generate_series(1, {DUE}) as n;
insert into pipeline.stream_state (stream, synced_at, run_id)
select name, '2026-03-12 12:00+00', 1
from unnest(array['account', 'order', 'case', 'client', 'service', 'invoice', 'cancellation', 'pay_method']) as name;
insert into status_transition
    (customer_id, entity, entity_id, field, old_value, new_value, observed_at, run_id, notification_type, is_pending)
select account_id, 'account', account_id, 'eligibility_status', 'pending', 'eligible', '2026-03-10 12:00+00', 1,
    'ELIGIBILITY_ELIGIBLE', true
from snapshot.account where whmcs_client_id <= {DUE};
insert into pipeline.refresh_mark (customer_id, marked_at)
select account_id, '2026-03-10 12:00+00' from snapshot.account;
"""

CHANGE = """
with changed as (
    update snapshot.invoice set total = total + 1 where invoice_id % 7 = :turn % 7 returning client_id
)
insert into pipeline.refresh_mark (customer_id, marked_at)
select account_id, now() from snapshot.account join changed on whmcs_client_id = client_id order by account_id
on conflict (customer_id) do update set marked_at = refresh_mark.marked_at
"""
"""What a sync's window does: facts and marks in one transaction."""


RUN = "insert into job_run (job, started_at, outcome) values ('refresh', :now, 'running') returning run_id"
OF_LOSERS = "select count(*) from notification join pipeline.account_redirect on account_id = notification.customer_id"


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        connection.execute(text(SNAPSHOT))
    return engine


def refreshed(database: LiveDatabase, run_id: int, now: datetime = NOW) -> None:
    refresh(database, RULES, At(run_id, now), LIMITS, Batching(17))


def rebuilt(database: LiveDatabase, run_id: int) -> None:
    rebuild(database, RULES, At(run_id, NOW), Batching(23))


def at_once(*works: Callable[[], object]) -> None:
    """Does all of them at once; raises what any of them raised."""
    gate = threading.Barrier(len(works))

    def begin(work: Callable[[], object]) -> object:
        gate.wait(30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(begin, work) for work in works]:
            done.result()


def sent(engine: Engine) -> dict[str, int]:
    """How many of each type were sent."""
    with engine.connect() as connection:
        rows = connection.execute(text("select type, count(*) as number from notification group by type"))
        return {row.type: row.number for row in rows}


def once_each(engine: Engine) -> bool:
    """Whether nobody was notified of anything twice."""
    statement = "select 1 from notification group by customer_id, type, source_id, created_at having count(*) > 1"
    with engine.connect() as connection:
        return connection.execute(text(statement)).first() is None


def is_current(engine: Engine) -> bool:
    """Whether every document is what the facts give now."""
    report = forecast(LiveDatabase(engine), RULES, NOW)
    return (report.changed, report.added, report.removed) == (0, 0, 0)


@contextmanager
def a_reader(engine: Engine) -> Iterator[list[str]]:
    """Reads documents all the while as the API does; collects what is torn or invalid."""
    faults: list[str] = []
    over = threading.Event()
    validator = Draft202012Validator(status_schema(), format_checker=FormatChecker())

    def read() -> None:
        validated: set[str] = set()
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.is_set():
                for customer, body, digest in connection.execute(
                    "select customer_id, document::text, content_hash from me_status"
                ):
                    if digest != blake2b(body.encode(), digest_size=16).hexdigest():
                        faults.append(f"{customer}: the hash is of another document")
                    if digest not in validated:
                        validated.add(digest)
                        whole = msgspec.json.decode(body) | {"freshness": FRESHNESS}
                        faults.extend(f"{customer}: {error.message}" for error in validator.iter_errors(whole))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield faults
    finally:
        over.set()
        reader.join()


def test_two_refreshes_tell_everybody_once(filled: Engine, database: LiveDatabase) -> None:
    """Four refreshes of the same customers: each document is right, each notification sent once, nothing is left."""
    with a_reader(filled) as faults:
        at_once(*(partial(refreshed, database, run_id) for run_id in (11, 12, 13, 14)))
        refreshed(database, 15)
    assert [] == faults
    assert {"ELIGIBILITY_ELIGIBLE": DUE, "INVOICE_DUE": DUE} == sent(filled)
    assert once_each(filled)
    assert is_current(filled)


def test_a_refresh_during_rebuilds_and_syncs_ends_current(filled: Engine, database: LiveDatabase) -> None:
    """However refreshes, rebuilds and changing facts interleave, the next refresh makes every document right."""
    refreshed(database, 10)

    def sync() -> None:
        for turn in range(40):
            database.transact(lambda connection, turn=turn: connection.execute(text(CHANGE), {"turn": turn}))  # type: ignore[misc]

    def refreshes(first: int) -> None:
        for run_id in range(first, first + 8):
            refreshed(database, run_id)

    def rebuilds(first: int) -> None:
        for run_id in range(first, first + 4):
            rebuilt(database, run_id)

    with a_reader(filled) as faults:
        at_once(sync, partial(refreshes, 100), partial(refreshes, 200), partial(rebuilds, 300), partial(rebuilds, 400))
        refreshed(database, 500)
    assert [] == faults
    assert once_each(filled)
    assert is_current(filled)


def test_a_first_refresh_beside_a_rebuild_makes_each_row_once(filled: Engine, database: LiveDatabase) -> None:
    """Rows that both are about to insert collide without an error."""
    at_once(partial(refreshed, database, 11), partial(rebuilt, database, 12), partial(rebuilt, database, 13))
    refreshed(database, 14)
    assert is_current(filled)
    assert {"ELIGIBILITY_ELIGIBLE": DUE, "INVOICE_DUE": DUE} == sent(filled)


def test_a_held_run_released_by_several_is_sent_once(filled: Engine, database: LiveDatabase) -> None:
    """Four operators release, two discard: each held notification is sent or discarded, once."""
    low = rules("Asia/Tokyo")
    gate = low.notifications.flood_gate.model_copy(update={"floor": 10})
    low = type(low)(low.notifications.model_copy(update={"flood_gate": gate}), low.tasks, low.zone, low.wording)
    with filled.begin() as connection:
        run_id = int(connection.execute(text(RUN), {"now": NOW}).scalar_one())
    done = refresh(database, low, At(run_id, NOW), LIMITS, Batching(17))
    assert done.held is not None
    at_once(
        *[partial(outbox.release, database, At(run_id, NOW + HOUR))] * 4,
        *[partial(outbox.discard, database, At(run_id, NOW + HOUR))] * 2,
    )
    with filled.connect() as connection:
        discarded = connection.execute(
            text("select count(*) from pipeline.suppressed_notification where reason = 'discarded'")
        ).scalar_one()
        assert 0 == connection.execute(text("select count(*) from pipeline.notification_outbox")).scalar_one()
    assert 2 * DUE == sum(sent(filled).values()) + discarded
    assert once_each(filled)


def test_merges_beside_refreshes_and_sendings_lose_nothing(filled: Engine, database: LiveDatabase) -> None:
    """Accounts that are merged while their notifications are on their way: the winner has them all, once."""
    refreshed(database, 10)

    def merges() -> None:
        for pair in range(1, DUE, 2):
            database.transact(partial(merge, pair))

    at_once(merges, partial(refreshed, database, 11, LATER), partial(refreshed, database, 12, LATER))
    refreshed(database, 13, LATER)
    with filled.connect() as connection:
        assert 0 == connection.execute(text(OF_LOSERS)).scalar_one()
    assert DUE == sent(filled)["ELIGIBILITY_ELIGIBLE"]
    assert DUE < sent(filled)["INVOICE_DUE"] <= 2 * DUE
    assert once_each(filled)
    assert 0 == waiting(filled)


def merge(pair: int, connection: Any) -> None:
    loser, winner = (f"001{number:012}AAA" for number in (pair, pair + 1))
    deletions.remove(connection, STREAMS["account"], [loser], At(20, NOW))
    deletions.merge(connection, {loser: winner}, NOW)


def waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select count(*) from pipeline.notification_outbox")).scalar_one())
