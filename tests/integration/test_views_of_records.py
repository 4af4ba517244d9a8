"""The views that follow records through their statuses, against the same computed by hand from what was drawn.

Each function of EXPECTED reads the drawn rows alone, and gives what the view must answer in any session zone.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import hypothesis
import hypothesis.strategies as st
import psycopg
import pytest

from tests.integration.view_records import TODAY, Population, Row, business_day, drawn

SESSION_ZONES = ("UTC", "Asia/Tokyo", "America/New_York")
ENDED = ("Cancelled", "Terminated")
HOUR = timedelta(hours=1)
Answer = set[tuple[Any, ...]]


def hours(first: datetime | None, last: datetime | None) -> float | None:
    return None if first is None or last is None else round((last - first) / HOUR, 6)


def client_owners(made: Population) -> dict[int, str]:
    """By client the customer it is served to, where there is exactly one."""
    owners = defaultdict(list)
    for row in made.rows["me_status"]:
        owners[row["whmcs_client_id"]].append(row["customer_id"])
    return {client: served[0] for client, served in owners.items() if client is not None and len(served) == 1}


def whole_from(made: Population, kind: str) -> Any:
    """The first business day of which everything is kept; None when nothing was pruned."""
    cut = [row["before"] for row in made.rows["pipeline.pruned"] if row["kind"] == kind]
    return business_day(cut[0]) + timedelta(days=1) if cut else None  # type: ignore[operator]


def steps_of(made: Population) -> dict[tuple[str, str, str], list[Row]]:
    """The transitions of each record and field, in order."""
    found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in made.rows["status_transition"]:
        found[row["entity"], row["entity_id"], row["field"]].append(row)
    return found


def requests_now(made: Population, service_id: int) -> list[Row]:
    return [row for row in made.rows["snapshot.cancellation"] if row["service_id"] == service_id]


def records(made: Population) -> Iterator[tuple[tuple[str, str, str], Row]]:
    """Each record and field: its value now, its customer, and when it may have got there by the source."""
    owners = client_owners(made)
    for row in made.rows["snapshot.account"]:
        if row["is_customer"]:
            for name, asked, answered in (
                ("eligibility", row["eligibility_requested_at"], row["eligibility_checked_at"]),
                ("verification", row["verification_submitted_at"], row["verification_reviewed_at"]),
            ):
                stamps = {"pending": asked, "submitted": asked}
                stamps |= dict.fromkeys(("not_requested", "not_submitted"), row["created_at"])
                stamps |= dict.fromkeys(("eligible", "ineligible", "verified", "rejected"), answered)
                yield ("account", row["account_id"], f"{name}_status"), {
                    "value": row[f"{name}_known"], "customer": row["account_id"], "stamps": stamps,
                }  # fmt: skip
    for row in made.rows['snapshot."order"']:
        for name in ("status", "activation_status"):
            yield ("order", row["order_id"], name), {
                "value": row[name], "customer": row["account_id"], "created": row["created_at"],
            }  # fmt: skip
    for row in made.rows['snapshot."case"']:
        closed = None if row["is_closed"] is None else str(row["is_closed"]).lower()
        for name, value in (("status", row["status"]), ("is_closed", closed)):
            yield ("case", row["case_id"], name), {"value": value, "customer": "a1", "created": row["created_at"]}
    for row in made.rows["snapshot.invoice"]:
        yield ("invoice", str(row["invoice_id"]), "status"), {
            "value": row["status_known"], "customer": owners.get(row["client_id"]), "created": row["created_at"],
        }  # fmt: skip
    for row in made.rows["snapshot.service"]:
        customer, key = owners.get(row["client_id"]), str(row["service_id"])
        yield ("service", key, "status"), {"value": row["status_known"], "customer": customer}
        asked_for = requests_now(made, row["service_id"])
        if row["status_known"] in ENDED and not steps_of(made).get(("service", key, "status")):
            asked_for = []
        instants = [request["requested_at"] for request in asked_for if request["requested_at"]]
        yield ("service", key, "cancellation_requested"), {
            "value": min((request["kind"] or "unspecified" for request in asked_for), default=None),
            "customer": customer, "created": min(instants, default=None),
        }  # fmt: skip


def end_of_service(made: Population, key: str, after: Row | None) -> Row | None:
    """The first step that ended the service after `after`, or in the run of it."""
    ends = [row for row in steps_of(made).get(("service", key, "status"), ()) if row["new_value"] in ENDED]
    later = [
        row for row in ends
        if after is None or row["transition_id"] > after["transition_id"] or row["run_id"] == after["run_id"]
    ]  # fmt: skip
    return min(later, key=lambda row: row["observed_at"], default=None)


def spans(made: Population) -> Iterator[Row]:
    """Every status that every record was in, with both ends by both clocks."""
    known, steps = dict(records(made)), steps_of(made)
    seen = {(row["entity"], row["entity_id"]): row["observed_at"] for row in made.rows["pipeline.first_observation"]}
    whole = whole_from(made, "transitions")
    for key in known.keys() | steps.keys():
        entity, entity_id, name = key
        record, way = known.get(key), steps.get(key, [])
        status = way[0]["old_value"] if way else record["value"]  # type: ignore[index]
        source = None
        if record is not None:
            source = record["stamps"].get(status) if "stamps" in record else record.get("created")
        left = (way[0]["source_changed_at"] or way[0]["observed_at"]) if way else None
        if source and ((left and source > left) or (whole and business_day(source) < whole)):  # type: ignore[operator]
            source = None
        customer = (way[0]["customer_id"] if way else None) or (record["customer"] if record else None)
        observed = None if name == "cancellation_requested" else seen.get((entity, entity_id))
        entries = [(status, customer, source, observed, None)]
        entries += [
            (row["new_value"], row["customer_id"], row["source_changed_at"], row["observed_at"], row) for row in way
        ]
        for place, (status, customer, source, observed, step) in enumerate(entries):
            span = {
                "key": key, "customer": customer, "status": status, "next": None, "first": step is None,
                "current": False, "source": (source, None), "observed": (observed, None),
            }  # fmt: skip
            ended = end_of_service(made, entity_id, step) if name == "cancellation_requested" else None
            if place + 1 < len(entries):
                following = entries[place + 1]
                span |= {
                    "next": following[0], "source": (source, following[2]), "observed": (observed, following[3])
                }  # fmt: skip
            elif ended is not None:
                span |= {"next": "service ended", "observed": (observed, ended["observed_at"])}
            elif record is None:
                span["next"] = "gone"
            else:
                span["current"] = True
            if status is not None:
                yield span | timed(span)


def timed(span: Row) -> Row:
    """Both ends by the source where it knows both in order, else by the runs, else by nobody."""
    for clock in ("source", "observed"):
        entered, left = span[clock]
        if entered is not None and (span["current"] or (left is not None and left >= entered)):
            return {"clock": clock, "entered": entered, "left": left}
    return {"clock": "none", "entered": None, "left": None}


def time_in_status(made: Population) -> Answer:
    return {
        (*span["key"], span["customer"], span["status"], span["next"], span["first"], span["current"], span["clock"],
         span["entered"], span["left"], hours(span["entered"], span["left"]), *span["source"], *span["observed"])
        for span in spans(made)
    }  # fmt: skip


def cycles(made: Population, name: str, status: str) -> Answer:
    return {
        (span["key"][1], span["entered"], business_day(span["entered"]), span["left"], business_day(span["left"]),
         "open" if span["current"] else span["next"], hours(span["entered"], span["left"]), span["clock"],
         span["first"])
        for span in spans(made)
        if span["key"][2] == name and span["status"] == status
    }  # fmt: skip


def cancellation(made: Population) -> Answer:
    """Requests seen to come, those that were there before, and what ended each first."""
    owners = {row["service_id"]: client_owners(made).get(row["client_id"]) for row in made.rows["snapshot.service"]}
    found, followed = set(), set()
    for (_, key, name), way in steps_of(made).items():
        if name == "cancellation_requested":
            followed.add(int(key))
            begun = [row | {"kind": row["new_value"], "step": row} for row in way if row["old_value"] is None]
            if way[0]["old_value"] is not None:
                begun.append({"customer_id": way[0]["customer_id"], "kind": way[0]["old_value"], "step": None})
            found |= {request(made, int(key), one, way) for one in begun}
    for service_id in {row["service_id"] for row in made.rows["snapshot.cancellation"]} - followed:
        now = requests_now(made, service_id)
        begun_before = {
            "customer_id": owners.get(service_id),
            "kind": min(row["kind"] or "unspecified" for row in now),
            "step": None,
            "source_changed_at": min((row["requested_at"] for row in now if row["requested_at"]), default=None),
        }
        found.add(request(made, service_id, begun_before, []))
    return found


def request(made: Population, service_id: int, begun: Row, way: list[Row]) -> tuple[Any, ...]:
    """One row of the view: a request that began so, on the way of that service's requests."""
    step = begun["step"]
    ends = [
        (row["observed_at"], "withdrawn")
        for row in way
        if row["new_value"] is None and (step is None or row["transition_id"] > step["transition_id"])
    ]
    if ended := end_of_service(made, str(service_id), step):
        ends.append((ended["observed_at"], "completed"))
    at, outcome = min(ends, default=(None, None), key=lambda end: end)
    if outcome is None:
        statuses = {row["service_id"]: row["status"] for row in made.rows["snapshot.service"]}
        is_over = statuses.get(service_id) in ENDED
        outcome = "gone" if service_id not in statuses else "completed" if is_over else "open"
    asked, seen = begun.get("source_changed_at"), begun.get("observed_at")
    days = None if at is None or seen is None else round((at - seen) / timedelta(days=1), 6)
    how = (service_id, begun["customer_id"], begun["kind"], step is None, asked, seen, business_day(asked or seen))
    return *how, outcome, at, business_day(at), days


