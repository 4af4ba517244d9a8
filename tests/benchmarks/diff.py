"""The diff of a snapshot with 1 % changed, rows and history written, against `dbt snapshot` and against DuckDB."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from tests.benchmarks import rivals
from tests.benchmarks.applying import in_process
from tests.benchmarks.bench import Bench
from tests.benchmarks.ground import Ground, filled, run_ids
from tests.benchmarks.measured import Measured, at_most, of_rounds

GOAL, GOAL_OF_DUCKDB, PEAK_GOAL = at_most(0.15), at_most(1), at_most(500)
SCRIPT = Path(__file__).with_name("rival_duckdb.py")
NOTE = (
    "dbt finds the rows staged in the same database and its own start-up is left out (its execution time of the "
    "snapshot); ours finds them spooled, and writes rows, transitions and the marks of the customers concerned. "
    "Finding these customers, reading keys and hashes, and writing rows take a fifth each of the two cores' time"
)
NOTE_OF_DUCKDB = (
    "DuckDB {version} with its PostgreSQL extension, attached to the same database: both tables read whole, a full "
    "join, what differs copied back and merged into one table there. It writes no transitions and no marks and keeps "
    "no bounds on memory; ours does. DuckDB 2 gets its extension from a host of its own and could not be installed"
)
SNAPSHOT = """{% snapshot invoice_history %}
{{ config(target_schema="history", unique_key="invoice_id", strategy="check", check_cols="all") }}
select * from snapshot.staged
{% endsnapshot %}
"""
PROJECT = """name: rival
version: "1.0"
profile: rival
snapshot-paths: ["snapshots"]
flags:
  send_anonymous_usage_stats: false
"""


def run(bench: Bench) -> list[Measured]:
    """Rounds: 1 % of the staged rows change, dbt takes its snapshot, we apply our pull."""
    rounds, of_duckdb, peaks = [], [], []
    rows = bench.sized(1_000_000) * 5
    with filled(bench, rows // 5) as ground:
        ground.execute("create table snapshot.staged as table snapshot.invoice")
        ground.execute("alter table snapshot.staged add primary key (invoice_id)")
        project = _project(bench, ground)
        ground.execute("create table snapshot.kept as table snapshot.invoice")
        ground.execute("alter table snapshot.kept add primary key (invoice_id)")
        bench.say(f"dbt's first load: {_snapshot(bench, project):.1f} s")
        in_process(ground.url, staged="staged", run_id=next(run_ids))  # ours: the hashes that a first pull leaves
        for number in range(bench.pick(full=2, small=3)):
            _change(ground, number)
            ground.vacuum()
            theirs, duckdb = _snapshot(bench, project), _duckdb(bench, ground)
            ours = in_process(ground.url, staged="staged", run_id=next(run_ids))
            assert ours["changed"] == rows // 100, ours
            assert duckdb["changed"] == rows // 100, duckdb
            rounds.append((ours["seconds"], theirs))
            of_duckdb.append((ours["seconds"], duckdb["seconds"]))
            peaks.append(ours["peak"])
            seconds = f"dbt {theirs:.1f} s, DuckDB {duckdb['seconds']:.1f} s, ours {ours['seconds']:.1f} s"
            bench.say(f"{seconds} with {ours['peak']:.0f} MB")
    work = f"diff of {rows:,} rows, 1 % changed"
    return [
        of_rounds(work, "dbt snapshot 1.12", rounds, "s", GOAL, NOTE),
        of_rounds(work, "DuckDB attached, full join", of_duckdb, "s", GOAL_OF_DUCKDB, NOTE_OF_DUCKDB.format(**duckdb)),
        Measured(f"{work}: peak memory", "a limit in MB", max(peaks), 1, "MB", PEAK_GOAL, "ru_maxrss of the process"),
    ]


def _change(ground: Ground, number: int) -> None:
    """Every hundredth invoice: half get another status, half another total."""
    ground.execute(
        "update snapshot.staged set"
        " status = case when invoice_id % 200 < 100 then status when status = 'Paid' then 'Refunded' else 'Paid' end,"
        " status_known = case"
        " when invoice_id % 200 < 100 then status_known when status = 'Paid' then 'Refunded' else 'Paid' end,"
        " total = case when invoice_id % 200 < 100 then total + 1 else total end"
        " where invoice_id % 100 = cast(:number as integer)",
        number=number,
    )


def _project(bench: Bench, ground: Ground) -> Path:
    folder = bench.home / "dbt"
    (folder / "snapshots").mkdir(parents=True)
    (folder / "snapshots" / "invoice_history.sql").write_text(SNAPSHOT)
    (folder / "dbt_project.yml").write_text(PROJECT)
    url = make_url(ground.url)
    target = {
        "type": "postgres",
        "host": url.query.get("host") or url.host,
        "user": url.username,
        "password": url.password or "",
        "port": url.port or 5432,
        "dbname": url.database,
        "schema": "history",
        "threads": 1,
    }
    profiles = {"rival": {"target": "bench", "outputs": {"bench": target}}}
    (folder / "profiles.yml").write_text(json.dumps(profiles))
    return folder


def _snapshot(bench: Bench, project: Path) -> float:
    """Takes one; the seconds dbt says it took, without its start-up."""
    dbt = rivals.python_of(bench, "dbt").with_name("dbt")
    rivals.run([dbt, "snapshot", "--project-dir", project, "--profiles-dir", project, "--quiet"])
    report = json.loads((project / "target" / "run_results.json").read_text())
    return float(report["results"][0]["execution_time"])


def _duckdb(bench: Bench, ground: Ground) -> dict[str, Any]:
    """One diff by DuckDB; its seconds, the rows that differed, and its version."""
    url = make_url(ground.url)
    parts = {"dbname": url.database, "user": url.username, "password": url.password}
    parts |= {"host": url.query.get("host") or url.host, "port": url.port}
    connection = " ".join(f"{name}={value}" for name, value in parts.items() if value)
    python = rivals.python_of(bench, "duckdb_extensions")
    output = rivals.run([python, SCRIPT, connection, "snapshot.staged", "snapshot.kept", "invoice_id"])
    figures: dict[str, Any] = json.loads(output.splitlines()[-1])
    return figures
