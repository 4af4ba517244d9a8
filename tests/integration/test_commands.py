"""The installed command, as a process of its own: exit codes, and what goes to which stream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from config.settings import Settings

COMMAND = Path(sys.executable).with_name("me-status")


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """Nothing of the test run's settings but a database."""
    ours = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in ours} | {"DATABASE_URL": database_url}


def run(environment: dict[str, str], folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words], env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    "words",
    [
        ("run", "nonsense"),
        ("run", "refresh", "--as-of", "2026-03-01T09:00:00"),
        ("run", "refresh", "--as-of", "yesterday"),
        ("held", "release"),
        ("export", "me_status"),
        (),
    ],
)
def test_wrong_usage_exits_2(environment: dict[str, str], tmp_path: Path, words: tuple[str, ...]) -> None:
    """An instant without an offset is wrong usage, too."""
    assert 2 == run(environment, tmp_path, *words).returncode


def test_missing_settings_are_named_at_once_and_nothing_is_written(
    environment: dict[str, str], tmp_path: Path, engine: Engine
) -> None:
    """Exit 2, all faults on standard error, no row in the ledger."""
    done = run(environment, tmp_path, "run", "all")
    assert (2, "") == (done.returncode, done.stdout)
    for name in ("SALESFORCE_INSTANCE_URL", "SALESFORCE_CONSUMER_KEY", "WHMCS_URL", "WHMCS_IDENTIFIER", "WHMCS_SECRET"):
        assert name in done.stderr
    with engine.connect() as connection:
        assert 0 == connection.execute(text("select count(*) from job_run")).scalar_one()


def test_json_is_one_object_and_logs_go_elsewhere(environment: dict[str, str], tmp_path: Path) -> None:
    """Standard output is for the answer alone."""
    done = run(environment, tmp_path, "run", "prune", "--json", "--as-of", "2026-03-01T18:00:00+09:00")
    assert "succeeded" == json.loads(done.stdout)["outcome"]
    assert '"event": "run finished"' in done.stderr
    assert 0 == done.returncode


def test_prune_as_of_an_instant_to_come_needs_yes(environment: dict[str, str], tmp_path: Path) -> None:
    """A slip of the year would forget everything; a rehearsal needs no leave."""
    to_come = ("run", "prune", "--as-of", "2999-01-01T00:00:00Z")
    refused = run(environment, tmp_path, *to_come)
    assert (2, "add --yes") == (refused.returncode, refused.stderr.strip()[-9:])
    assert 0 == run(environment, tmp_path, *to_come, "--dry-run").returncode
    assert 0 == run(environment, tmp_path, *to_come, "--yes").returncode


def test_a_dry_run_leaves_no_row(environment: dict[str, str], tmp_path: Path, engine: Engine) -> None:
    """Not even in the ledger."""
    done = run(environment, tmp_path, "run", "refresh", "--dry-run", "--json")
    assert json.loads(done.stdout)["dryRun"] is True
    with engine.connect() as connection:
        assert 0 == connection.execute(text("select count(*) from job_run")).scalar_one()


def test_a_slot_is_filled_once(environment: dict[str, str], tmp_path: Path) -> None:
    """Cron may ask twice; prune has one slot a day."""
    outcomes = [
        json.loads(run(environment, tmp_path, "run", "prune", "--slot", "--json").stdout)["outcome"] for _ in range(2)
    ]
    assert ["succeeded", "skipped"] == outcomes


def test_status_of_a_database_never_synced_is_unhealthy(environment: dict[str, str], tmp_path: Path) -> None:
    """Exit 1, with the shape of the contract."""
    done = run(environment, tmp_path, "status", "--json")
    state = json.loads(done.stdout)
    assert 1 == done.returncode
    assert (False, None, True) == (
        state["healthy"],
        state["sources"]["whmcs"]["syncedAt"],
        state["sources"]["whmcs"]["isStale"],
    )
    problems = {
        "unknownWords",
        "linkConflicts",
        "danglingLinks",
        "unlinkedClients",
        "refusedRecords",
        "unreadableLinks",
        "failedCustomers",
        "incompleteStreams",
        "overdueJobs",
    }
    assert problems <= set(state["problems"])
    assert ["source-stale", "source-stale"] == [reason["kind"] for reason in state["reasons"]]