def orders(made: Population) -> list[Row]:
    """Each order with the first instant at which it is known to have reached each stage."""
    found = []
    for order in made.rows['snapshot."order"']:
        row = order | {"day": business_day(order["created_at"])}
        for stage in ("approved", "activated", "failed"):
            row[f"{stage}_at"] = min(
                (
                    step["source_changed_at"]
                    for step in made.rows["status_transition"]
                    if step["entity_id"] == order["order_id"]
                    and step["notification_type"] == f"ORDER_{stage.upper()}"
                    and step["source_changed_at"]
                ),
                default=None,
            )
        found.append(row)
    return found


def customer_order(made: Population) -> Answer:
    stages = ("approved_at", "activated_at", "failed_at")
    return {
        (row["order_id"], row["account_id"], row["stage"], row["status"], row["activation_status"], row["created_at"],
         row["day"], *(row[stage] for stage in stages), *(hours(row["created_at"], row[stage]) for stage in stages))
        for row in orders(made)
    }  # fmt: skip


def order_funnel(made: Population) -> Answer:
    days = defaultdict(list)
    for row in orders(made):
        days[row["day"]].append(row)
    found = set()
    for day, made_then in days.items():
        taken = [hours(row["created_at"], row["activated_at"]) for row in made_then]
        known = [one for one in taken if one is not None]
        found.add((
            day, len(made_then),
            sum(bool(row["approved_at"]) or row["stage"] in ("approved", "activated", "failed") for row in made_then),
            sum(bool(row["activated_at"]) or row["stage"] == "activated" for row in made_then),
            sum(bool(row["failed_at"]) or row["stage"] == "failed" for row in made_then),
            sum(row["stage"] == "closed" for row in made_then),
            round(median(known), 5) if known else None,
        ))  # fmt: skip
    return found


