"""Each view of analytics gives what is counted by hand from the base tables, whatever the reader's session zone."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

TOKYO = ZoneInfo("Asia/Tokyo")
SESSION_ZONES = ("UTC", "Asia/Tokyo", "America/Los_Angeles")
AS_OF = datetime(2026, 3, 10, 16, 30, tzinfo=UTC)
"""The now of the last run: in UTC still the 10th, in Tokyo the 11th."""
TODAY = date(2026, 3, 11)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TYPES = ("INVOICE_DUE", "ORDER_APPROVED", "VERIFICATION_REJECTED")
INVOICE_STATUSES = ("Unpaid", "Unpaid", "Unpaid", "Paid", "Cancelled", "Draft", "Payment Pending", "Odd")
TASKS = ("invoice-1", "add_payment_method", "order-8")
Row = dict[str, Any]


@dataclass
class Population:
    """Rows of the base tables by table, as they were drawn."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: str, **values: Any) -> Row:
        self.rows[table].append(values)
        return values

    def write(self, connection: psycopg.Connection) -> None:
        for table, rows in self.rows.items():
            names = list(rows[0])
            values = ", ".join(f"%({name})s" for name in names)
            connection.cursor().executemany(
                f"insert into {table} ({', '.join(names)}) overriding system value values ({values})",  # type: ignore[arg-type]
                rows,
            )


def business_day(instant: datetime) -> date:
    return instant.astimezone(TOKYO).date()


def drawn(seed: int) -> Population:
    """Some weeks of a small provider, instants at any second, so that many fall on other days in other zones."""
    draw, made = random.Random(seed), Population()
    _draw_billing(draw, made)
    _draw_messages(draw, made)
    _draw_runs(draw, made)
    _draw_history(draw, made)
    return made


def instant(draw: random.Random) -> datetime:
    return AS_OF - timedelta(seconds=draw.randrange(1, 25 * 86400))


def _draw_billing(draw: random.Random, made: Population) -> None:
    for client in range(1, 13):
        if client % 4:  # every fourth client is nobody's
            customer = f"c{client:02}"
            made.add(
                "me_status", customer_id=customer, salesforce_account_id=customer, whmcs_client_id=client,
                eligibility_status="eligible", verification_status="verified", task_count=0, document="{}",
                content_hash="h", computed_at=AS_OF, rules_version="v", run_id=1,
            )  # fmt: skip
    for number in range(1, 90):
        total = draw.choice([None, Decimal(0), Decimal(draw.randrange(1, 99999)) / 100])
        invoice = made.add(
            "snapshot.invoice", invoice_id=number, client_id=draw.randrange(1, 13),
            status=draw.choice(INVOICE_STATUSES), total=total, currency=draw.choice([None, "JPY", "USD"]),
            due_on=draw.choice([None, TODAY + timedelta(days=draw.randrange(-130, 20))]),
        )  # fmt: skip
        if draw.random() < 0.4:
            made.add(
                "snapshot.balance", invoice_id=number, client_id=invoice["client_id"],
                balance=draw.choice([Decimal(-5), Decimal(0), Decimal("12.50")]), is_mass_pay=draw.random() < 0.2,
            )  # fmt: skip


def _draw_messages(draw: random.Random, made: Population) -> None:
    for _ in range(300):
        sent = instant(draw)
        read = draw.choice([None, sent + timedelta(minutes=draw.randrange(1, 4000))])
        made.add(
            "notification", customer_id=f"c{draw.randrange(1, 13):02}", type=draw.choice(TYPES), source_id="s",
            title="t", message="m", action_url="/", created_at=sent, read_at=read,
            dismissed_at=draw.choice([None, sent + HOUR]), resolved_at=draw.choice([None, sent + DAY]), run_id=1,
        )  # fmt: skip
    for _ in range(80):
        made.add(
            "pipeline.suppressed_notification", customer_id="c01", type=draw.choice(TYPES), source_id="s",
            suppressed_at=instant(draw), reason=draw.choice(["window", "held", "discarded"]),
            run_id=draw.randrange(1, 6),
        )  # fmt: skip
    for number in range(200):
        made.add(
            "status_transition", transition_id=1000 + number, customer_id="c01", entity="invoice",
            entity_id=str(500 + number), field="status", old_value="Unpaid",
            new_value=draw.choice(["Paid", "Cancelled"]), observed_at=instant(draw), run_id=1,
        )  # fmt: skip


