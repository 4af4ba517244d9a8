"""`run --dry-run`: what would change, per type and for whom, and a database that is the same afterwards."""

from __future__ import annotations

from datetime import date
from threading import Lock

import pytest

from tests.end_to_end.stage import Stage


@pytest.fixture
def changed(stage: Stage) -> Stage:
    """Three customers known; since then one became eligible, one owes an invoice that is due, one was deleted."""
    stage.add_customers(3)
    assert 0 == stage.run("all").code
    stage.later(minutes=5)
    first, _, gone = stage.customers
    stage.org.update("Account", first, Internet_Eligibility_Status__c="Eligible")
    stage.add_due_invoices(1, client=2)
    stage.org.delete("Account", gone)
    return stage


@pytest.mark.parametrize("job", ["sync-salesforce", "sync-whmcs", "refresh", "prune", "all"])
def test_nothing_at_all_is_written(changed: Stage, job: str) -> None:
    """Every row of every table is the same before and after; only sequences move, as they do for any rollback."""
    changed.rows("delete from job_run where job = 'prune' returning 1")
    before = changed.everything()
    for form in ((), ("--json",), ("--full", "--accept-shrink")):
        assert 0 == changed.run(job, "--dry-run", *form).code
        assert before == changed.everything()


def test_the_whole_is_rehearsed_for_whom_and_of_which_type(changed: Stage) -> None:
    """Each job builds on what the one before would have written."""
    first, second, _ = changed.customers
    answer = changed.run("all", "--dry-run", "--json").answer
    assert ("all", "succeeded", True) == (answer["job"], answer["outcome"], answer["dryRun"])
    crm, billing, refresh = answer["runs"]
    assert [("eligibility_status", "eligible", 1, [first])] == [
        (row["field"], row["newValue"], row["transitions"], row["customers"]) for row in crm["transitions"]
    ]
    assert (2, 1) == (crm["concerned"]["customers"], billing["concerned"]["customers"])
    assert {"customers": 2, "samples": [first, second]} == refresh["concerned"]
    assert [("ELIGIBILITY_ELIGIBLE", 1, 1, [first]), ("INVOICE_DUE", 1, 1, [second])] == [
        (row["type"], row["notifications"], row["recipients"], row["samples"]) for row in refresh["notifications"]
    ]
    assert (1, [None] * 3) == (refresh["counts"]["removed"], [run["runId"] for run in answer["runs"]])


def test_people_read_counts_and_samples(changed: Stage) -> None:
    """A line per stream, transition and type, and that nothing was written."""
    first, second, _ = changed.customers
    rehearsed = changed.run("all", "--dry-run").out
    for line in (
        f"  1 x account eligibility_status not_requested -> eligible, such as {first}",
        "  invoice: 1 added of 1 read",
        f"  2 documents would change, such as {first}, {second}",
        f"  1 x INVOICE_DUE to 1 customer, such as {second}",
        "dry run: nothing was written",
    ):
        assert line in rehearsed.splitlines()


def test_the_run_that_follows_does_what_was_said(changed: Stage) -> None:
    """The very same code, once rolled back and once not."""
    rehearsed = changed.run("all", "--dry-run", "--json").answer["runs"]
    done = changed.run("all", "--json").answer["runs"]
    for part in ("counts", "transitions", "notifications", "outcome"):
        assert [run[part] for run in rehearsed] == [run[part] for run in done]


def test_a_flood_is_announced(stage: Stage) -> None:
    """Exit 3, what the gate would hold, and nothing held afterwards."""
    stage.add_customers(1)
    stage.add_due_invoices(101)
    before = stage.everything()
    rehearsed = stage.run("all", "--dry-run")
    assert (3, before) == (rehearsed.code, stage.everything())
    assert "refresh: 1 document changed, 0 notifications; the flood gate would hold it" in rehearsed.out
    assert "INVOICE_DUE: 101 notifications to 1 customer, beyond the limit of 100" in rehearsed.out
    assert "nothing is held" in stage.me_status("held", "list").out


def test_a_shrink_is_announced(stage: Stage) -> None:
    """The same for removals; with --accept-shrink they would go."""
    stage.add_customers(30)
    assert 0 == stage.run("all").code
    stage.later(minutes=5)
    for account in stage.customers[:20]:
        stage.org.hard_delete("Account", account)
    before = stage.everything()
    held = stage.run("sync-salesforce", "--full", "--dry-run")
    assert (3, before) == (held.code, stage.everything())
    assert "account: 20 records of 30, too many (the gate holds 5 % and 10 rows), such as " in held.out
    gone = stage.run("sync-salesforce", "--full", "--dry-run", "--accept-shrink", "--json")
    assert (0, 20) == (gone.code, gone.answer["counts"]["account"]["removed"])
    assert before == stage.everything()


def test_a_failure_is_rehearsed_without_a_trace(changed: Stage) -> None:
    """The source's health is not noted either; the other source and the refresh are still rehearsed."""
    changed.monkeypatch.setenv("WHMCS_SECRET", "wrong-secret")
    before = changed.everything()
    done = changed.run("all", "--dry-run", "--json")
    assert (1, ["succeeded", "failed", "succeeded"]) == (done.code, [run["outcome"] for run in done.answer["runs"]])
    assert "wrong-secret" not in done.out + done.err
    assert before == changed.everything()


def test_time_alone_is_rehearsed(stage: Stage) -> None:
    """--as-of says of when; the documents of that day would change."""
    stage.add_customers(1)
    stage.add_due_invoices(1, due=date(2026, 4, 30))
    assert 0 == stage.run("all").code
    rehearsed = stage.me_status("run", "refresh", "--dry-run", "--as-of", "2026-04-25T00:00:00+09:00", "--json").answer
    assert {"customers": 1, "samples": stage.customers} == rehearsed["concerned"]


def test_nothing_is_held_while_a_source_is_asked(changed: Stage) -> None:
    """Every row is free at each page of WHMCS, though Salesforce was pulled before: customers may mark their news."""
    pages: list[str] = []
    one_looks = Lock()

    def look(action: str, _: dict[str, str]) -> None:
        with one_looks:
            pages.append(action)
            for table in ("notification", "me_status", "snapshot.account", "snapshot.invoice", "pipeline.refresh_mark"):
                changed.rows(f"select 1 from {table} for update nowait")
            assert [(0,)] == changed.rows(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and state like 'idle in transaction%'"
            )

    changed.install.after_page = look
    rehearsed = changed.run("all", "--dry-run", "--full", "--accept-shrink", "--json").answer
    assert ("succeeded", {"GetInvoices", "GetClients"}) == (
        rehearsed["outcome"],
        {"GetInvoices", "GetClients"} & {*pages},
    )


def test_what_is_gone_is_looked_up_outside_too(changed: Stage) -> None:
    """A removal is confirmed before the rehearsal that counts it."""
    assert 0 == changed.run("sync-whmcs").code
    changed.install.delete("invoices", next(iter(changed.install.tables["invoices"].keys())))
    before = changed.everything()
    rehearsed = changed.run("all", "--dry-run", "--accept-shrink", "--json").answer["runs"]
    assert (1, before) == (rehearsed[1]["counts"]["invoice"]["removed"], changed.everything())
