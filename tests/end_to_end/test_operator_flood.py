"""The flood gate as an operator meets it: what is held, what goes on, and what release and discard do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.stage import Stage


def held_run(stage: Stage, invoices: int = 101) -> int:
    """A run that the gate holds: so many invoices due of three customers, the first having most."""
    stage.add_customers(3)
    stage.add_due_invoices(invoices - 2)
    stage.add_due_invoices(1, client=2)
    stage.add_due_invoices(1, client=3)
    run = stage.run("all", "--json")
    assert 3 == run.code, run.out + run.err
    found: int = run.answer["runs"][-1]["runId"]
    return found


def sent(stage: Stage) -> int:
    ((count,),) = stage.rows("select count(*) from notification")
    return int(count)


@pytest.mark.parametrize(("invoices", "code", "notified"), [(100, 0, 100), (101, 3, 0)])
def test_a_hundred_of_a_type_go_out_and_one_more_is_held(stage: Stage, invoices: int, code: int, notified: int) -> None:
    """The limit is max(100, ...): at it passes, beyond it is held."""
    stage.add_customers(1)
    stage.add_due_invoices(invoices)
    run = stage.run("all", "--json")
    assert (code, notified) == (run.code, sent(stage)), run.out
    assert ["succeeded", "succeeded", "held" if code else "succeeded"] == [one["outcome"] for one in run.answer["runs"]]
    assert [("held" if code else "succeeded",)] == stage.rows("select outcome from job_run where job = 'refresh'")


@pytest.mark.parametrize(
    ("sent_before", "days_ago", "invoices", "code"),
    [
        (60, "1 day", 120, 0),
        (60, "1 day", 121, 3),
        (60, "35 days", 120, 0),
        (60, "35 days 1 second", 120, 3),
        (50, "1 day", 101, 3),
    ],
)
def test_twice_the_most_of_35_days_goes_out(
    stage: Stage, sent_before: int, days_ago: str, invoices: int, code: int
) -> None:
    """2 x the most one run sent of the type; what is older than 35 days no longer counts."""
    stage.rows(
        "insert into pipeline.sent_count (run_id, type, sent_at, sent)"
        f" values (900, 'INVOICE_DUE', timestamptz '{stage.now}' - interval '{days_ago}', {sent_before}),"
        f" (901, 'INVOICE_DUE', timestamptz '{stage.now}' - interval '1 hour', 1),"
        f" (902, 'ORDER_FAILED', timestamptz '{stage.now}' - interval '1 hour', 5000) returning 1"
    )
    stage.add_customers(1)
    stage.add_due_invoices(invoices)
    assert code == stage.run("all").code


def test_the_rest_goes_on_while_a_run_is_held(stage: Stage) -> None:
    """Snapshot and documents are up to date, later clean runs exit 0, `status` exits 1 until it is decided."""
    run_id = held_run(stage)
    assert [(99, 1), (1, 1), (1, 1)] == stage.rows(
        "select unpaid_invoice_count, task_count from me_status order by whmcs_client_id"
    )
    stage.later(minutes=5)
    stage.org.update("Account", stage.customers[2], Internet_Eligibility_Status__c="Eligible")
    assert 0 == stage.run("all").code
    assert [("ELIGIBILITY_ELIGIBLE",)] == stage.rows("select type from notification")
    state = stage.me_status("status", "--json")
    assert (1, False, [run_id]) == (
        state.code,
        state.answer["healthy"],
        [held["runId"] for held in state.answer["held"]],
    )


def test_what_is_held_is_listed_in_plain_words(stage: Stage) -> None:
    """What would go out, to how many, which limit tripped, and a few of whom; the same as JSON."""
    run_id = held_run(stage)
    printed = stage.me_status("held", "list")
    assert 0 == printed.code
    for words in (
        f"run {run_id} is held by the flood gate since {stage.now}",
        "INVOICE_DUE",
        "101 notifications to 3 customers",
        "beyond the limit of 100",
        stage.customers[0],
        f"me-status held release {run_id}",
        f"me-status held discard {run_id}",
    ):
        assert words in printed.out
    (held,) = stage.me_status("held", "list", "--json").answer["held"]
    due: dict[str, Any] = held["summary"]["types"]["INVOICE_DUE"]
    assert (run_id, "flood", 101, 3, 100, True) == (
        held["runId"],
        held["gate"],
        due["notifications"],
        due["recipients"],
        due["limit"],
        due["isBeyondLimit"],
    )


def test_release_sends_what_was_held_once(stage: Stage) -> None:
    """created_at is the release's now; releasing again, or discarding afterwards, is harmless and exits 0."""
    run_id = held_run(stage)
    stage.later(hours=3)
    released = stage.me_status("held", "release", run_id, "--as-of", stage.now)
    assert (0, True) == (released.code, "101 sent" in released.out)
    assert [(101, True)] == stage.rows(f"select count(*), bool_and(created_at = '{stage.now}') from notification")
    for action in ("release", "discard"):
        again = stage.me_status("held", action, run_id)
        assert (0, True) == (again.code, f"run {run_id} was released before" in again.out)
    assert 101 == sent(stage)
    assert [("succeeded",)] == stage.rows(f"select outcome from job_run where run_id = {run_id}")
    assert [(run_id, "released", 101, 0)] == stage.rows(
        "select run_id, decision, sent, waiting from analytics.gate_decision"
    )
    assert [(101,)] == stage.rows("select sum(sent)::int from analytics.run_notification")
    assert "nothing is held" in stage.me_status("held", "list").out