def _draw_runs(draw: random.Random, made: Population) -> None:
    starts = sorted(AS_OF - timedelta(minutes=draw.randrange(5, 5 * 1440)) for _ in range(60))
    for number, start in enumerate(starts, start=1):
        made.add(
            "job_run", run_id=number, job=draw.choice(["sync-salesforce", "sync-whmcs"]), started_at=start,
            finished_at=start + timedelta(seconds=30), outcome=draw.choice(["succeeded", "succeeded", "failed", "held"]),  # noqa: E501
            counts=json.dumps({"invoice": {"read": number, "added": 1}, "transitions": {"x": 1}}),
        )  # fmt: skip
    made.add(
        "job_run", run_id=100, job="refresh", started_at=AS_OF, finished_at=AS_OF, outcome="succeeded", counts="{}"
    )
    for run in range(1, 6):
        for kind in TYPES:
            made.add("pipeline.sent_count", run_id=run, type=kind, sent_at=AS_OF, sent=draw.randrange(1, 50))
        decision = draw.choice([None, "released", "discarded"])
        made.add(
            "pipeline.held_run", run_id=run, gate="flood", summary="{}", held_at=AS_OF - DAY, decision=decision,
            decided_at=None if decision is None else AS_OF - DAY + run * HOUR,
        )  # fmt: skip


def _draw_history(draw: random.Random, made: Population) -> None:
    for number in range(1, 9):
        at = AS_OF - timedelta(seconds=draw.randrange(5 * 86400, 12 * 86400))
        while at < AS_OF:
            length = timedelta(seconds=draw.randrange(1, 3 * 86400))
            is_last = at + length >= AS_OF
            unpaid = draw.choice([None, 0, 1])
            tasks = [
                {"id": task, "type": task.rstrip("-0123456789"), "about": {}} for task in TASKS if draw.random() < 0.5
            ]
            made.add(
                "me_status_history", customer_id=f"c{number:02}", valid_from=at,
                valid_to=None if is_last and number != 8 else at + length, eligibility_status="eligible",
                verification_status="verified", unpaid_invoice_count=unpaid,
                next_invoice_due_date=TODAY - timedelta(days=draw.randrange(-5, 100)) if unpaid else None,
                task_count=len(tasks), document=json.dumps({"tasks": tasks}), content_hash=str(draw.random()), run_id=1,
            )  # fmt: skip
            at += length


@dataclass
class Filled:
    """A database with a drawn population, and the population."""

    url: str
    made: Population

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """The answer, which must be the same in every session zone."""
        answers = []
        for zone in SESSION_ZONES:
            with psycopg.connect(self.url, options=f"-c timezone={zone}") as connection:
                answers.append(connection.execute(question).fetchall())  # type: ignore[arg-type]
        assert answers[0] == answers[1] == answers[2]
        return answers[0]

    def rows(self, table: str) -> list[Row]:
        return self.made.rows[table]


