"""The database is lost and its standby takes its place: jobs and API go on, and nothing committed is lost."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import httpx
import psycopg
import pytest

from tests.histories.play import run_all
from tests.histories.stage import Stage, set_up

ROWS = "select (select count(*) from snapshot.invoice), (select max(run_id) from job_run)"


@pytest.mark.skipif(sys.platform == "win32", reason="servers are ended by signals")
def test_a_failover_loses_nothing_and_stops_nobody(tmp_path: Path) -> None:
    """The same answers and tags, the same rows, and then the next runs."""
    with set_up(tmp_path, 3, Random(1)) as stage:
        run_all(stage)
        stage.serve()
        stage.wait_until_served()
        answers, rows = _answers(stage), _rows(stage)
        stage.pair.fail_over()
        stage.wait_until_served()
        assert (answers, rows) == (_answers(stage), _rows(stage))
        run_all(stage)
        assert rows < _rows(stage)


@pytest.mark.skipif(sys.platform == "win32", reason="servers are ended by signals")
def test_of_several_hosts_the_primary_is_found(tmp_path: Path) -> None:
    """`DATABASE_URL` may name both, as libpq reads it; the standby, which comes first, takes no writes."""
    with set_up(tmp_path, 1, Random(1)) as stage:
        hosts = f"127.0.0.1:{stage.pair.standby_port},127.0.0.1:{stage.pair.port}"
        both = stage.database_url.replace(f"127.0.0.1:{stage.pair.port}", hosts) + "?target_session_attrs=read-write"
        stage.environment["DATABASE_URL"] = both
        run_all(stage)
        stage.serve()
        stage.wait_until_served()
        assert [200] == [status for status, _, _ in _answers(stage)]


def _answers(stage: Stage) -> list[tuple[int, str | None, bytes]]:
    with httpx.Client(base_url=f"http://127.0.0.1:{stage.port}", timeout=30) as api:
        given = [api.get("/api/me/status", headers={"Authorization": f"Bearer {token}"}) for token in stage.tokens]
        return [(answer.status_code, answer.headers.get("ETag"), answer.content) for answer in given]


def _rows(stage: Stage) -> tuple[int, int]:
    with psycopg.connect(stage.database_url) as connection:
        found: tuple[int, int] | None = connection.execute(ROWS).fetchone()  # type: ignore[assignment]
        assert found is not None
        return found
