"""The ledger: one row per run, whatever becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

import sql
from config.database import most_connections, rehearsal
from config.errors import MeStatusError
from jobs.runs import executor, ledger
from materializer.units import At, once

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def rows(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text("select * from job_run order by run_id")).mappings()]


def test_a_good_run_is_recorded_with_its_counts(engine: Engine) -> None:
    """started_at is the run's now, finished_at that plus the time taken; a run by hand has no slot."""
    with ledger.started(engine, "refresh", now=NOW) as run:
        run.counts["customers"] = 3
    (row,) = rows(engine)
    assert ("succeeded", {"customers": 3}, NOW, None) == (
        row["outcome"], row["counts"], row["started_at"], row["due_at"],
    )  # fmt: skip
    assert row["finished_at"] > NOW


def test_a_failed_run_leaves_its_row_and_the_error_goes_on(engine: Engine) -> None:
    """The ledger says why, without secrets."""
    with pytest.raises(MeStatusError), ledger.started(engine, "prune", now=NOW):
        raise MeStatusError("jane@example.org was refused")
    (row,) = rows(engine)
    assert ("failed", "[hidden] was refused") == (row["outcome"], row["error"])


def test_an_unexpected_error_is_told_by_place_only(engine: Engine) -> None:
    """The message of a foreign error may quote anything, so it is not stored."""
    with pytest.raises(ValueError, match="Suzuki"), ledger.started(engine, "prune", now=NOW):
        raise ValueError("Suzuki Taro")
    assert "Suzuki" not in rows(engine)[0]["error"]


def test_a_held_run_waits_for_the_operator(engine: Engine) -> None:
    """A gate gives the outcome held and an entry to decide on."""
    with ledger.started(engine, "refresh", now=NOW) as run:
        run.hold("flood", None, {"INVOICE_DUE": 500})
    assert "held" == rows(engine)[0]["outcome"]
    with engine.connect() as connection:
        held = connection.execute(text("select run_id, gate, decision from pipeline.held_run")).one()
    assert (run.run_id, "flood", None) == tuple(held)


def test_a_slot_is_run_once(engine: Engine) -> None:
    """The second claimer of a slot gets None, and no row."""
    with ledger.claimed(engine, "refresh", now=NOW, due_at=NOW) as first:
        assert first is not None
    with ledger.claimed(engine, "refresh", now=NOW, due_at=NOW) as second:
        assert second is None
    assert 1 == len(rows(engine))


def test_a_slot_that_comes_during_a_run_is_skipped(engine: Engine) -> None:
    """Runs of one job do not overlap; another job goes on."""
    with ledger.started(engine, "refresh", now=NOW):
        with ledger.claimed(engine, "refresh", now=NOW, due_at=NOW) as skipped:
            assert skipped is None
        with ledger.claimed(engine, "prune", now=NOW, due_at=NOW) as other:
            assert other is not None


def test_a_rebuild_and_a_refresh_do_not_overlap(engine: Engine) -> None:
    """Jobs that write documents share a lock."""
    with (
        ledger.started(engine, "rebuild", now=NOW),
        ledger.claimed(engine, "refresh", now=NOW, due_at=NOW) as refresh,
    ):
        assert refresh is None


def test_a_dead_run_is_marked_failed_by_the_next(engine: Engine) -> None:
    """A row still called running while nobody holds the job's lock belongs to a process that ended."""
    with engine.begin() as connection:
        connection.execute(
            text("insert into job_run (job, started_at, outcome) values ('refresh', :now, 'running')"), {"now": NOW}
        )
    with ledger.started(engine, "refresh", now=NOW):
        pass
    assert ["failed", "succeeded"] == [row["outcome"] for row in rows(engine)]


def test_a_rehearsed_run_leaves_no_row(engine: Engine) -> None:
    """A dry run is seen in its own transaction only."""
    with rehearsal(engine) as database, ledger.rehearsed(database, "refresh", now=NOW) as run:
        assert run.run_id > 0
    assert [] == rows(engine)


def test_a_run_that_lost_its_lock_to_another_writes_no_more(engine: Engine) -> None:
    """The lock goes with its session; once another run has taken the job over, the first one's transactions fail."""
    lost = pytest.raises(MeStatusError, match="another run took over")
    with lost, ledger.started(engine, "refresh", now=NOW) as first:
        cut_off(engine)
        with ledger.started(engine, "refresh", now=NOW):
            pass
        with first.database.begin() as connection:
            connection.execute(text("insert into pipeline.refresh_mark values ('001000000000001AAA', now())"))
    assert ["failed", "succeeded"] == [row["outcome"] for row in rows(engine)]
    with engine.connect() as connection:
        assert 0 == connection.execute(text("select count(*) from pipeline.refresh_mark")).scalar_one()


def test_a_run_that_was_given_up_cannot_end_well(engine: Engine) -> None:
    """Whoever took the job over has marked it failed, and so it stays."""
    lost = pytest.raises(MeStatusError, match="another run took over")
    with lost, ledger.started(engine, "refresh", now=NOW):
        cut_off(engine)
        with ledger.started(engine, "refresh", now=NOW):
            pass
    assert ["failed", "succeeded"] == [row["outcome"] for row in rows(engine)]


def test_a_run_whose_lock_nobody_took_goes_on(engine: Engine) -> None:
    """A server that restarts between two transactions does no harm."""
    with ledger.started(engine, "refresh", now=NOW) as run:
        cut_off(engine)
        with run.database.begin() as connection:
            connection.execute(text("select 1"))
    assert ["succeeded"] == [row["outcome"] for row in rows(engine)]


def test_a_unit_of_a_run_that_was_given_up_is_not_done(engine: Engine) -> None:
    """Workers elsewhere have no lock: the ledger shows them."""
    with ledger.started(engine, "refresh", now=NOW) as run:
        pass
    with engine.begin() as connection:
        claim = {"run_id": run.run_id, "unit": "late"}
        assert connection.execute(sql.statement("ledger/claim_run_unit"), claim).first() is None


def test_a_unit_on_a_worker_says_that_its_run_was_given_up(engine: Engine) -> None:
    """A worker's own connection knows nothing of the run: the unit says what the run itself would say."""
    with ledger.started(engine, "refresh", now=NOW) as run:
        pass
    with engine.begin() as connection, pytest.raises(MeStatusError, match="another run took over"):
        once(connection, At(run.run_id, NOW), "late", lambda: {"customers": 1})


def test_threads_fit_the_pool_however_many_cores_there_are(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each unit needs a connection, and so does the run itself: more threads would wait for one until they fail."""
    monkeypatch.setattr(executor, "workers", lambda: 32)
    threads = executor.threads_for(engine)
    assert threads + executor.OF_THE_RUN == most_connections(engine)
    monkeypatch.setattr(executor, "workers", lambda: 2)
    assert 2 == executor.threads_for(engine)


def cut_off(engine: Engine) -> None:
    """Ends every connection that is not in use by this call, as a restart of the server does."""
    with engine.connect() as connection:
        connection.execute(
            text(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