@pytest.fixture(params=[1, 2])
def filled(request: pytest.FixtureRequest, database_url: str) -> Filled:
    made = drawn(request.param)
    with psycopg.connect(database_url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update pipeline.published_setting set zone = 'Asia/Tokyo'")
        made.write(connection)
    return Filled(database_url, made)


def bucket(due_on: date | None, today: date = TODAY) -> str:
    """The bands, written down a second time."""
    if due_on is None:
        return "no due date"
    days = (today - due_on).days
    bands = [(0, "not overdue"), (7, "01-07 days"), (30, "08-30 days"), (60, "31-60 days"), (90, "61-90 days")]
    return next((name for most, name in bands if days <= most), "over 90 days")


def receivables(filled: Filled) -> list[Row]:
    """The invoices that are owed, with balance, bucket and customer."""
    balances = {row["invoice_id"]: row for row in filled.rows("snapshot.balance")}
    owed = []
    for invoice in filled.rows("snapshot.invoice"):
        asked = balances.get(invoice["invoice_id"])
        balance = invoice["total"] if asked is None else asked["balance"]
        is_mass_pay = asked is not None and asked["is_mass_pay"]
        if invoice["status"] == "Unpaid" and not is_mass_pay and (balance is None or balance > 0):
            client = invoice["client_id"]
            owed.append(
                invoice
                | {"balance": balance, "bucket": bucket(invoice["due_on"]), "named": invoice["currency"] or "unknown"}
                | {"customer": f"c{client:02}" if client % 4 else None}
            )
    return owed


def added(balances: list[Decimal | None]) -> Decimal | None:
    known = [balance for balance in balances if balance is not None]
    return sum(known, Decimal(0)) if known else None


def by(rows: list[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return groups


def test_settings_publish_zone_and_today(filled: Filled) -> None:
    """Today is the business date of the last run's now: the 11th in Tokyo, while UTC has the 10th."""
    assert [("Asia/Tokyo", TODAY, AS_OF)] == filled.ask("select zone, today, as_of from analytics.settings")


def test_receivables_by_age_and_currency(filled: Filled) -> None:
    """Every owed invoice once; unknown currencies and missing amounts are counted by name."""
    expected = {
        (*key, len(owed), len({row["client_id"] for row in owed}), sum(row["balance"] is None for row in owed),
         sum(row["customer"] is None for row in owed), added([row["balance"] for row in owed]))
        for key, owed in by(receivables(filled), "bucket", "named").items()
    }  # fmt: skip
    assert expected == set(
        filled.ask(
            "select age_bucket, currency, invoices, clients, invoices_without_amount, invoices_without_customer, amount"
            " from analytics.receivable_by_age"
        )
    )


def test_overdue_by_age(filled: Filled) -> None:
    """The same without what is not overdue."""
    late = [row for row in receivables(filled) if row["due_on"] is not None and row["due_on"] < TODAY]
    expected = {
        (*key, len({row["customer"] for row in owed} - {None}), len(owed))
        for key, owed in by(late, "bucket", "named").items()
    }
    assert expected == set(filled.ask("select age, currency, customers, invoices from analytics.overdue_by_age"))


def test_amount_due_by_currency(filled: Filled) -> None:
    """What customers owe; clients without a customer are left out."""
    linked = [row for row in receivables(filled) if row["customer"] is not None]
    expected = {
        (*key, len({row["customer"] for row in owed}), len(owed), added([row["balance"] for row in owed]))
        for key, owed in by(linked, "named").items()
    }
    assert expected == set(
        filled.ask("select currency, customers, unpaid_invoices, amount_due from analytics.amount_due_by_currency")
    )


def test_invoices_one_by_one(filled: Filled) -> None:
    """Days overdue and what is receivable, per invoice; each invoice is there once."""
    owed = {row["invoice_id"] for row in receivables(filled)}
    expected = [
        (
            row["invoice_id"],
            row["invoice_id"] in owed,
            max((TODAY - row["due_on"]).days, 0) if row["due_on"] and row["status"] == "Unpaid" else None,
        )
        for row in filled.rows("snapshot.invoice")
    ]
    assert expected == filled.ask("select invoice_id, is_receivable, days_overdue from analytics.invoice order by 1")


def test_notifications_by_day(filled: Filled) -> None:
    """Sent, read and suppressed on business days, with the median time to reading."""
    sent = by([row | {"day": business_day(row["created_at"])} for row in filled.rows("notification")], "day", "type")
    aside = by(
        [row | {"day": business_day(row["suppressed_at"])} for row in filled.rows("pipeline.suppressed_notification")],
        "day", "type",
    )  # fmt: skip
    expected = {}
    for key in sent.keys() | aside.keys():
        reasons = Counter(row["reason"] for row in aside.get(key, ()))
        hours = [(row["read_at"] - row["created_at"]) / HOUR for row in sent.get(key, ()) if row["read_at"]]
        counts = len(sent.get(key, ())), len({row["customer_id"] for row in sent.get(key, ())}), len(hours)
        p50 = round(median(hours), 6) if hours else None
        expected[key] = (*counts, reasons["window"], reasons["held"], reasons["discarded"], p50)
    answered = filled.ask(
        "select day, type, sent, customers, read, suppressed_by_window, suppressed_by_hold, discarded,"
        " round(p50_hours_to_read::numeric, 6) from analytics.notification_day"
    )
    assert expected == {row[:2]: (*row[2:8], None if row[8] is None else float(row[8])) for row in answered}


def test_shares_do_not_move_when_old_notifications_are_pruned(filled: Filled) -> None:
    """What is left of the days that are whole says the same before and after the rows went."""
    cut = AS_OF - 10 * DAY
    question = "select type, sent, read, resolved_unread from analytics.notification_funnel order by 1"
    with psycopg.connect(filled.url) as connection:
        connection.execute("insert into pipeline.pruned values ('notifications', %s)", (cut,))
    before = filled.ask(question)
    with psycopg.connect(filled.url) as connection:
        connection.execute("delete from notification where created_at < %s", (cut,))
    whole = [row for row in filled.rows("notification") if business_day(row["created_at"]) > business_day(cut)]
    expected = [
        (kind, len(rows), sum(row["read_at"] is not None for row in rows),
         sum(row["read_at"] is None and row["resolved_at"] is not None for row in rows))
        for (kind,), rows in sorted(by(whole, "type").items())
    ]  # fmt: skip
    assert expected == before == filled.ask(question)


def test_transitions_by_day(filled: Filled) -> None:
    """Cut at midnight of the business zone."""
    expected = Counter((business_day(row["observed_at"]), row["new_value"]) for row in filled.rows("status_transition"))
    answered = filled.ask("select observed_on, new_value, transitions from analytics.transitions_per_day")
    assert expected == {row[:2]: row[2] for row in answered}


def states_at(filled: Filled, day: date) -> dict[str, str]:
    """By customer, the age bucket at the end of the business day."""
    end = datetime(day.year, day.month, day.day, tzinfo=TOKYO) + DAY
    return {
        row["customer_id"]: {None: "not known", 0: "nothing owed"}.get(
            row["unpaid_invoice_count"], bucket(row["next_invoice_due_date"], day)
        )
        for row in filled.rows("me_status_history")
        if row["valid_from"] < end and (row["valid_to"] is None or row["valid_to"] >= end)
    }


def days(filled: Filled) -> list[date]:
    starts = [row["started_at"] for row in filled.rows("job_run")]
    starts += [row["created_at"] for row in filled.rows("notification")]
    starts.append(filled.rows("me_status_history")[0]["valid_from"])
    first = business_day(min(starts))
    return [first + timedelta(days=number) for number in range((TODAY - first).days + 1)]


def test_customers_by_day(filled: Filled) -> None:
    """The version that held at the end of each business day, today's as it is now."""
    expected = {(day, customer): state for day in days(filled) for customer, state in states_at(filled, day).items()}
    answered = filled.ask("select day, customer_id, age_bucket from analytics.customer_day")
    assert expected == {row[:2]: row[2] for row in answered}


def test_moves_between_buckets(filled: Filled) -> None:
    """From the end of one day to the end of the next, newcomers and leavers included."""
    expected: Counter[tuple[Any, ...]] = Counter()
    for day in days(filled)[1:]:
        before, after = states_at(filled, day - DAY), states_at(filled, day)
        expected.update(
            (day, before.get(who, "not a customer"), after.get(who, "not a customer")) for who in before.keys() | after
        )
    answered = filled.ask("select day, from_bucket, to_bucket, customers from analytics.bucket_moves")
    assert expected == {row[:3]: row[3] for row in answered}


def test_tasks_since_and_until(filled: Filled) -> None:
    """Spans of versions without a gap that list the task."""
    expected = set()
    for (customer,), versions in by(filled.rows("me_status_history"), "customer_id").items():
        for task in TASKS:
            since = None
            for version in versions:
                listed = task in [entry["id"] for entry in json.loads(version["document"])["tasks"]]
                if listed and since is None:
                    since = version["valid_from"]
                if since is not None and not listed:
                    expected.add((customer, task, since, version["valid_from"]))
                    since = None
            if since is not None:
                expected.add((customer, task, since, versions[-1]["valid_to"]))
    assert expected == set(filled.ask("select customer_id, task_id, since, until from analytics.task"))


def test_what_runs_sent_and_what_was_decided(filled: Filled) -> None:
    """Per run and type, and per held run, what a release sent included."""
    sent = {(row["run_id"], row["type"]): row["sent"] for row in filled.rows("pipeline.sent_count")}
    gone = Counter(
        (row["run_id"], row["type"])
        for row in filled.rows("pipeline.suppressed_notification")
        if row["reason"] == "discarded"
    )
    answered = filled.ask("select run_id, type, sent, discarded from analytics.run_notification")
    assert {key: (sent.get(key, 0), gone[key]) for key in sent} == {row[:2]: row[2:] for row in answered}
    expected = [
        (row["run_id"], row["decision"] or "waiting", None if row["decision"] is None else row["run_id"],
         sum(sent[row["run_id"], kind] for kind in TYPES), sum(gone[row["run_id"], kind] for kind in TYPES))
        for row in filled.rows("pipeline.held_run")
    ]  # fmt: skip
    assert expected == filled.ask(
        "select run_id, decision, hours_waited::int, sent, discarded from analytics.gate_decision order by 1"
    )


def test_streams_of_runs(filled: Filled) -> None:
    """One row per sync and stream; what a run counts beside streams is none."""
    expected = [(row["run_id"], "invoice", row["run_id"]) for row in filled.rows("job_run") if row["run_id"] != 100]
    assert expected == filled.ask("select run_id, stream, read from analytics.run_stream order by 1")


def test_share_of_the_day_within_the_limit(filled: Filled) -> None:
    """Minute by minute: fresh when a good sync began within the 60 minutes before."""
    for source in ("salesforce", "whmcs"):
        good = sorted(
            row["started_at"]
            for row in filled.rows("job_run")
            if row["job"] == f"sync-{source}" and row["outcome"] != "failed"
        )
        minutes: Counter[date] = Counter()
        fresh: Counter[date] = Counter()
        at = good[0]
        while at < AS_OF:
            minutes[business_day(at)] += 1
            fresh[business_day(at)] += any(start <= at < start + HOUR for start in good)
            at += timedelta(minutes=1)
        answered = filled.ask(
            f"select day, round(minutes), round(minutes_fresh) from analytics.source_freshness where source = '{source}'"  # noqa: E501
        )
        assert {day: (minutes[day], fresh[day]) for day in minutes} == {row[0]: (row[1], row[2]) for row in answered}
