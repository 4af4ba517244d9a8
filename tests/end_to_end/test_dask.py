"""Work spread over a Dask cluster: the very same tables as with threads, though a worker is killed half-way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config import tables
from config.database import connect
from config.settings import GivenSettings
from config.types import ScheduledJob
from jobs.commands.hint import note
from jobs.program import Program
from jobs.runs.ledger import RunOptions
from jobs.runs.run import by_hand
from jobs.sandbox import salesforce, whmcs
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.whmcs import WhmcsInstall
from tests.end_to_end import cluster
from tests.end_to_end.cluster import Cluster
from tests.end_to_end.stage import TOKYO, environment
from tests.integration import conftest

pytest.importorskip("distributed", reason="distributed is not installed; it comes with me-status[dask]")

PEOPLE = Population(customers=500, seed=3, start=date(2026, 11, 1), zone=TOKYO)
START = datetime(2026, 11, 1, 3, tzinfo=UTC)
OF_A_TRANSACTION = [
    "applying_since",
    "began_at",
    "changed_at",
    "committed_at",
    "feed_id",
    "finished_at",
    "transition_id",
    "notification_id",
    "requests_used",
    "suppressed_id",
    "version_id",
]
"""Columns that show when or in which order transactions committed, which nobody promises."""

PAUSE = (
    """create function pause_unit() returns trigger language plpgsql as $$ begin
    if (select count(*) from pipeline.run_unit where run_id = new.run_id and unit like tg_argv[0]) > 5
    then perform pg_advisory_xact_lock_shared(4242); end if; return new; end $$""",
    """create trigger pause_unit after insert on pipeline.run_unit for each row
    when (new.unit like 'LIKE') execute function pause_unit('LIKE')""",
    "select pg_advisory_lock(4242)",
)
"""Makes units wait in the middle of their transaction once five of a run are committed."""
WAITING = "select count(*) from pg_locks where locktype = 'advisory' and objid = 4242 and not granted"


class Place:
    """A database, and me-status working on it where `executor` says."""

    def __init__(self, url: str, given: dict[str, str], executor: str) -> None:
        settings = GivenSettings(**{name.lower(): value for name, value in given.items()}, database_url=url,
                                 me_status_executor=executor)  # fmt: skip
        read = tables.load(settings)
        limits = read.schedule.limits.model_copy(update={"window_rows": 150, "batch_customers": 10})
        slower = read.schedule.whmcs.model_copy(update={"page_size": 100})
        plan = read.schedule.model_copy(update={"limits": limits, "whmcs": slower})
        self.url = url
        self.engine = connect(settings)
        self.program = Program(settings, replace(read, schedule=plan))

    def run(self, now: datetime) -> None:
        for report in by_hand(self.engine, self.program, "all", RunOptions(full=True), now):
            assert report.outcome in ("succeeded", "held"), report.error

    def do(self, job: ScheduledJob, now: datetime) -> None:
        """One job, such as sync-hinted, as of an instant."""
        for report in by_hand(self.engine, self.program, job, RunOptions(), now):
            assert report.outcome in ("succeeded", "held"), report.error

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return list(connection.execute(question))  # type: ignore[call-overload]

    def units(self, like: str = "%") -> int:
        """How many units of work with names like that are committed."""
        return int(self.rows(f"select count(*) from pipeline.run_unit where unit like '{like}'")[0][0])

    def mark(self, customers: int) -> None:
        """Makes up customers to be refreshed."""
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "insert into snapshot.account (account_id, is_customer, eligibility_status, verification_status)"
                " select format('001%%sAAA', lpad(n::text, 12, '0')), true, 'pending', 'submitted'"
                " from generate_series(1, %s) n",
                (customers,),
            )
            connection.execute("insert into pipeline.refresh_mark select account_id, now() from snapshot.account")

    def everything(self) -> dict[str, list[str]]:
        """Every row of every table as text, but for what only shows the order or the seconds of commits."""
        found = self.rows(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname in ('public', 'pipeline', 'snapshot')"
            " and tablename not in ('change', 'total') order by 1"
        )
        without = " ".join(f"- '{name}'" for name in OF_A_TRANSACTION)
        return {
            name: [row for (row,) in self.rows(f"select (to_jsonb(t) {without})::text from {name} t order by 1")]
            for (name,) in found
        }


@pytest.fixture
def place(server_url: str, template: str) -> Iterator[Callable[..., Place]]:
    """Opens places on fresh databases; call with the settings and the executor, or a cluster's way to one."""
    with ExitStack() as ends:

        def opened(given: dict[str, str], executor: Callable[[str], str]) -> Place:
            url = ends.enter_context(contextmanager(conftest._database)(server_url, template))
            place = Place(url, given, executor(url))
            ends.callback(place.engine.dispose)
            return place

        yield opened


