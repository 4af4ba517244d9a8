"""The customer side of the store: the statements that refresh and rebuild run, each in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from msgspec.json import encode
from psycopg import sql as compose
from sqlalchemy import Connection

import sql
from config.schedule import Freshness
from materializer.copying import as_texts, copy_in, driver_of
from materializer.refresh import served_history
from materializer.rules import facts
from materializer.rules.document import Document
from materializer.rules.facts import Facts, Unresolved
from materializer.rules.notifications import Candidate
from materializer.rules.reminders import FreshFacts
from materializer.rules.rules import Rules
from materializer.units import At

Row = tuple[Any, ...]
"""One row of me_status in the order of COLUMNS; the first is the customer."""

Stored = dict[str, tuple[tuple[Any, ...], str]]
"""By customer, the columns that show whether the stored row differs, as COMPARED picks them, and the rules' version."""

COLUMNS = (
    "customer_id",
    "whmcs_client_id",
    "eligibility_status",
    "verification_status",
    "payment_method_count",
    "active_service_count",
    "open_order_count",
    "open_case_count",
    "unpaid_invoice_count",
    "overdue_invoice_count",
    "amount_due",
    "currency",
    "next_invoice_id",
    "next_invoice_due_date",
    "next_invoice_amount",
    "task_count",
    "top_task_type",
    "document",
    "content_hash",
    "next_change_at",
    "next_notification_at",
)
TOGETHER_AT_MOST = 2000
"""Customers whose records changed hands that are refreshed in one transaction."""
COMPUTED = compose.Identifier("pg_temp", "computed")
COMPARED = itemgetter(
    *map(COLUMNS.index, ("content_hash", "whmcs_client_id", "next_change_at", "next_notification_at"))
)
"""Of a row, what differs whenever anything does (but for the rules' version)."""


def fresh_facts(connection: Connection, now: datetime, limits: Freshness) -> FreshFacts:
    """Which facts are within their limits at `now`."""
    limit = {"now": now, "longest": timedelta(minutes=limits.whmcs)}
    are_invoices = connection.execute(sql.statement("refresh/read_invoice_freshness"), limit).scalar_one()
    return FreshFacts(bool(are_invoices), now - timedelta(minutes=limits.pay_methods))


def customers_to_refresh(connection: Connection, now: datetime, fresh: FreshFacts, rules: Rules) -> list[str]:
    """The customers marked or due, ascending."""
    parameters = {
        "now": now,
        "are_invoices": fresh.invoices,
        "cards_since": fresh.cards_since,
        "card_days": max(rules.notifications.types["PAYMENT_METHOD_EXPIRING"].steps),
    }
    return list(connection.execute(sql.statement("refresh/select_customers_to_refresh"), parameters).scalars())


def customers_of_other_rules(connection: Connection, rules: Rules, at_most: int) -> list[str]:
    """Some of the customers whose document is of another version of the rules, ascending."""
    parameters = {"rules_version": rules.version, "at_most": at_most}
    return sorted(connection.execute(sql.statement("refresh/select_customers_of_other_rules"), parameters).scalars())


def ranges_of_customers(connection: Connection, size: int) -> list[tuple[str, str]]:
    """The first and the last of each `size` customers in order, those that only have a row included."""
    rows = connection.execute(sql.statement("refresh/select_ranges_of_customers"), {"size": size})
    return [(row.first_id, row.last_id) for row in rows]


def customers_between(connection: Connection, first: str, last: str) -> list[str]:
    """Every customer from `first` to `last`, and everyone there who has a row, ascending."""
    statement = sql.statement("refresh/select_customers_between")
    return list(connection.execute(statement, {"first_id": first, "last_id": last}).scalars())


def changing_hands(connection: Connection) -> list[str]:
    """The customers to be refreshed together; none when they are too many for one transaction, as after a migration."""
    found = connection.execute(sql.statement("refresh/list_changing_hands"), {"at_most": TOGETHER_AT_MOST + 1})
    customers = list(found.scalars())
    return customers if len(customers) <= TOGETHER_AT_MOST else []


def take_marks(connection: Connection, customers: Sequence[str], *, are_apart: bool = False) -> list[str]:
    """Removes the customers' marks; those another transaction is marking or refreshing are left out for a later run.

    So are all whose records changed hands, unless every one of them is free, or they `are_apart` already.
    """
    parameters = {"customer_ids": list(customers), "together_at_most": 0 if are_apart else TOGETHER_AT_MOST}
    return list(connection.execute(sql.statement("refresh/take_refresh_marks"), parameters).scalars())


def mark(connection: Connection, customers: Sequence[str], now: datetime) -> None:
    """Marks customers for the next refresh."""
    if customers:
        connection.execute(sql.statement("snapshot/mark_customers"), {"customer_ids": list(customers), "now": now})


def lock(connection: Connection, customers: Sequence[str]) -> Stored:
    """Holds the customers' rows until the transaction ends, so that no older facts overwrite newer ones."""
    rows = connection.execute(sql.statement("refresh/lock_me_status"), {"customer_ids": list(customers)})
    return {customer: (tuple(compared), version) for customer, *compared, version in rows}


def differing(rows: Sequence[Row], stored: Stored, rules: Rules) -> list[Row]:
    """The rows that are not stored, or come out another than stored."""
    return [row for row in rows if stored.get(row[0]) != (COMPARED(row), rules.version)]


