"""What the state of things looks like to an operator: `status`, the shrink gate, exports, the schedule's end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest

from tests.end_to_end.stage import Stage

COMMAND = Path(sys.executable).with_name("me-status")


@pytest.fixture
def shrunk(stage: Stage) -> tuple[Stage, int]:
    """Of 30 accounts 20 left without a trace; the full pull that noticed is held."""
    stage.add_customers(30)
    assert 0 == stage.run("all").code
    stage.later(minutes=5)
    for account in stage.customers[:20]:
        stage.org.hard_delete("Account", account)
    stage.add_customers(1)
    held = stage.run("all", "--full", "--json")
    assert (3, "held", "held") == (held.code, held.answer["outcome"], held.answer["runs"][0]["outcome"])
    return stage, held.answer["runs"][0]["runId"]


def customers(stage: Stage) -> int:
    stage.later(minutes=1)
    assert 0 == stage.run("refresh").code
    ((count,),) = stage.rows("select count(*) from me_status")
    return int(count)


def test_a_shrink_is_listed_in_plain_words_and_released(shrunk: tuple[Stage, int]) -> None:
    """Nothing is removed before; what was added goes on; releasing twice is harmless."""
    stage, run_id = shrunk
    assert 31 == customers(stage)
    printed = stage.me_status("held", "list").out
    assert f"run {run_id} is held by the shrink gate of salesforce since 2026-03-10T00:05:00Z" in printed
    assert (
        f"account: 20 records of 30, too many (the gate holds 5 % and 10 rows), such as {stage.customers[0]}" in printed
    )
    state = stage.me_status("status", "--json")
    assert (1, "shrink", "salesforce") == (
        state.code,
        state.answer["held"][0]["gate"],
        state.answer["held"][0]["source"],
    )
    released = stage.me_status("held", "release", run_id, "--as-of", stage.now)
    assert (0, f"run {run_id} released: 20 records removed\n") == (released.code, released.out)
    unlinked = stage.me_status("status", "--json").answer["problemCounts"]["unlinkedClients"]
    assert 20 == unlinked, "the clients of accounts that left are noted with the release"
    assert f"run {run_id} was released before" in stage.me_status("held", "discard", run_id).out
    assert 11 == customers(stage)


def test_a_discarded_shrink_keeps_everything(shrunk: tuple[Stage, int]) -> None:
    """And the next complete pull asks again."""
    stage, run_id = shrunk
    assert (0, f"run {run_id} discarded\n") == (
        stage.me_status("held", "discard", run_id, "--as-of", stage.now).code,
        stage.me_status("held", "discard", run_id).out.replace("was discarded before; nothing to discard", "discarded"),
    )
    assert 31 == customers(stage)
    assert 3 == stage.run("sync-salesforce", "--full").code


def test_a_later_complete_pull_supersedes_a_shrink(shrunk: tuple[Stage, int]) -> None:
    """Accepted, the removals go with that run, and the old hold is void."""
    stage, run_id = shrunk
    stage.later(minutes=5)
    assert 0 == stage.run("sync-salesforce", "--full", "--accept-shrink").code
    assert "nothing is held" in stage.me_status("held", "list").out
    assert f"run {run_id} was superseded before" in stage.me_status("held", "release", run_id).out
    assert 11 == customers(stage)


def test_a_stream_of_which_every_row_is_another_is_held(stage: Stage) -> None:
    """Three accounts gone and three new ones: nothing of what was known is left, so it is asked."""
    stage.add_customers(3)
    stage.run("all")
    stage.later(minutes=5)
    for account in stage.customers:
        stage.org.hard_delete("Account", account)
    stage.add_customers(3)
    assert 3 == stage.run("sync-salesforce", "--full").code


def test_status_has_the_shape_of_the_contract(stage: Stage) -> None:
    """Every kind of problem once; counts of all, ids of the records concerned."""
    stage.add_customers(4)
    one, two, three, four = stage.customers
    stage.org.update("Account", two, WHMCS_Client_Id__c=" 1 ")
    stage.org.update("Account", three, WHMCS_Client_Id__c="999")
    stage.org.update("Account", four, Internet_Eligibility_Status__c="Perhaps")
    stage.add_due_invoices(1)
    stage.install.tables["invoices"].change(1, duedate="2026-02-30")
    assert 3 == stage.run("all").code
    state = stage.me_status("status", "--json").answer
    assert {"healthy", "sources", "held", "nextDue", "problems"} <= set(state)
    assert {"salesforce", "whmcs"} == set(state["sources"])
    assert ("2026-03-10T00:00:00Z", True, 4) == (
        state["sources"]["whmcs"]["syncedAt"],
        state["sources"]["whmcs"]["isStale"],
        state["sources"]["whmcs"]["counts"]["client"],
    )
    assert {"sync-salesforce", "sync-whmcs", "refresh", "prune"} == set(state["nextDue"])
    problems = state["problems"]
    assert [("eligibility_status", "Perhaps", [four])] == [
        (row["field"], row["word"], row["samples"]) for row in problems["unknownWords"]
    ]
    assert [{"customerId": one, "clientId": 1}, {"customerId": two, "clientId": 1}] == problems["linkConflicts"]
    assert [{"customerId": three, "clientId": 999}] == problems["danglingLinks"]
    assert [{"clientId": 2}, {"clientId": 3}] == problems["unlinkedClients"]
    assert [("invoice", "1")] == [(row["stream"], row["recordId"]) for row in problems["refusedRecords"]]


def test_status_is_healthy_after_runs_by_the_clock(stage: Stage) -> None:
    """Exit 0; runs as of long ago leave the sources stale."""
    stage.add_customers(1)
    stage.run("all")
    assert 1 == stage.me_status("status").code
    stage.clock.advance_to(datetime.now(UTC))
    assert 0 == stage.me_status("run", "all").code
    for job in ("sync-hinted", "prune"):
        assert 0 == stage.me_status("run", job).code
    healthy = stage.me_status("status")
    assert (0, "healthy") == (healthy.code, healthy.out.splitlines()[0]), healthy.out
    assert "1 account, 0 orders" in healthy.out
    assert "." not in healthy.out.splitlines()[1]


def test_every_published_table_and_view_is_exported_both_ways(stage: Stage) -> None:
    """The same number of rows in CSV and Parquet, and the document byte for byte."""
    stage.add_customers(2)
    stage.add_due_invoices(1)
    stage.run("all")
    listed = stage.me_status("export", "nonsense", "--to", "x.csv").err
    names = listed.split("there are ")[1].strip().split(", ")
    assert {"me_status", "status_transition", "notification", "job_run", "analytics.run_history"} <= set(names)
    for name in names:
        for ending in ("csv", "parquet"):
            assert 0 == stage.me_status("export", name, "--to", f"{name}.{ending}").code
        count = len(stage.rows(f"select 1 from {name}"))
        assert count == pyarrow.parquet.read_table(f"{name}.parquet").num_rows
        assert count == pyarrow.csv.read_csv(f"{name}.csv", parse_options=_with_newlines()).num_rows
    documents = pyarrow.parquet.read_table("me_status.parquet")["document"].to_pylist()
    assert sorted(documents) == [text for (text,) in stage.rows("select document::text from me_status order by 1")]


def _with_newlines() -> pyarrow.csv.ParseOptions:
    return pyarrow.csv.ParseOptions(newlines_in_values=True)


def test_rebuilding_one_customer(stage: Stage) -> None:
    """Its document alone; an Account id nobody has is an error."""
    (customer,) = stage.add_customers(1)
    stage.run("all")
    done = stage.me_status("rebuild", "--customer", customer, "--as-of", stage.now, "--json")
    assert (0, 1, 0) == (done.code, done.answer["customers"], done.answer["changed"])
    unknown = stage.me_status("rebuild", "--customer", "001Sd0000000099")
    assert (1, "") == (unknown.code, unknown.out)
    assert "001Sd0000000099IAA is not a customer" in unknown.err


def test_the_schedule_runs_what_is_due_and_stops_when_asked(stage: Stage) -> None:
    """A process of its own: SIGTERM ends it with exit 0, nothing on standard output, no run left open."""
    stage.add_customers(1)
    kept = subprocess.Popen(
        [COMMAND, "schedule"],
        env=os.environ | stage.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for_runs(stage)
        kept.send_signal(signal.SIGTERM)
        out, err = kept.communicate(timeout=60)
    finally:
        kept.kill()
    assert (0, "") == (kept.returncode, out)
    assert '"event": "schedule kept"' in err
    assert [] == stage.rows("select 1 from job_run where outcome = 'running' or due_at is null")


def _wait_for_runs(stage: Stage) -> None:
    for _ in range(300):
        if len(stage.rows("select 1 from job_run where finished_at is not null")) >= 3:
            return
        time.sleep(0.2)
    raise AssertionError("nothing was run")