@contextmanager
def killing(crew: Cluster, place: Place, like: str) -> Iterator[None]:
    """Kills a worker in the middle of a unit with a name like that, five being committed and others left to do."""
    died_at: list[int] = []

    def watch() -> None:
        with psycopg.connect(place.url, autocommit=True) as gate:
            for statement in PAUSE:
                gate.execute(statement.replace("LIKE", like))  # type: ignore[arg-type]
            closed.set()
            everyone = 2 * len(crew.workers) - 1  # threads in a unit, so that no worker is without one
            while not ended.wait(0.02) and gate.execute(WAITING).fetchall()[0][0] < everyone:
                pass
            if not ended.is_set():
                died_at.append(place.units(like))
                crew.workers[0].kill()
                crew.workers[0].wait()

    closed, ended = threading.Event(), threading.Event()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert closed.wait(30)
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        with psycopg.connect(place.url) as connection:
            connection.execute("drop function pause_unit cascade")
    assert died_at, "the worker outlived the run"
    assert died_at[0] < place.units(like), "no unit was left to do when the worker was killed"


def test_a_worker_killed_half_way_leaves_the_very_same_tables_as_threads(
    place: Callable[..., Place], tmp_path: Path
) -> None:
    """Issue 5: what a killed worker had begun is done by another, and what it had done is not done again."""
    clock = SimulatedClock(START)
    org = SalesforceOrg(clock, tables=PEOPLE.salesforce_tables())
    install = WhmcsInstall(clock, zone=TOKYO, tables=PEOPLE.whmcs_tables())
    with ExitStack() as ends:
        given = environment(
            org, install, ends.enter_context(salesforce.serve(org)).url, ends.enter_context(whmcs.serve(install)).url
        )
        crew: list[Cluster] = []

        def spread(url: str) -> str:
            crew.append(ends.enter_context(cluster.started(tmp_path, given | {"DATABASE_URL": url})))
            crew[0].add_workers(3)
            return crew[0].address

        here, there = place(given, lambda _: "threads"), place(given, spread)
        here.run(clock.now())
        with killing(crew[0], there, like="invoice %"):
            there.run(clock.now())
        assert here.everything() == there.everything()
        assert sum(worker.poll() is None for worker in crew[0].workers) == 2

        clock.advance_to(START + timedelta(days=3))
        for invoice in list(install.tables["invoices"].keys())[::3]:
            install.tables["invoices"].change(invoice, status="Paid")
        org.mass_update("Account", list(org.keys("Account", deleted=False)), Internet_Eligibility_Status__c="Eligible")
        crew[0].workers.pop(0)
        here.run(clock.now())
        with killing(crew[0], there, like="batch-%"):
            there.run(clock.now())
        assert here.everything() == there.everything()
        assert here.rows("select 1 from status_transition limit 1"), "nothing was observed at all"

        clock.advance_to(START + timedelta(days=3, minutes=1))
        hinted = [client for (client,) in here.rows("select client_id from snapshot.client order by 1 limit 100")]
        unpaid = here.rows(f"select invoice_id from snapshot.invoice where status = 'Unpaid' and {_of(hinted)}")
        assert unpaid, "nobody hinted has an unpaid invoice"
        for (invoice,) in unpaid:
            install.tables["invoices"].change(invoice, status="Paid")
        for somewhere in (here, there):
            note(somewhere.engine, [], hinted)
            somewhere.do("sync-hinted", clock.now())
            somewhere.do("refresh", clock.now())
        assert here.everything() == there.everything()
        assert [] == there.rows(f"select 1 from snapshot.invoice where status = 'Unpaid' and {_of(hinted)}")


def _of(clients: list[int]) -> str:
    return f"client_id in ({', '.join(map(str, clients))})"


def test_a_worker_of_another_database_is_refused(place: Callable[..., Place], tmp_path: Path) -> None:
    """A unit is done where its run is, or not at all."""
    with ExitStack() as ends:
        elsewhere = place({}, lambda _: "threads")

        def spread(url: str) -> str:
            crew = ends.enter_context(cluster.started(tmp_path, {"DATABASE_URL": elsewhere.url}))
            crew.add_workers(1)
            return crew.address

        there = place({}, spread)
        there.mark(100)
        (report,) = by_hand(there.engine, there.program, "refresh", RunOptions(), START)
        assert "names another database" in str(report.error)


def test_a_cluster_that_is_not_there_is_named(place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator reads which setting leads nowhere, and what to start."""
    monkeypatch.setattr("jobs.runs.cluster.PATIENCE", 1)
    there = place({}, lambda _: "dask://127.0.0.1:1")
    there.mark(100)
    (report,) = by_hand(there.engine, there.program, "refresh", RunOptions(), START)
    assert "no Dask scheduler answers at dask://127.0.0.1:1; start one" in str(report.error)
