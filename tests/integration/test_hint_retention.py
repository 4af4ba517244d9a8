"""Prune forgets what hints leave behind, and nothing that somebody still goes by."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg

from config import schedule
from config.database import LiveDatabase
from jobs.runs import prune

LEFT_BEHIND = """
insert into pipeline.hint (kind, subject_id, origin, hints, first_at, last_at) values
    ('client', '1', 'whmcs', 3, now() - interval '3 days', now() - interval '2 days'),
    ('client', '2', 'whmcs', 2, now() - interval '3 days', now() - interval '2 days'),
    ('client', '3', 'whmcs', 1, now(), now());
insert into pipeline.refresh_request values ('old', now() - interval '2 days'), ('new', now());
insert into pipeline.stream_state (stream, synced_at, read_at, run_id)
    values ('invoice', now(), now() - interval '36 hours', 1)
    on conflict (stream) do update set read_at = excluded.read_at;
insert into pipeline.owner_reading (stream, owner_id, began_at, read_at) values
    ('invoice', 'covered', now() - interval '2 days', now() - interval '2 days'),
    ('invoice', 'newer than the whole', now() - interval '30 hours', now() - interval '30 hours'),
    ('invoice', 'of today', now() - interval '1 hour', now() - interval '2 days');
insert into job_run (job, started_at, finished_at, outcome) values
    ('sync-hinted', now() - interval '9 days', now() - interval '9 days', 'succeeded'),
    ('sync-hinted', now() - interval '8 days', now() - interval '8 days', 'failed'),
    ('refresh', now() - interval '9 days', now() - interval '9 days', 'succeeded'),
    ('sync-hinted', now(), now(), 'succeeded');
insert into pipeline.run_unit (run_id, unit, counts)
    select run_id, 'batch 1', '{}' from job_run where job = 'sync-hinted';
"""


def test_what_hints_left_behind_goes_in_small_batches(database: LiveDatabase, database_url: str) -> None:
    """Hints nobody followed (counted), requests, readings that a whole one covers, and old runs with their units."""
    with psycopg.connect(database_url) as connection:
        connection.execute(LEFT_BEHIND)
    pruned = prune.prune(database, schedule.load().retention_days, now=datetime.now(UTC), rows_at_once=1)
    assert {"hints": 2, "refresh_requests": 1, "owner_readings": 1, "hinted_runs": 2, "runs": 0} == {
        name: pruned[name] for name in ("hints", "refresh_requests", "owner_readings", "hinted_runs", "runs")
    }
    with psycopg.connect(database_url) as connection:

        def values(query: str) -> list[tuple[object, ...]]:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

        assert [("3",)] == values("select subject_id from pipeline.hint")
        assert [("whmcs", "expired", 5)] == values("select origin, outcome, hints from pipeline.hint_count")
        assert [("new",)] == values("select customer_id from pipeline.refresh_request")
        kept = values("select owner_id from pipeline.owner_reading order by 1")
        assert [("newer than the whole",), ("of today",)] == kept
        assert [("refresh",), ("sync-hinted",)] == values("select job from job_run order by run_id")
        assert [(1,)] == values("select count(*) from pipeline.run_unit")