def test_a_missing_schema_names_the_command(
    environment: dict[str, str], tmp_path: Path, empty_database_url: str
) -> None:
    """A database of DATABASE_URL is migrated by the operator; then the same command works."""
    empty = environment | {"DATABASE_URL": empty_database_url}
    refused = run(empty, tmp_path, "held", "list")
    assert (1, True) == (refused.returncode, "me-status migrate" in refused.stderr)
    assert 0 == run(empty, tmp_path, "migrate").returncode
    assert 0 == run(empty, tmp_path, "held", "list").returncode


def test_an_unreachable_database_exits_1_without_its_password(environment: dict[str, str], tmp_path: Path) -> None:
    """Said in words, without a traceback."""
    away = environment | {"DATABASE_URL": "postgresql://app:hunter2222@127.0.0.1:1/none"}
    done = run(away, tmp_path, "status")
    assert 1 == done.returncode
    assert "cannot be reached" in done.stderr
    assert "hunter2222" not in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_says_what_is_missing_and_the_remedy(environment: dict[str, str], tmp_path: Path) -> None:
    """One line each: ok, warn or fail."""
    done = run(environment, tmp_path, "doctor")
    assert 1 == done.returncode
    assert {"ok", "warn", "fail"} == {line.split()[0] for line in done.stdout.splitlines()}


def test_an_unknown_table_exits_2_and_lists_the_known(environment: dict[str, str], tmp_path: Path) -> None:
    """So that nobody has to guess."""
    done = run(environment, tmp_path, "export", "secrets", "--to", "x.csv")
    assert 2 == done.returncode
    assert "analytics.customers_by_state" in done.stderr


def test_a_paused_job_is_passed_over_until_it_is_resumed(
    environment: dict[str, str], tmp_path: Path, engine: Engine
) -> None:
    """`status` shows the pause; who decided what is kept."""
    assert (
        0
        == run(
            environment, tmp_path, "pause", "prune", "--reason", "migration", "--until", "2999-01-01T00:00:00Z"
        ).returncode
    )
    skipped = run(environment, tmp_path, "run", "prune", "--slot", "--json")
    assert (0, "skipped") == (skipped.returncode, json.loads(skipped.stdout)["outcome"])
    shown = json.loads(run(environment, tmp_path, "status", "--json").stdout)["paused"]
    assert [("prune", "2999-01-01T00:00:00Z", "migration")] == [
        (pause["job"], pause["pausedUntil"], pause["reason"]) for pause in shown
    ]
    assert 0 == run(environment, tmp_path, "resume", "prune").returncode
    assert "succeeded" == json.loads(run(environment, tmp_path, "run", "prune", "--slot", "--json").stdout)["outcome"]
    with engine.connect() as connection:
        actions = connection.execute(
            text("select action, job, origin from pipeline.operator_action order by action_id")
        )
        assert [("pause", "prune", "command"), ("resume", "prune", "command")] == list(actions)


def test_what_operators_decided_is_never_changed(engine: Engine) -> None:
    """The record is append-only, by the database's own hand."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into pipeline.operator_action (action, job, actor, origin)"
                " values ('run', 'prune', 'me', 'page')"
            )
        )
    for change in ("update pipeline.operator_action set actor = 'you'", "delete from pipeline.operator_action"):
        with pytest.raises(DBAPIError, match="never changed"), engine.begin() as connection:
            connection.execute(text(change))


@pytest.mark.parametrize("words", [("held", "release", "7", "--json"), ("run", "sync-whmcs", "--json")])
def test_a_failure_is_one_json_object_too(environment: dict[str, str], tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whatever the exit code."""
    done = run(environment, tmp_path, *words)
    assert done.returncode in (1, 2)
    assert json.loads(done.stdout)["error"]
