"""Records with their past, drawn at random and written straight into the base tables of the views."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

TOKYO = ZoneInfo("Asia/Tokyo")
AS_OF = datetime(2026, 3, 10, 16, 30, tzinfo=UTC)
"""The now of the last run: in UTC still the 10th, in Tokyo the 11th."""
TODAY = date(2026, 3, 11)
Row = dict[str, Any]
ELIGIBILITY = ("not_requested", "pending", "eligible", "ineligible")
VERIFICATION = ("not_submitted", "submitted", "verified", "rejected")
WORDS = {
    ("account", "eligibility_status"): ELIGIBILITY,
    ("account", "verification_status"): VERIFICATION,
    ("order", "status"): ("Draft", "Approved", "Processed"),
    ("order", "activation_status"): (None, "Started", "Activated"),
    ("case", "status"): ("New", "Working"),
    ("case", "is_closed"): ("true", "false"),
    ("invoice", "status"): ("Unpaid", "Paid", "Cancelled"),
    ("service", "status"): ("Active", "Suspended", "Cancelled"),
    ("service", "cancellation_requested"): (None, "Immediate", "unspecified"),
}
"""What each status may be; two steps one after another always differ."""


@dataclass
class Population:
    """Rows of the base tables by table, as they were drawn."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: str, **values: Any) -> Row:
        self.rows[table].append(values)
        return values

    def write(self, connection: psycopg.Connection) -> None:
        """Writes all rows, triggers and checks of other tables aside."""
        connection.execute("set local session_replication_role = replica")
        for table, rows in self.rows.items():
            names = list(rows[0])
            values = ", ".join(f"%({name})s" for name in names)
            connection.cursor().executemany(
                f"insert into {table} ({', '.join(names)}) overriding system value values ({values})",  # type: ignore[arg-type]
                rows,
            )


def business_day(at: datetime | None) -> date | None:
    """The date of an instant in the business zone."""
    return None if at is None else at.astimezone(TOKYO).date()


def drawn(draw: random.Random) -> Population:
    """A small provider whose records went through a few statuses; who is linked to whom is often in doubt."""
    made = Population()
    _draw_accounts(draw, made)
    _draw_salesforce(draw, made)
    _draw_whmcs(draw, made)
    _draw_steps(draw, made)
    _draw_runs(draw, made)
    _draw_served(draw, made)
    return made


def instant(draw: random.Random) -> datetime:
    return AS_OF - timedelta(minutes=draw.randrange(1, 30 * 1440))


def perhaps(draw: random.Random) -> datetime | None:
    return draw.choice([None, instant(draw)])


def _draw_accounts(draw: random.Random, made: Population) -> None:
    for number in range(6):
        eligibility, verification = draw.choice([None, *ELIGIBILITY]), draw.choice([None, *VERIFICATION])
        made.add(
            "snapshot.account", account_id=f"a{number}", is_customer=number != 5,
            eligibility_status=eligibility or "unknown", eligibility_known=eligibility,
            verification_status=verification or "unknown", verification_known=verification,
            eligibility_requested_at=perhaps(draw), eligibility_checked_at=perhaps(draw),
            verification_submitted_at=perhaps(draw), verification_reviewed_at=perhaps(draw),
            whmcs_client_id=draw.choice([None, 1, 2, 3, 9]), account_number=f"N{number}", created_at=perhaps(draw),
        )  # fmt: skip
        made.add(
            "me_status", customer_id=f"a{number}", salesforce_account_id=f"a{number}",
            whmcs_client_id=draw.choice([None, 1, 2, 3, 4]), eligibility_status=draw.choice(ELIGIBILITY[:2]),
            verification_status=draw.choice(VERIFICATION[:2]), task_count=0,
            top_task_type=draw.choice([None, "invoice_due"]), document="{}", content_hash="h", computed_at=AS_OF,
            rules_version="v", run_id=1,
        )  # fmt: skip
    for client in (1, 2, 3, 5):
        reference = draw.choice([None, "a0", "N1", "a4"])
        made.add("snapshot.client", client_id=client, account_reference=reference)
    if draw.random() < 0.8:
        made.add("pipeline.stream_state", stream="client", synced_at=AS_OF, run_id=1)
    for problem, customer, client in (
        ("conflict", "a0", 1), ("conflict", "a1", 2), ("dangling", "a2", 9), ("unlinked_client", None, 5)
    ):  # fmt: skip
        made.add(
            "pipeline.link_problem_since", problem=problem, customer_id=customer, client_id=client,
            since=instant(draw), run_id=1,
        )  # fmt: skip


def _draw_salesforce(draw: random.Random, made: Population) -> None:
    for number in range(6):
        made.add(
            'snapshot."order"', order_id=f"o{number}", account_id=draw.choice([None, "a0", "a1"]),
            status=draw.choice([None, "Draft", "Approved"]), activation_status=draw.choice([None, "Activated"]),
            stage=draw.choice(["draft", "in_progress", "approved", "activated", "failed", "closed", "unknown"]),
            created_at=draw.choice([None, *[instant(draw)] * 4]),
        )  # fmt: skip
    for number in range(3):
        made.add(
            'snapshot."case"', case_id=f"k{number}", account_id="a1", status=draw.choice([None, "New"]),
            is_closed=draw.choice([None, True, False]), created_at=perhaps(draw),
        )  # fmt: skip


