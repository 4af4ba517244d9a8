"""What others' tools make of what is generated for warehouses: datacontract-cli, dbt, dlt and matplotlib."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import yaml
from sqlalchemy import make_url

from tests import dictionary

HERE = Path(__file__).parent
SERVED = """
    insert into me_status (
        customer_id, salesforce_account_id, eligibility_status, verification_status, task_count, document, content_hash,
        computed_at, rules_version, run_id
    )
    select 'c' || number, 'a', 'eligible', 'verified', 0, '{}', 'h', now(), 'v', 1
    from generate_series(1, 20) as number
"""
RUN = "insert into job_run (job, started_at, finished_at, outcome) values ('refresh', now(), now(), 'succeeded')"


@dataclass(frozen=True)
class Place:
    """Where a database is, as tools ask for it one by one."""

    host: str
    port: int
    user: str
    password: str
    name: str


@pytest.fixture
def place(database_url: str) -> Place:
    """A database with a run and twenty customers."""
    with psycopg.connect(database_url) as connection:
        connection.execute(RUN)
        connection.execute(SERVED)
    url = make_url(database_url)
    host = url.host or url.query["host"]
    return Place(str(host), url.port or 5432, url.username or "postgres", url.password or "none", url.database or "")


def run(*words: object, folder: Path, **environment: str) -> str:
    """Runs a tool in the folder. Fails with what it said."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.mark.independent
@pytest.mark.xdist_group("datacontract")
@pytest.mark.parametrize("name", ["me-status.odcs.yaml", "me-status-views.odcs.yaml"])
def test_a_database_keeps_the_contract(datacontract: Path, place: Place, tmp_path: Path, name: str) -> None:
    """Every column is there with its type, keys are unique, and lists of values hold, as datacontract-cli sees it."""
    contract = yaml.safe_load((dictionary.DOCS / name).read_text())
    contract["servers"][0] |= {"host": place.host, "port": place.port, "database": place.name}
    (tmp_path / name).write_text(yaml.safe_dump(contract))
    login = {"DATACONTRACT_POSTGRES_USERNAME": place.user, "DATACONTRACT_POSTGRES_PASSWORD": place.password}
    assert "Data contract is valid" in run(datacontract, "test", name, folder=tmp_path, **login)


@pytest.mark.independent
def test_dbt_parses_the_sources_and_finds_them_whole_and_fresh(dbt: Path, place: Place, tmp_path: Path) -> None:
    """Without a word about what is deprecated; every test passes, and so does the freshness of runs."""
    (tmp_path / "models").mkdir()
    shutil.copy(dictionary.DOCS / "dbt" / "sources.yml", tmp_path / "models")
    (tmp_path / "dbt_project.yml").write_text("name: warehouse\nversion: '1.0'\nprofile: warehouse\n")
    target = {"type": "postgres", "host": place.host, "port": place.port, "user": place.user, "dbname": place.name}
    target |= {"password": place.password, "schema": "dbt", "threads": 4}
    profile = {"warehouse": {"target": "here", "outputs": {"here": target}}}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profile))
    quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    said = run(dbt, "test", "--profiles-dir", ".", folder=tmp_path, **quiet)
    assert ("WARN=0 ERROR=0 SKIP=0" in said, "Deprecat" in said) == (True, False), said
    assert "PASS freshness of me_status.job_run" in run(
        dbt, "source", "freshness", "--profiles-dir", ".", folder=tmp_path, **quiet
    )


@pytest.mark.independent
def test_dlt_follows_the_feed_to_equal_tables(dlt: Path, database_url: str, place: Place, tmp_path: Path) -> None:
    """Three loads with inserts, changes and deletions between: after each DuckDB has the rows of PostgreSQL."""
    works = [
        "update me_status set task_count = 3 where customer_id < 'c2'",
        "delete from me_status where customer_id in ('c3', 'c20'); update me_status set task_count = 4",
        SERVED.replace("'c'", "'new'"),
    ]
    options = {"url": make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(False)}
    for work in works:
        with psycopg.connect(database_url) as connection:
            connection.execute(work)  # type: ignore[arg-type]
            expected = connection.execute("select customer_id, task_count from me_status order by 1").fetchall()
        said = run(dlt, HERE / "follow_with_dlt.py", json.dumps(options), folder=tmp_path, HOME=str(tmp_path))
        assert [list(row) for row in expected] == json.loads(said.splitlines()[-1])


@pytest.mark.independent
def test_the_plots_of_the_docs_are_drawn(matplotlib: Path, database_url: str, place: Place, tmp_path: Path) -> None:
    """docs/plots.py over a database as it is; every picture is there, those without rows as well."""
    run(matplotlib, dictionary.DOCS / "plots.py", tmp_path, folder=tmp_path, DATABASE_URL=database_url)
    drawn = {file.stem: "</svg>" in file.read_text() for file in tmp_path.glob("*.svg")}
    assert {"customers": True, "receivables": True, "notifications": True, "freshness": True} == drawn