def service(made: Population) -> Answer:
    owners = client_owners(made)
    return {
        (row["service_id"], row["client_id"], owners.get(row["client_id"]), row["product_name"], row["status"],
         row["status"] == "Active", bool(requests_now(made, row["service_id"])), row["registered_on"],
         None if row["registered_on"] is None else (TODAY - row["registered_on"]).days)
        for row in made.rows["snapshot.service"]
    }  # fmt: skip


def link_problem(made: Population) -> Answer:
    """Claims of accounts and of clients, judged pair by pair."""
    accounts = [row for row in made.rows["snapshot.account"] if row["is_customer"]]
    clients = {row["client_id"]: row["account_reference"] for row in made.rows["snapshot.client"]}
    claims = {(row["account_id"], row["whmcs_client_id"]) for row in accounts if row["whmcs_client_id"]}
    for client, reference in clients.items():
        claims |= {
            (row["account_id"], client) for row in accounts if reference in (row["account_id"], row["account_number"])
        }
    of_customer, of_client = Counter(one for one, _ in claims), Counter(one for _, one in claims)
    doubtful = {one for one, client in claims if of_customer[one] > 1 or of_client[client] > 1}
    found = {("conflict", one, client) for one, client in claims if one in doubtful}
    if made.rows["pipeline.stream_state"]:
        found |= {("dangling", one, client) for one, client in claims if one not in doubtful and client not in clients}
    found |= {("unlinked_client", None, client) for client in clients if client not in of_client}
    since = {
        (row["problem"], row["customer_id"], row["client_id"]): row["since"]
        for row in made.rows["pipeline.link_problem_since"]
    }
    return {(*problem, since.get(problem), business_day(since.get(problem))) for problem in found}


def customers_by_state(made: Population) -> Answer:
    counted = Counter(
        (row["eligibility_status"], row["verification_status"], row["top_task_type"] or "none")
        for row in made.rows["me_status"]
    )
    return {(*state, customers) for state, customers in counted.items()}