def _draw_whmcs(draw: random.Random, made: Population) -> None:
    for number in range(1, 5):
        status = draw.choice([None, *WORDS["invoice", "status"]])
        made.add(
            "snapshot.invoice", invoice_id=number, client_id=number, status=status or "Odd", status_known=status,
            created_at=perhaps(draw),
        )  # fmt: skip
    for number in range(1, 8):
        status = draw.choice([None, *WORDS["service", "status"]])
        made.add(
            "snapshot.service", service_id=number, client_id=draw.randrange(1, 6), status=status or "Odd",
            status_known=status, product_name=f"product {number % 3}",
            registered_on=draw.choice([None, TODAY - timedelta(days=draw.randrange(400))]),
        )  # fmt: skip
    for number in range(1, 6):
        made.add(
            "snapshot.cancellation", cancellation_id=number, service_id=draw.randrange(1, 10),
            kind=draw.choice([None, "Immediate"]), requested_at=perhaps(draw),
        )  # fmt: skip


def _draw_steps(draw: random.Random, made: Population) -> None:
    """Up to three steps each of some records, a few of which are gone; the clocks of source and runs agree seldom."""
    ids = {"account": "a", "order": "o", "case": "k", "invoice": "", "service": ""}
    steps: list[Row] = []
    for (entity, name), words in WORDS.items():
        for number in draw.sample(range(1, 9), 5):
            steps += _steps_of(draw, entity, f"{ids[entity]}{number}", name, words)
        for number in draw.sample(range(1, 9), 3):
            found = {"entity": entity, "entity_id": f"{ids[entity]}{number}"}
            if all(found.items() - row.items() for row in made.rows["pipeline.first_observation"]):
                made.add("pipeline.first_observation", **found, observed_at=instant(draw), run_id=1)
    for number, step in enumerate(sorted(steps, key=lambda row: row["observed_at"]), start=1):
        made.add("status_transition", transition_id=number, **step)


def _steps_of(draw: random.Random, entity: str, entity_id: str, name: str, words: Sequence[str | None]) -> list[Row]:
    path = [draw.choice(words)]
    for _ in range(draw.randrange(4)):
        path.append(draw.choice([word for word in words if word != path[-1]]))
    runs = sorted(draw.sample(range(20), len(path) - 1))
    return [
        {
            "customer_id": draw.choice([None, "a1"]), "entity": entity, "entity_id": entity_id, "field": name,
            "old_value": old, "new_value": new, "observed_at": AS_OF - timedelta(hours=31 * (20 - run)),
            "source_changed_at": perhaps(draw), "run_id": run,
            "notification_type": draw.choice([None, "ORDER_APPROVED", "ORDER_ACTIVATED", "ORDER_FAILED"])
            if entity == "order" else None,
        }
        for old, new, run in zip(path, path[1:], runs, strict=False)
    ]  # fmt: skip


def _draw_runs(draw: random.Random, made: Population) -> None:
    for number in range(1, 6):
        started = instant(draw)
        outcome = draw.choice(["running", "succeeded", "failed"])
        made.add(
            "job_run", run_id=number, job=draw.choice(["refresh", "prune"]),
            due_at=draw.choice([None, started - timedelta(seconds=number)]), started_at=started, outcome=outcome,
            finished_at=None if outcome == "running" else started + timedelta(seconds=7 * number),
            error="it says why" if outcome == "failed" else None,
        )  # fmt: skip
    made.add(
        "job_run", run_id=100, job="refresh", due_at=None, started_at=AS_OF, outcome="succeeded", finished_at=AS_OF,
        error=None,
    )  # fmt: skip
    if draw.random() < 0.5:
        for kind in ("transitions", "notifications"):
            made.add("pipeline.pruned", kind=kind, before=instant(draw))


def _draw_served(draw: random.Random, made: Population) -> None:
    for number in range(1, 12):
        begins = instant(draw)
        ends = draw.choice([None, begins, begins + timedelta(minutes=number)])
        made.add(
            "me_status_history", version_id=number, customer_id=f"a{number}", valid_from=begins, valid_to=ends,
            eligibility_status="pending", verification_status="verified", task_count=number,
            top_task_type=draw.choice([None, "invoice_due"]), document="{}", content_hash=str(number), run_id=number,
        )  # fmt: skip
    for _ in range(30):
        made.add(
            "notification", customer_id=f"a{draw.randrange(4)}", type=draw.choice(["INVOICE_DUE", "ORDER_APPROVED"]),
            source_id="s", title="t", message="m", action_url="/", created_at=instant(draw), run_id=1,
        )  # fmt: skip