def read_facts(connection: Connection, customers: Sequence[str], rules: Rules, now: datetime) -> Iterator[Facts]:
    """The facts of each customer, in no order; found by their keys, even while the server knows no statistics."""
    connection.execute(sql.statement("refresh/prefer_indexes"))
    parameters = {"customer_ids": list(customers), "zone": rules.zone.key, "now": now}
    parameters["is_link_at_client"] = rules.is_link_at_client
    for _, known in connection.execute(sql.statement("refresh/read_facts"), parameters):
        yield facts.decode(known)


def read_documents(connection: Connection, customers: Sequence[str]) -> dict[str, str]:
    """The stored documents by customer, as text."""
    rows = connection.execute(sql.statement("refresh/read_documents"), {"customer_ids": list(customers)})
    return {row.customer_id: row.document for row in rows}


def write(connection: Connection, rows: Sequence[Row], rules: Rules, at: At, *, may_overwrite: bool = True) -> int:
    """Stores the rows, passing over those that come out as stored; how many were written.

    `may_overwrite=False` leaves alone a row that another transaction has written meanwhile.
    """
    if not rows:
        return 0
    _copy(connection, rows)
    parameters = {"computed_at": at.now, "run_id": at.run_id, "rules_version": rules.version}
    parameters |= {"may_overwrite": may_overwrite}
    rows_written = int(connection.execute(sql.statement("refresh/upsert_me_status"), parameters).scalar_one())
    if rows_written:
        served_history.record(connection, at, are_taken=may_overwrite)
    return rows_written


def remove(connection: Connection, customers: Sequence[str], now: datetime) -> int:
    """Removes the rows of those that are not customers; how many had one. What was served to them ends at `now`."""
    if not customers:
        return 0
    served_history.end(connection, customers, now)
    return len(connection.execute(sql.statement("refresh/delete_me_status"), {"customer_ids": list(customers)}).all())


def resolve(connection: Connection, over: Sequence[tuple[str, Unresolved]], now: datetime) -> int:
    """Marks the notifications of (customer, what stands) as resolved; how many."""
    if not over:
        return 0
    parameters = {
        "customer_ids": [customer for customer, _ in over],
        "types": [unresolved.type for _, unresolved in over],
        "source_ids": [unresolved.source_id for _, unresolved in over],
        "now": now,
    }
    return connection.execute(sql.statement("refresh/resolve_notifications"), parameters).rowcount


def enqueue(connection: Connection, decided: Sequence[tuple[str, Candidate]], at: At) -> dict[str, int]:
    """Puts (customer, notification) into the outbox; how many by type were suppressed, an identical one waiting."""
    if not decided:
        return {}
    parameters: dict[str, Any] = {
        "customer_ids": [customer for customer, _ in decided],
        "types": [candidate.type for _, candidate in decided],
        "source_ids": [candidate.source_id for _, candidate in decided],
        "titles": [candidate.title for _, candidate in decided],
        "messages": [candidate.message for _, candidate in decided],
        "action_urls": [candidate.action_url for _, candidate in decided],
        "action_labels": [candidate.action_label for _, candidate in decided],
        "window_seconds": [candidate.window_seconds for _, candidate in decided],
        "tones": [candidate.tone for _, candidate in decided],
        "abouts": [encode(candidate.about).decode() for _, candidate in decided],
        "run_id": at.run_id,
        "now": at.now,
    }
    return {row.type: row.suppressed for row in connection.execute(sql.statement("outbox/insert_outbox"), parameters)}


def consume(connection: Connection, transitions: Sequence[int], gone: Sequence[str]) -> None:
    """Takes transitions as judged, and every one of those that are not customers."""
    if transitions or gone:
        parameters = {"transition_ids": list(transitions), "gone": list(gone)}
        connection.execute(sql.statement("refresh/consume_transitions"), parameters)


def _copy(connection: Connection, rows: Sequence[Row]) -> None:
    """Copies rows in the order of COLUMNS into the temporary table `computed`, emptied first."""
    with driver_of(connection).cursor() as cursor:
        cursor.execute("set local client_min_messages = warning")
        cursor.execute(
            "create temporary table if not exists computed on commit delete rows as"  # noqa: S608  names from above
            f" select {', '.join(COLUMNS)} from me_status with no data"
        )
        cursor.execute("truncate pg_temp.computed")
    copy_in(connection, COMPUTED, as_texts(COLUMNS, rows))


def row(known: Facts, document: Document, next_notification_at: datetime | None) -> Row:
    """What is stored of one customer; `next_notification_at`: when time next calls for a notification."""
    content = document.content
    stats, invoice, tasks = content.summary.stats, content.summary.next_invoice, content.tasks
    return (
        known.customer_id,
        known.client_id,
        content.internet_eligibility.status,
        content.residence_card_verification.status,
        content.payment_methods.total_count,
        stats.active_subscriptions,
        stats.open_orders,
        stats.open_cases,
        stats.unpaid_invoices,
        stats.overdue_invoices,
        stats.amount_due,
        stats.currency,
        invoice and invoice.id,
        invoice and invoice.due_date,
        invoice and invoice.amount,
        len(tasks),
        tasks[0].type if tasks else None,
        document.body.decode(),
        document.content_hash,
        document.next_change_at,
        next_notification_at,
    )
