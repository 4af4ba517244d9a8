"""Holding the product's tables against the model, and against themselves rebuilt from nothing."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Engine, text

from config.database import rehearsal
from materializer.refresh import rebuild
from materializer.rules.rules import Rules
from materializer.units import At, Batching
from tests.integration.truth import reference_document
from tests.integration.truth.reference import Reference

AHEAD = 400
"""So many days a document that is said never to change is looked at."""
INSTANT = timedelta(microseconds=1)
ROWS = text("select me_status.*, document::text as body from me_status order by customer_id")
NOTIFIED = text("select customer_id, type, source_id, created_at, resolved_at is not null from notification")
EMPTIED = """
    truncate me_status, notification, status_transition, job_run, snapshot.account, snapshot."order", snapshot."case",
        snapshot.client, snapshot.invoice, snapshot.balance, snapshot.service, snapshot.cancellation,
        snapshot.pay_method, pipeline.stream_state, pipeline.refresh_mark, pipeline.account_redirect,
        pipeline.pay_method_reading, pipeline.set_aside_record, pipeline.notification_outbox,
        pipeline.notification_window,
        pipeline.suppressed_notification, pipeline.sent_count, pipeline.held_run, pipeline.held_removal,
        pipeline.run_unit;
    update pipeline.source_state set synced_at = null, failed_at = null, error = null, organization_id = null
"""
OWN_TO_A_RUN = ("computed_at", "changed_at", "run_id", "next_notification_at", "document")
"""Columns that say who wrote the row, or when it is looked at again; the document is compared as its bytes."""

Row = dict[str, Any]


def agree_on_notifications(engine: Engine, model: Reference) -> None:
    """The same notifications: customer, type, source, moment, and whether it is resolved."""
    with engine.connect() as connection:
        notified = Counter(tuple(row) for row in connection.execute(NOTIFIED))
    expected = Counter(
        (one["customer"], one["type"], one["source"], one["created"], one["resolved"]) for one in model.notifications
    )
    assert expected == notified, f"missing {expected - notified}, too many {notified - expected}"


def agree_on_documents(engine: Engine, model: Reference, rules: Rules, now: datetime, only: str | None = None) -> None:
    """Each row is what the model says and what a rebuild from nothing gives, and changes exactly when it says."""
    with engine.connect() as connection:
        stored = rows_of(connection)
    assert model.rows == set(stored)
    for customer, row in stored.items():
        if only in (None, customer):
            _agree_on_row(customer, row, model, now)
    if only is None:
        assert {key: _kept(row) for key, row in stored.items()} == rebuilt_from_nothing(engine, rules, now)


def rows_of(connection: Connection) -> dict[str, Row]:
    """The rows of me_status by customer; `body` is the document's text."""
    return {row["customer_id"]: dict(row) for row in connection.execute(ROWS).mappings()}


def rebuilt_from_nothing(engine: Engine, rules: Rules, now: datetime) -> dict[str, Row]:
    """What a rebuild makes of the snapshot when no row is there; nothing of it is kept."""
    with rehearsal(engine) as practice:
        with practice.begin() as connection:
            connection.execute(text("delete from me_status"))
        rebuild.rebuild(practice, rules, At(0, now), Batching(3))
        with practice.begin() as connection:
            return {customer: _kept(row) for customer, row in rows_of(connection).items()}


def _kept(row: Row) -> Row:
    return {column: value for column, value in row.items() if column not in OWN_TO_A_RUN}


def _agree_on_row(customer: str, row: Row, model: Reference, now: datetime) -> None:
    expected = model.document(customer, now)
    assert expected == json.loads(row["body"]), f"{customer}: {'; '.join(apart(expected, json.loads(row['body'])))}"
    assert blake2b(row["body"].encode(), digest_size=16).hexdigest() == row["content_hash"]
    assert _columns(customer, expected, model) == {name: row[name] for name in _columns(customer, expected, model)}
    _agree_on_change(customer, row["next_change_at"], expected, model, now)


def apart(expected: Any, found: Any, at: str = "") -> list[str]:
    """Where two documents differ: the path, what was expected, what was found."""
    if expected == found:
        return []
    if isinstance(expected, dict) and isinstance(found, dict):
        names = sorted(expected.keys() | found.keys())
        return [line for name in names for line in apart(expected.get(name), found.get(name), f"{at}.{name}")]
    return [f"{at[1:]} should be {expected!r}, is {found!r}"]


def _columns(customer: str, document: Row, model: Reference) -> Row:
    """The columns beside the document, derived from the document."""
    stats, invoice, tasks = document["summary"]["stats"], document["summary"]["nextInvoice"], document["tasks"]
    return {
        "salesforce_account_id": customer,
        "whmcs_client_id": model.client_of(customer),
        "eligibility_status": document["internetEligibility"]["status"],
        "verification_status": document["residenceCardVerification"]["status"],
        "payment_method_count": document["paymentMethods"]["totalCount"],
        "active_service_count": stats["activeSubscriptions"],
        "open_order_count": stats["openOrders"],
        "open_case_count": stats["openCases"],
        "unpaid_invoice_count": stats["unpaidInvoices"],
        "overdue_invoice_count": stats["overdueInvoices"],
        "currency": stats["currency"],
        "next_invoice_id": invoice and invoice["id"],
        "task_count": len(tasks),
        "top_task_type": tasks[0]["type"] if tasks else None,
    }


def _agree_on_change(customer: str, change_at: datetime | None, present: Row, model: Reference, now: datetime) -> None:
    """The same until a microsecond before, another at the moment itself; for never, the same for more than a year."""
    if change_at is not None:
        assert now < change_at
        assert present == model.document(customer, change_at - INSTANT), f"{customer} changes before {change_at}"
        assert present != model.document(customer, change_at), f"{customer} does not change at {change_at}"
    known = model.known_of(customer)
    today = reference_document.local_date(now, model.zone)
    present_parts = reference_document.parts_of_the_day(known, today)
    last = AHEAD if change_at is None else (reference_document.local_date(change_at, model.zone) - today).days - 1
    for days in range(1, last + 1):
        assert present_parts == reference_document.parts_of_the_day(known, today + timedelta(days=days)), (
            f"{customer} changes {days} days ahead, not at {change_at}"
        )