def test_a_released_run_raises_the_limit_and_a_discarded_one_does_not(stage: Stage) -> None:
    """Discarded, nothing was sent: the next flood of the same size is held again."""
    run_id = held_run(stage)
    assert 0 == stage.me_status("held", "discard", run_id, "--as-of", stage.now).code
    assert 0 == sent(stage)
    assert [("discarded",)] == stage.rows(f"select outcome from job_run where run_id = {run_id}")
    assert [("discarded", 0, 101)] == stage.rows("select decision, sent, discarded from analytics.gate_decision")
    stage.later(hours=25)
    again = stage.run("all", "--json")
    assert 3 == again.code
    last = again.answer["runs"][-1]["runId"]
    assert 0 == stage.me_status("held", "release", last, "--as-of", stage.now).code
    stage.add_due_invoices(101)
    stage.later(hours=25)
    assert (0, 101 + 202) == (stage.run("all").code, sent(stage))


def test_discarding_twice_is_harmless(stage: Stage) -> None:
    """Exit 0, and it says so."""
    run_id = held_run(stage)
    stage.me_status("held", "discard", run_id, "--as-of", stage.now)
    for action in ("discard", "release"):
        again = stage.me_status("held", action, run_id, "--json")
        assert (0, False, "discarded") == (again.code, again.answer["changed"], again.answer["decision"])
    assert 0 == sent(stage)


def test_a_run_that_was_never_held_is_refused(stage: Stage) -> None:
    """Named, with the command that lists those that are."""
    for action in ("release", "discard"):
        refused = stage.me_status("held", action, 4711)
        assert (1, "", True) == (refused.code, refused.out, "run 4711 was never held" in refused.err)


def test_dedupe_is_judged_at_the_release(stage: Stage) -> None:
    """What was sent within its window meanwhile is suppressed and recorded."""
    run_id = held_run(stage)
    stage.rows(
        "insert into pipeline.notification_window (customer_id, type, source_id, last_sent_at)"
        f" select customer_id, type, source_id, '{stage.now}' from pipeline.notification_outbox"
        " where source_id = '1' returning 1"
    )
    stage.later(hours=1)
    released = stage.me_status("held", "release", run_id, "--as-of", stage.now, "--json").answer
    assert ({"INVOICE_DUE": 100}, {"INVOICE_DUE": 1}) == (released["sent"], released["suppressed"])


def test_what_no_longer_stands_is_sent_and_then_resolved(stage: Stage) -> None:
    """A release sends exactly what was held; the next refresh marks as resolved what is over."""
    run_id = held_run(stage)
    stage.install.pay_invoice(1)
    stage.later(hours=1)
    assert 0 == stage.run("all").code
    stage.me_status("held", "release", run_id, "--as-of", stage.now)
    assert 101 == sent(stage)
    stage.later(minutes=1)
    assert 0 == stage.run("refresh").code
    assert [("1",)] == stage.rows("select source_id from notification where resolved_at is not null")


def test_a_customer_deleted_or_merged_meanwhile(stage: Stage) -> None:
    """A merged one's notifications go to the winner; a deleted one's are listed nowhere."""
    run_id = held_run(stage)
    winner, loser, gone = stage.customers
    stage.later(minutes=5)
    stage.org.merge(winner, loser)
    stage.org.delete("Account", gone)
    assert 0 == stage.run("all").code
    assert 0 == stage.me_status("held", "release", run_id, "--as-of", stage.now).code
    assert [(winner, 100), (gone, 1)] == stage.rows(
        "select customer_id, count(*) from notification group by 1 order by 2 desc"
    )
    assert [(winner,)] == stage.rows("select customer_id from me_status")
