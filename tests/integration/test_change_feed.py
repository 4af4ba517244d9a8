"""The change feed: a follower that polls ends with the same tables, misses nothing and meets nothing twice."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
import pytest

from config import schedule
from config.database import LiveDatabase
from jobs.runs import prune

KEYS = {
    "me_status": "customer_id",
    "me_status_history": "version_id",
    "status_transition": "transition_id",
    "notification": "notification_id",
    "job_run": "run_id",
}
NOTIFY = """
    insert into notification (customer_id, type, source_id, title, message, action_url, created_at, run_id)
    select 'c' || number, 'INVOICE_DUE', 's', 't', 'm', '/', now(), 1 from generate_series(1, %s) as number
"""
SERVE = """
    insert into me_status (
        customer_id, salesforce_account_id, eligibility_status, verification_status, task_count, document, content_hash,
        computed_at, rules_version, run_id
    )
    values (%s, 'a', 'eligible', 'verified', 0, '{}', %s, now(), 'v', 1)
    on conflict (customer_id) do update set content_hash = excluded.content_hash
"""


@dataclass
class Follower:
    """A warehouse: its copy of each table as key to changed_at, and the last feed_id it saw."""

    url: str
    last: int = 0
    seen: list[int] = field(default_factory=list)
    copy: dict[str, dict[str, datetime]] = field(default_factory=lambda: {table: {} for table in KEYS})

    def poll(self, at_most: int = 500) -> int:
        """Takes what is above the last feed_id, in order, each in a statement of its own as a loader would."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            changes = connection.execute(
                "select feed_id, table_name, key, operation from analytics.change_feed where feed_id > %s"
                " order by feed_id limit %s",
                (self.last, at_most),
            ).fetchall()
            for feed_id, table, key, operation in changes:
                self.copy[table].pop(key, None)
                if operation != "delete" and (found := self._read(connection, table, key)):
                    self.copy[table][key] = found
                self.seen.append(feed_id)
        self.last = changes[-1][0] if changes else self.last
        return len(changes)

    @staticmethod
    def _read(connection: psycopg.Connection, table: str, key: str) -> datetime | None:
        found = connection.execute(
            f"select changed_at from {table} where cast({KEYS[table]} as text) = %s",
            (key,),
        ).fetchone()
        return None if found is None else found[0]


def tables(url: str) -> dict[str, dict[str, datetime]]:
    """Each published table as key to changed_at."""
    with psycopg.connect(url) as connection:
        return {
            table: dict(connection.execute(f"select cast({key} as text), changed_at from {table}").fetchall())
            for table, key in KEYS.items()
        }


def notify(connection: psycopg.Connection, draw: random.Random) -> None:
    connection.execute(NOTIFY, (draw.randrange(1, 6),))


def mark_read(connection: psycopg.Connection, draw: random.Random) -> None:
    connection.execute(
        "update notification set read_at = now() where notification_id in"
        " (select notification_id from notification order by random() limit 3 for update skip locked)"
    )


def serve(connection: psycopg.Connection, draw: random.Random) -> None:
    connection.execute(SERVE, (f"c{draw.randrange(20)}", str(draw.random())))


def forget(connection: psycopg.Connection, draw: random.Random) -> None:
    connection.execute(
        "delete from notification where notification_id in"
        " (select notification_id from notification order by created_at limit 2 for update skip locked)"
    )


def write(url: str, seed: int, transactions: int, mistakes: list[BaseException]) -> None:
    """Transactions of a few statements with pauses between, some rolled back, some killed half-way by the server."""
    draw = random.Random(seed)
    works: list[Callable[[psycopg.Connection, random.Random], None]] = [notify, mark_read, serve, forget]
    for _ in range(transactions):
        try:
            with psycopg.connect(url) as connection:
                for _ in range(draw.randrange(1, 4)):
                    draw.choice(works)(connection, draw)
                    time.sleep(draw.random() * 0.02)
                end = draw.random()
                if end < 0.1:
                    connection.rollback()
                elif end < 0.2:
                    with psycopg.connect(url, autocommit=True) as killer:
                        killer.execute("select pg_terminate_backend(%s)", (connection.info.backend_pid,))
        except (psycopg.OperationalError, psycopg.errors.DeadlockDetected):
            continue
        except BaseException as error:  # noqa: BLE001  the test shows it
            mistakes.append(error)
            return


def prune_until(url: str, feed_id: int) -> None:
    """Deletes what every reader has passed, beside the writers."""
    with psycopg.connect(url) as connection:
        connection.execute("delete from pipeline.change where feed_id <= %s", (feed_id,))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_follower_ends_equal_whatever_commits_late_or_dies(database_url: str, seed: int) -> None:
    """Four writers at once, kills and a prune of what the follower has read; feed ids come strictly ascending."""
    follower, mistakes = Follower(database_url), list[BaseException]()
    writers = [threading.Thread(target=write, args=(database_url, seed * 10 + n, 15, mistakes)) for n in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        follower.poll(at_most=7)
        prune_until(database_url, follower.last)
    while follower.poll():
        pass
    assert [] == mistakes
    assert follower.seen == sorted(set(follower.seen))
    assert tables(database_url) == follower.copy
    assert any(follower.copy.values())


def test_what_commits_late_comes_last(database_url: str) -> None:
    """A transaction that began and drew its rows first, and commits last, is above what the reader has passed."""
    follower = Follower(database_url)
    with psycopg.connect(database_url) as slow:
        slow.execute(NOTIFY, (1,))
        with psycopg.connect(database_url) as quick:
            quick.execute(NOTIFY, (2,))
        assert 2 == follower.poll()
    assert 1 == follower.poll()
    assert tables(database_url) == follower.copy


def test_a_statement_of_many_rows_and_a_truncate_are_followed(database_url: str) -> None:
    """Each row has its place; emptying a table deletes every key."""
    follower = Follower(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(NOTIFY, (1000,))
    assert 1000 == follower.poll(5000)
    with psycopg.connect(database_url) as connection:
        connection.execute("truncate notification")
    assert 1000 == follower.poll(5000)
    assert {} == follower.copy["notification"]


def test_what_is_rolled_back_leaves_nothing(database_url: str) -> None:
    """Neither in the feed nor among what is under way."""
    with psycopg.connect(database_url) as connection:
        connection.execute(NOTIFY, (3,))
        connection.rollback()
        counted = connection.execute(
            "select (select count(*) from pipeline.change), (select count(*) from pipeline.change_under_way)"
        ).fetchone()
    assert (0, 0) == counted


def test_prune_cuts_the_beginning_and_says_so(database_url: str, database: LiveDatabase) -> None:
    """Changes older than their retention go; a reader who stopped below what went can tell."""
    with psycopg.connect(database_url) as connection:
        connection.execute(NOTIFY, (4,))
    with psycopg.connect(database_url) as connection:
        connection.execute("update pipeline.change set changed_at = '2026-01-01' where feed_id <= 3")
    retention = schedule.load().retention_days
    assert 3 == prune.prune(database, retention, now=datetime(2026, 6, 1, tzinfo=UTC), rows_at_once=2)["changes"]
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "select complete_after, (select min(feed_id) from pipeline.change) from pipeline.change_feed_start"
        ).fetchone()
    assert (3, 4) == row
