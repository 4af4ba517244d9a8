"""Every command in hostile hands: wrong options, settings, credentials and answers, said in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.stage import Stage

COMMANDS = (
    "demo", "migrate", "run", "rebuild", "schedule", "serve",
    "status", "doctor", "explain", "held", "announce", "export",
)  # fmt: skip


WRONG = {
    "": "COMMAND",
    "nonsense": "nonsense",
    "run": "JOB",
    "run nonsense": "nonsense",
    "run refresh --as-of 2026-03-01T09:00:00": "names no offset",
    "run refresh --as-of yesterday": "is not an instant",
    "run refresh --as-of 0001-01-01T00:00:00+09:00": "out of range",
    "run all --dry-run --slot": "not allowed with",
    "run all --slot --as-of 2026-03-01T09:00:00Z": "--slot",
    "run all --ful": "--ful",
    "rebuild --customer nonsense": "not an Account id",
    "explain nonsense": "not an Account id",
    "held": "list",
    "held release": "RUN",
    "held release abc": "abc",
    "held release 0": "0",
    "explain": "CUSTOMER",
    "announce --title T": "--message",
    "announce --title T --message M --url https://elsewhere.example": "not a path",
    "announce --title T --message M --customers no-such-file": "cannot be read",
    "export me_status": "--to",
    "export me_status --to x.xlsx": ".csv or .parquet",
    "export secrets --to x.csv": "not a published table",
    "export pipeline.held_run --to x.csv": "not a published table",
    "export me_status --to no/such/folder/x.csv": "cannot be written",
    "serve --port 99999": "99999",
    "serve --workers 0": "0",
    "demo --customers 1 --days 0": "0",
}
"""What is written, and a word of the complaint."""


def test_wrong_use_exits_2_and_says_how(stage: Stage) -> None:
    """Nothing on standard output, no traceback, nothing written."""
    for words, says in WRONG.items():
        done = stage.me_status(*words.split())
        assert (2, "", True) == (done.code, done.out, says in done.err), (words, done)
        assert "Traceback" not in done.err
    assert [(0,)] == stage.rows("select count(*) from job_run")


def test_each_command_explains_itself(stage: Stage) -> None:
    """--help exits 0; the overview names every command and the exit codes."""
    overview = stage.me_status("--help").out
    assert "Exit codes: 0 success, 1 failed" in overview
    for command in COMMANDS:
        assert 0 == stage.me_status(command, "--help").code
        assert command in overview


def test_all_missing_and_wrong_settings_are_named_at_once(stage: Stage) -> None:
    """Exit 2 before anything is read or written."""
    for name in ("WHMCS_URL", "WHMCS_SECRET", "SALESFORCE_CONSUMER_SECRET"):
        stage.monkeypatch.delenv(name)
    Path("tasks.toml").write_text("nonsense = true\n", encoding="utf-8")
    stage.monkeypatch.setenv("ME_STATUS_TASKS", "tasks.toml")
    stage.monkeypatch.setenv("ME_STATUS_FIELDS", "no-such.toml")
    done = stage.run("all")
    assert (2, "") == (done.code, done.out)
    for name in ("WHMCS_URL", "WHMCS_SECRET", "SALESFORCE_CONSUMER_SECRET", "tasks.toml", "no-such.toml"):
        assert name in done.err
    stage.monkeypatch.setenv("ME_STATUS_TIMEZONE", "Mars/Olympus")
    stage.monkeypatch.setenv("SALESFORCE_INSTANCE_URL", "http://example.org")
    done = stage.me_status("status")
    assert 2 == done.code
    assert "Mars/Olympus" in done.err
    assert "SALESFORCE_INSTANCE_URL" in done.err
    assert [(0,)] == stage.rows("select count(*) from job_run")


@pytest.mark.parametrize(
    ("setting", "value", "job", "says"),
    [
        ("SALESFORCE_CONSUMER_SECRET", "wrong-secret", "sync-salesforce", "Salesforce"),
        ("WHMCS_SECRET", "wrong-secret", "sync-whmcs", "WHMCS"),
        ("SALESFORCE_INSTANCE_URL", "http://127.0.0.1:1", "sync-salesforce", "Salesforce"),
        ("WHMCS_URL", "http://127.0.0.1:1", "sync-whmcs", "WHMCS"),
        ("WHMCS_URL", "http://localhost:1/billing", "sync-whmcs", "WHMCS"),
    ],
)
def test_a_source_that_refuses_is_named_with_its_answer(
    stage: Stage, setting: str, value: str, job: str, says: str
) -> None:
    """Exit 1, no record applied, no secret shown; `run all` applies the other and refreshes."""
    stage.add_customers(2)
    stage.monkeypatch.setenv(setting, value)
    done = stage.run(job)
    assert (1, True, False) == (done.code, says in done.err, "wrong-secret" in done.out + done.err)
    assert "Traceback" not in done.err
    tables = ("account", "client", "invoice", "service")
    assert all([(0,)] == stage.rows(f"select count(*) from snapshot.{table}") for table in tables)
    whole = stage.run("all", "--json")
    assert (1, "failed") == (whole.code, whole.answer["outcome"])
    assert {job: "failed"} == {
        run["job"]: run["outcome"] for run in whole.answer["runs"] if run["outcome"] != "succeeded"
    }
    assert says in next(run["error"] for run in whole.answer["runs"] if run["job"] == job)
    state = stage.me_status("status", "--json").answer
    assert says in str(state["sources"][job.removeprefix("sync-")]["error"])


def test_a_malformed_record_is_set_aside_and_a_malformed_page_fails(stage: Stage) -> None:
    """A set-aside record: exit 3, the rest is applied, `status` lists it. A malformed page: exit 1, nothing lost."""
    stage.add_customers(3)
    stage.add_due_invoices(2)
    stage.install.tables["invoices"].change(2, duedate="2026-02-30")
    done = stage.run("all", "--json")
    assert (3, "succeeded") == (done.code, done.answer["outcome"]), done.out
    assert [(1,)] == stage.rows("select invoice_id from snapshot.invoice order by 1")
    (set_aside,) = stage.me_status("status", "--json").answer["problems"]["refusedRecords"]
    assert ("invoice", "2") == (set_aside["stream"], set_aside["recordId"])
    stage.later(minutes=5)
    stage.install.faults.add("html", "GetInvoices", times=None)
    assert 1 == stage.run("sync-whmcs").code
    assert [(1,)] == stage.rows("select count(*) from snapshot.invoice")


def test_announcing_to_a_list(stage: Stage) -> None:
    """Ids of either length, blank lines and merged accounts pass; who is not a customer is named and not notified."""
    first, second, _ = stage.add_customers(3)
    stage.run("all")
    Path("ids.txt").write_text(f"{first}\n\n{second[:15]}\r\nnonsense\n001Sd0000000099IAA\n{first}\n", encoding="utf-8")
    words = ("announce", "--title", "Maintenance", "--message", "Sunday {02:00}", "--customers", "ids.txt")
    done = stage.me_status(*words, "--as-of", stage.now, "--json")
    assert (0, 2, ["001Sd0000000099IAA", "nonsense"]) == (done.code, done.answer["sent"], done.answer["unknown"])
    assert [(first, "Sunday {02:00}"), (second, "Sunday {02:00}")] == stage.rows(
        "select customer_id, message from notification order by 1"
    )
    assert "nonsense is not a customer" in done.err


def test_announcing_beyond_the_gate_needs_a_yes(stage: Stage) -> None:
    """101 customers: without a terminal and --yes nothing is sent; exit 1, also as one JSON object."""
    stage.add_customers(101)
    stage.run("all")
    words = ("announce", "--title", "Hello", "--message", "All", "--as-of", stage.now)
    asked = stage.me_status(*words, "--json")
    assert (1, 0, 101, 100) == (
        asked.code,
        asked.answer["sent"],
        asked.answer["needsConfirmation"]["customers"],
        asked.answer["needsConfirmation"]["limit"],
    )
    assert "--yes" in stage.me_status(*words).err
    assert [(0,)] == stage.rows("select count(*) from notification")
    assert (0, 101) == (stage.me_status(*words, "--yes").code, stage.rows("select count(*) from notification")[0][0])
    assert 0 == stage.me_status("held", "list").code


def test_every_command_that_reports_prints_one_json_object(stage: Stage) -> None:
    """Standard output is for the answer alone; logs go to standard error."""
    stage.add_customers(2)
    for words in (
        "migrate", "run all", "run prune", "run refresh --dry-run", "rebuild", "rebuild --dry-run", "status", "doctor",
        "explain 1", "held list", "announce --title T --message M", "export me_status --to out.csv",
    ):  # fmt: skip
        done = stage.me_status(*words.split(), "--json")
        assert done.answer, words
        assert 1 == len(done.out.splitlines()), words