def notifications_per_day(made: Population) -> Answer:
    whole, days = whole_from(made, "notifications"), defaultdict(list)
    for row in made.rows["notification"]:
        day = business_day(row["created_at"])
        if whole is None or day >= whole:  # type: ignore[operator]
            days[day, row["type"]].append(row["customer_id"])
    return {(*key, len(customers), len(set(customers))) for key, customers in days.items()}


def run_history(made: Population) -> Answer:
    return {
        (row["run_id"], row["job"], business_day(row["started_at"]),
         None if row["finished_at"] is None else (row["finished_at"] - row["started_at"]).total_seconds(),
         None if row["due_at"] is None else (row["started_at"] - row["due_at"]).total_seconds(),
         row["outcome"], row["error"])
        for row in made.rows["job_run"]
    }  # fmt: skip


def document_version(made: Population) -> Answer:
    return {
        (row["version_id"], row["customer_id"], row["valid_from"], row["valid_to"], business_day(row["valid_from"]),
         None if row["valid_to"] is None else (row["valid_to"] - row["valid_from"]).total_seconds(),
         row["task_count"], row["top_task_type"])
        for row in made.rows["me_status_history"]
        if row["valid_to"] != row["valid_from"]
    }  # fmt: skip


EXPECTED: dict[str, tuple[str, Callable[[Population], Answer]]] = {
    "time_in_status": (
        "entity, entity_id, field, customer_id, status, next_status, is_first_observation, is_current, clock,"
        " entered_at, left_at, round(hours, 6), entered_source_at, left_source_at, entered_observed_at,"
        " left_observed_at",
        time_in_status,
    ),
    "verification": (
        "customer_id, submitted_at, submitted_on, reviewed_at, reviewed_on, outcome, round(hours, 6), clock,"
        " is_first_observation",
        lambda made: cycles(made, "verification_status", "submitted"),
    ),
    "eligibility": (
        "customer_id, requested_at, requested_on, checked_at, checked_on, outcome, round(hours, 6), clock,"
        " is_first_observation",
        lambda made: cycles(made, "eligibility_status", "pending"),
    ),
    "cancellation": (
        "service_id, customer_id, kind, is_first_observation, requested_at, seen_at, requested_on, outcome, ended_at,"
        " ended_on, round(days, 6)",
        cancellation,
    ),
    "customer_order": (
        "order_id, customer_id, stage, status, activation_status, created_at, created_on, approved_at, activated_at,"
        " failed_at, round(hours_to_approved, 6), round(hours_to_activated, 6), round(hours_to_failed, 6)",
        customer_order,
    ),
    "order_funnel": (
        "created_on, created, approved, activated, failed, closed, round(cast(p50_hours_to_activated as numeric), 5)",
        order_funnel,
    ),
    "service": (
        "service_id, client_id, customer_id, product_name, status, is_active, is_cancellation_requested, registered_on,"
        " days_since_registration",
        service,
    ),
    "link_problem": ("problem, customer_id, client_id, since, since_on", link_problem),
    "customers_by_state": (
        "eligibility_status, verification_status, top_task_type, customers",
        customers_by_state,
    ),
    "notifications_per_day": ("sent_on, type, sent, customers", notifications_per_day),
    "run_history": ("run_id, job, started_on, seconds, seconds_late, outcome, error", run_history),
    "document_version": (
        "version_id, customer_id, valid_from, valid_to, valid_from_on, seconds, task_count, top_task_type",
        document_version,
    ),
}


@pytest.mark.parametrize("view", EXPECTED)
@hypothesis.given(seed=st.integers(0, 2**32))
@hypothesis.settings(max_examples=4)
def test_a_view_gives_what_is_counted_by_hand(module_database_url: str, view: str, seed: int) -> None:
    """Every row of it once, and no other, whatever zone the reader's session is in."""
    made, (columns, expected) = drawn(random.Random(seed)), EXPECTED[view]
    with psycopg.connect(module_database_url) as connection:
        made.write(connection)
        connection.execute("update pipeline.published_setting set zone = 'Asia/Tokyo'")
        for zone in SESSION_ZONES:
            connection.execute("select set_config('timezone', %s, true)", (zone,))
            answered = connection.execute(f"select {columns} from analytics.{view}").fetchall()  # type: ignore[arg-type]
            assert sorted(expected(made), key=str) == sorted(map(plain, answered), key=str)
        connection.rollback()


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with instants in UTC and numbers as Python's own."""
    return tuple(
        value.astimezone(UTC) if isinstance(value, datetime) else float(value) if isinstance(value, Decimal) else value
        for value in row
    )
