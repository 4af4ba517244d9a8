"""What was served can be asked for again, byte for byte, at any instant."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from config.database import LiveDatabase
from jobs.__main__ import main
from materializer.refresh.rebuild import rebuild
from materializer.units import At
from tests.builders import rules
from tests.integration.test_refresh import ANNA, BERT, NOW, SNAPSHOT, refreshed, rows, run_sql

HOUR = timedelta(hours=1)


@pytest.fixture
def filled(database: LiveDatabase) -> LiveDatabase:
    """Two customers, both marked."""
    run_sql(database, SNAPSHOT)
    return database


def served(database: LiveDatabase) -> dict[str, str]:
    return dict(rows(database, "select customer_id, document::text from me_status"))


def history_at(database: LiveDatabase, instant: datetime) -> dict[str, str]:
    """What the history says was served at the instant."""
    question = text(
        "select customer_id, document::text from me_status_history"
        " where valid_from <= :at and (valid_to is null or valid_to > :at)"
    )
    with database.begin() as connection:
        return {row[0]: row[1] for row in connection.execute(question, {"at": instant})}


def mark(database: LiveDatabase, customer: str, change: str) -> None:
    run_sql(
        database, f"{change}; insert into pipeline.refresh_mark values ('{customer}', now()) on conflict do nothing"
    )


def test_every_answer_that_was_logged_is_found_again_byte_for_byte(filled: LiveDatabase) -> None:
    """A hundred runs of random changes, removals and returns; each customer's answer after each run is asked later."""
    draw = random.Random(20261125)
    logged: dict[datetime, dict[str, str]] = {}
    for number in range(100):
        now = NOW + number * HOUR
        customer = draw.choice([ANNA, BERT])
        change = draw.choice(
            [
                f"update snapshot.account set eligibility_notes = 'note é\\t{draw.random()}'",
                f"update snapshot.account set is_customer = not is_customer where account_id = '{customer}'",
                f"update snapshot.invoice set total = {draw.randrange(1, 9999)}",
                "select 1",
            ]
        )
        mark(filled, customer, change)
        refreshed(filled, 100 + number, now)
        logged[now] = served(filled)
    for now, answers in logged.items():
        assert answers == history_at(filled, now)
        assert answers == history_at(filled, now + HOUR - timedelta(microseconds=1))


def test_a_run_that_changes_no_content_writes_no_version(filled: LiveDatabase) -> None:
    """Another version of the rules rewrites the row of me_status; what is served stays, and so does its version."""
    refreshed(filled, 10)
    rebuild(filled, rules("Asia/Tokyo", window_hours=25), At(11, NOW + HOUR))
    assert [(2, 10, 10)] == rows(filled, "select count(*), min(run_id), max(run_id) from me_status_history")
    assert [(11,)] == rows(filled, "select distinct run_id from me_status")


@pytest.mark.parametrize("hours", [0, -5])
def test_a_run_as_of_an_earlier_instant_takes_over_from_that_instant(filled: LiveDatabase, hours: int) -> None:
    """Versions of a customer never overlap: one that began later holds at no instant, and stays on record."""
    for run_id, (now, total) in enumerate([(NOW - 10 * HOUR, 1), (NOW, 2), (NOW + hours * HOUR, 3)], start=10):
        mark(filled, ANNA, f"update snapshot.invoice set total = {total}")
        refreshed(filled, run_id, now)
    versions = rows(
        filled,
        f"select valid_from, valid_to from me_status_history where customer_id = '{ANNA}'"
        " and valid_from is distinct from valid_to order by valid_from",
    )
    assert [(NOW - 10 * HOUR, NOW + hours * HOUR), (NOW + hours * HOUR, None)] == versions
    assert all(before[1] == after[0] for before, after in pairwise(versions))
    assert [(3,)] == rows(filled, f"select count(*) from me_status_history where customer_id = '{ANNA}'")


def test_a_run_as_of_an_earlier_instant_that_serves_the_same_leaves_the_versions_as_they_are(
    filled: LiveDatabase,
) -> None:
    """Other rules rewrite the rows as of an instant before the version that is served, which goes on as it is."""
    refreshed(filled, 10, NOW - 10 * HOUR)
    mark(filled, ANNA, "update snapshot.invoice set total = 2")
    refreshed(filled, 11, NOW)
    versions = "select version_id, valid_from, valid_to from me_status_history order by version_id"
    before = rows(filled, versions)
    rebuild(filled, rules("Asia/Tokyo", window_hours=25), At(12, NOW - 5 * HOUR))
    assert [(12,)] == rows(filled, "select distinct run_id from me_status")
    assert 3 == len(before)
    assert before == rows(filled, versions)


def test_the_command_prints_the_bytes_then_and_the_changes(
    filled: LiveDatabase, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --at the document itself; without, when what changed; an instant before all is an error."""
    monkeypatch.setenv("DATABASE_URL", filled.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    refreshed(filled, 10)
    first = served(filled)[ANNA]
    mark(filled, ANNA, "update snapshot.invoice set total = 4400")
    refreshed(filled, 11, NOW + HOUR)

    def printed(*words: str) -> str:
        assert 0 == main(["history", *words])
        return capsys.readouterr().out

    assert first == printed(ANNA[:15], "--at", "2026-03-10T12:59:59Z")
    assert first == printed("101", "--at", "2026-03-10T12:00:00Z")
    whole: dict[str, Any] = json.loads(printed(ANNA, "--at", "2026-03-10T13:00:00Z", "--json"))
    assert ("2026-03-10T13:00:00Z", None, 11) == (whole["validFrom"], whole["validTo"], whole["runId"])
    assert json.loads(served(filled)[ANNA]) == whole["document"]
    listed = json.loads(printed(ANNA, "--json"))["versions"]
    assert [None, True] == [
        version["changed"] and "summary.stats.amountDue" in version["changed"] for version in listed
    ]
    assert 1 == main(["history", ANNA, "--at", "2026-03-10T11:59:59Z"])
    assert "nothing was served" in capsys.readouterr().err
