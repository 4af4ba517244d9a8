"""`verify` and the plan of `rebuild --dry-run`, as an operator runs them."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.end_to_end.stage import Stage


def test_what_was_synced_is_proved_and_a_loss_is_named(stage: Stage) -> None:
    """Exit 0 when equal, 3 when not, 1 when a source cannot be asked; `status` is not healthy while one differs."""
    stage.add_customers(5)
    first, *_ = stage.add_due_invoices(3)
    assert 0 == stage.run("all").code
    proved = stage.me_status("verify", "--json")
    assert (0, True) == (proved.code, proved.answer["equal"])
    streams = {one["stream"]: one for source in proved.answer["sources"] for one in source["streams"]}
    assert {"account", "order", "case", "client", "service", "invoice", "cancellation"} == set(streams)
    assert {stage.now} == {one["provedThrough"] for one in streams.values()}
    with psycopg.connect(stage.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("delete from snapshot.invoice where invoice_id = %s", (first,))
    lost = stage.me_status("verify", "--source", "whmcs")
    assert 3 == lost.code
    assert f"whmcs invoice: differs, proved through {stage.now}" in lost.out
    assert "  Unpaid: 3 at the source, 2 in the snapshot" in lost.out
    state = stage.me_status("status", "--json").answer
    assert (False, "differs") == (state["healthy"], state["proof"]["invoice"]["verdict"])
    assert "stream-differs" in {reason["kind"] for reason in state["reasons"]}
    assert 0 == stage.me_status("verify", "--source", "salesforce").code
    stage.org.faults.add("status", times=None)
    assert 1 == stage.me_status("verify", "--source", "salesforce").code


def test_the_plan_of_other_rules_says_what_would_be_sent(stage: Stage) -> None:
    """Invoices due within 60 days rather than 7: the dry run names them, a refresh after a rebuild sends them.

    A refresh recomputes the document by itself, and notifies nobody because of it.
    """
    stage.add_customers(1)
    stage.add_due_invoices(2, due=stage.clock.now().date().replace(month=4))
    assert 0 == stage.run("all").code
    Path("rules.toml").write_text("[types.INVOICE_DUE]\ndays_ahead = 60\n")
    stage.monkeypatch.setenv("ME_STATUS_NOTIFICATIONS", "rules.toml")
    plan = stage.me_status("rebuild", "--dry-run", "--as-of", stage.now, "--json")
    assert {"sent": {"INVOICE_DUE": 2}, "suppressed": {}, "held": None} == plan.answer["notifications"]
    assert "the next refresh would send 2 notifications of INVOICE_DUE" in stage.me_status(
        "rebuild", "--dry-run", "--as-of", stage.now
    ).out  # fmt: skip
    assert ({}, 1) == (lambda counts: (counts["sent"], counts["recomputed"]))(
        stage.run("refresh", "--json").answer["counts"]
    )
    assert ({}, 0) == (lambda counts: (counts["sent"], counts["recomputed"]))(
        stage.run("refresh", "--json").answer["counts"]
    )
    assert 0 == stage.me_status("rebuild", "--as-of", stage.now).code
    assert {"INVOICE_DUE": 2} == stage.run("refresh", "--json").answer["counts"]["sent"]
