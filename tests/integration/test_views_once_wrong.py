"""What views of the first version got wrong, one small case a line: each is a number somebody once believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from config import schedule
from config.database import LiveDatabase
from jobs import published
from jobs.migrate import head
from jobs.runs import prune
from tests.builders import rules

NOTIFY = """
    insert into notification (customer_id, type, source_id, title, message, action_url, created_at, read_at, run_id)
    select 'c', 'INVOICE_DUE', 's', 't', 'm', '/', '{at}', case when number <= {read} then now() end, 1
    from generate_series(1, {sent}) as number
"""


class Asked:
    """A connection whose changes are undone at the end; its session's zone is not the business zone, which is Tokyo."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def given(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement)  # type: ignore[arg-type]

    def answer(self, question: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(question).fetchall()  # type: ignore[arg-type]


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/New_York"])
def asked(request: pytest.FixtureRequest, module_database_url: str) -> Iterator[Asked]:
    with psycopg.connect(module_database_url, options=f"-c timezone={request.param}") as connection:
        asked = Asked(connection)
        asked.given(
            "set local session_replication_role = replica",
            "update pipeline.published_setting set zone = 'Asia/Tokyo'",
            "insert into job_run (job, started_at, finished_at, outcome)"
            " values ('refresh', '2026-03-10T16:30:00Z', '2026-03-10T16:30:00Z', 'succeeded')",
        )
        yield asked
        connection.rollback()


def serve(asked: Asked, customer: str, client: int) -> None:
    """A customer that is served the client."""
    asked.given(
        "insert into me_status (customer_id, salesforce_account_id, whmcs_client_id, eligibility_status,"
        " verification_status, task_count, document, content_hash, computed_at, rules_version, run_id)"
        f" values ('{customer}', 'a', {client}, 'eligible', 'verified', 0, '{{}}', 'h', now(), 'v', 1)"
    )


def test_an_invoice_is_overdue_by_the_business_date(asked: Asked) -> None:
    """At 16:30 UTC Tokyo has the 11th: what was due on the 10th is a day late, in whatever zone one asks."""
    serve(asked, "c", 1)
    asked.given(
        "insert into snapshot.invoice (invoice_id, client_id, status, total, currency, due_on)"
        " values (1, 1, 'Unpaid', 10, 'JPY', '2026-03-10'), (2, 1, 'Unpaid', 10, 'JPY', '2026-03-11')"
    )
    assert [("01-07 days", 1, 1)] == asked.answer("select age, customers, invoices from analytics.overdue_by_age")


def test_every_invoice_of_a_customer_is_counted_and_so_are_those_without_currency(asked: Asked) -> None:
    """One customer, two invoices late by different times, one of which names no currency and one no amount."""
    serve(asked, "c", 1)
    asked.given(
        "insert into snapshot.invoice (invoice_id, client_id, status, total, currency, due_on)"
        " values (1, 1, 'Unpaid', 10, 'JPY', '2026-03-05'), (2, 1, 'Unpaid', 5, null, '2026-01-05'),"
        " (3, 1, 'Unpaid', null, 'JPY', '2026-03-05')"
    )
    assert [("01-07 days", "JPY", 1, 2, 1, 10), ("61-90 days", "unknown", 1, 1, 0, 5)] == asked.answer(
        "select age, currency, customers, invoices, invoices_without_amount, amount"
        " from analytics.overdue_by_age order by 1"
    )
    assert [("JPY", 2, 1, 10), ("unknown", 1, 0, 5)] == asked.answer(
        "select currency, unpaid_invoices, invoices_without_amount, amount_due"
        " from analytics.amount_due_by_currency order by 1"
    )


def test_days_are_business_days(asked: Asked) -> None:
    """A quarter past midnight in Tokyo is the new day there, and the one before in UTC."""
    asked.given(
        NOTIFY.format(at="2026-03-09T15:15:00Z", sent=1, read=0),
        "insert into status_transition (customer_id, entity, entity_id, field, old_value, new_value, observed_at,"
        " run_id) values ('c', 'case', 'k', 'status', 'New', 'Working', '2026-03-09T15:15:00Z', 1)",
    )
    assert [(date(2026, 3, 10),)] == asked.answer("select sent_on from analytics.notifications_per_day")
    assert [(date(2026, 3, 10),)] == asked.answer("select observed_on from analytics.transitions_per_day")


def test_an_invoice_made_and_paid_has_one_clock(asked: Asked) -> None:
    """Made at noon and paid at 15:00 by the source; the clock of the run that saw both is not mixed in."""
    asked.given(
        "insert into snapshot.invoice (invoice_id, client_id, status, status_known, created_at, paid_at)"
        " values (1, 1, 'Paid', 'Paid', '2026-03-08T12:00:00Z', '2026-03-08T15:00:00Z')",
        "insert into status_transition (entity, entity_id, field, old_value, new_value, observed_at,"
        " source_changed_at, run_id)"
        " values ('invoice', '1', 'status', 'Unpaid', 'Paid', '2026-03-07T00:00:00Z', '2026-03-08T15:00:00Z', 1)",
    )
    assert [("Unpaid", "source", 3, True), ("Paid", "source", None, False)] == asked.answer(
        "select status, clock, hours, is_first_observation from analytics.time_in_status order by hours"
    )


def test_an_invoice_that_never_changed_has_a_row(asked: Asked) -> None:
    """Its first status, marked as such; it lasts since it was made."""
    asked.given(
        "insert into snapshot.invoice (invoice_id, client_id, status, status_known, created_at)"
        " values (1, 1, 'Unpaid', 'Unpaid', '2026-03-08T12:00:00Z')"
    )
    assert [("Unpaid", True, True, datetime(2026, 3, 8, 12, tzinfo=UTC))] == asked.answer(
        "select status, is_first_observation, is_current, entered_at from analytics.time_in_status"
    )
    assert [] == asked.answer("select 1 from status_transition")


def test_a_review_ends_when_the_mapped_field_says(asked: Asked) -> None:
    """Submitted at 08:00 and reviewed at 09:00, an hour, though the record was touched again at 18:00."""
    asked.given(
        "insert into snapshot.account (account_id, is_customer, eligibility_status, verification_status,"
        " verification_known, verification_submitted_at, verification_reviewed_at, modified_at)"
        " values ('c', true, 'unknown', 'verified', 'verified', '2026-03-08T08:00:00Z', '2026-03-08T09:00:00Z',"
        " '2026-03-08T18:00:00Z')",
        "insert into status_transition (customer_id, entity, entity_id, field, old_value, new_value, observed_at,"
        " source_changed_at, run_id) values ('c', 'account', 'c', 'verification_status', 'submitted', 'verified',"
        " '2026-03-08T18:05:00Z', '2026-03-08T09:00:00Z', 1)",
    )
    assert [("verified", "source", 1)] == asked.answer("select outcome, clock, hours from analytics.verification")


@pytest.mark.parametrize("run_of_end", [2, 3], ids=["seen in one run", "seen a run later"])
def test_a_completed_cancellation_is_not_open(asked: Asked, run_of_end: int) -> None:
    """Nor when request and end were seen in one run, of which the end was noted first."""
    asked.given(
        "insert into snapshot.service (service_id, client_id, status, status_known)"
        " values (7, 1, 'Cancelled', 'Cancelled')",
        "insert into snapshot.cancellation (cancellation_id, service_id) values (1, 7)",
        "insert into status_transition (transition_id, entity, entity_id, field, old_value, new_value, observed_at,"
        f" run_id) overriding system value values ({run_of_end}0, 'service', '7', 'status', 'Active', 'Cancelled',"
        f" '2026-03-0{run_of_end}T00:00:00Z', {run_of_end}),"
        " (25, 'service', '7', 'cancellation_requested', null, 'Immediate', '2026-03-02T00:00:00Z', 2)",
    )
    assert [("completed", run_of_end - 2)] == asked.answer("select outcome, days from analytics.cancellation")
    assert [("service ended", False)] == asked.answer(
        "select next_status, is_current from analytics.time_in_status where field = 'cancellation_requested'"
    )


def test_a_request_of_the_baseline_that_was_withdrawn_is_counted(asked: Asked) -> None:
    """Only its end was seen."""
    asked.given(
        "insert into snapshot.service (service_id, client_id, status) values (7, 1, 'Active')",
        "insert into status_transition (entity, entity_id, field, old_value, new_value, observed_at, run_id)"
        " values ('service', '7', 'cancellation_requested', 'Immediate', null, '2026-03-02T00:00:00Z', 2)",
    )
    assert [("Immediate", True, "withdrawn")] == asked.answer(
        "select kind, is_first_observation, outcome from analytics.cancellation"
    )


def test_what_left_its_source_lasts_no_longer(asked: Asked) -> None:
    """An invoice that was deleted is not Unpaid to this day."""
    asked.given(
        "insert into status_transition (entity, entity_id, field, old_value, new_value, observed_at, run_id)"
        " values ('invoice', '1', 'status', 'Draft', 'Unpaid', '2026-03-02T00:00:00Z', 2)"
    )
    assert [("Draft", "Unpaid", False), ("Unpaid", "gone", False)] == asked.answer(
        "select status, next_status, is_current from analytics.time_in_status order by status"
    )


def test_settings_publish_what_figures_depend_on(database: LiveDatabase) -> None:
    """Zone, limits, retention, version of the rules, revision of the schema: those of the run."""
    of_run, loaded = rules("Asia/Tokyo"), schedule.load()
    published.note_settings(database, of_run, loaded)
    limits, kept = loaded.freshness_minutes, loaded.retention_days
    with database.begin() as connection:
        found = connection.exec_driver_sql("select * from analytics.settings").mappings().one()
    expected = {
        "zone": "Asia/Tokyo", "invoice_due_days": 7, "card_expiring_days": 30, "rules_version": of_run.version,
        "schema_revision": head(), "salesforce_freshness_minutes": limits.salesforce,
        "whmcs_freshness_minutes": limits.whmcs, "pay_methods_freshness_minutes": limits.pay_methods,
        "balances_freshness_minutes": limits.balances, "history_retention_days": kept.history,
        "notifications_retention_days": kept.notifications, "change_feed_retention_days": kept.change_feed,
    }  # fmt: skip
    assert expected == {name: found[name] for name in expected}


def test_a_prune_moves_no_share(database: LiveDatabase, database_url: str) -> None:
    """Read and unread go alike, by whole days: what is said of the days that stay is what was said before."""
    share = "select sent, read from analytics.notification_funnel"
    with psycopg.connect(database_url) as connection:
        connection.execute(NOTIFY.format(at="2024-01-01T00:00:00Z", sent=20, read=19))  # type: ignore[arg-type]
        connection.execute(NOTIFY.format(at="2026-03-01T00:00:00Z", sent=10, read=3))  # type: ignore[arg-type]
    pruned = prune.prune(database, schedule.load().retention_days, now=datetime(2026, 3, 10, tzinfo=UTC))
    with psycopg.connect(database_url) as connection:
        assert (20, [(10, 3)]) == (pruned["notifications"], connection.execute(share).fetchall())
