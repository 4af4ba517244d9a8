"""`explain`: why a customer has the tasks and notifications it has, what dedupe suppressed, and what comes next."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping

import sql
from config.errors import MeStatusError
from jobs.commands import explain_text
from jobs.commands.rebuild import account_id
from jobs.program import SUCCESS, Program, answer, say
from jobs.runs.dispatch import rules as rules_of
from jobs.text import as_object, in_seconds, written
from materializer.refresh import read_model
from materializer.rules import explain
from materializer.rules.calendar import today
from materializer.rules.document import build
from materializer.rules.facts import Facts
from materializer.rules.rules import Rules

AT_MOST = 50
LONGEST_CLIENT_ID = 14
"""Digits; an Account id has 15 characters or more."""


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Prints it. Raises MeStatusError (exit 1) when nobody, or more than one, is meant."""
    now = arguments.as_of or datetime.now(UTC)
    with program.database() as engine, engine.connect() as connection:
        found = gather(connection, program, arguments.customer, now)
    if arguments.json:
        answer(found)
    else:
        say(in_seconds("\n".join(explain_text.in_words(found))))
    return SUCCESS


def gather(connection: Connection, program: Program, asked: str, now: datetime) -> dict[str, Any]:
    """The object that `explain --json` prints, judged at `now`; instants as text in UTC, no personal data.

    `asked` is an Account id, that of a merged account (explained as its winner), or the id of a WHMCS client.
    """
    customer, merged = find(connection, asked)
    parameters = {"customer_id": customer}
    row = connection.execute(sql.statement("explain/explain_customer"), parameters).mappings().one_or_none()
    if row is None:
        raise MeStatusError(f"{customer}, the winner of the merged {merged}, is not in the snapshot; sync again")
    rules = rules_of(program.settings, program.tables)
    (facts,) = read_model.read_facts(connection, [customer], rules, now)
    fresh = read_model.fresh_facts(connection, now, program.tables.schedule.freshness_minutes)
    return {
        "customerId": customer,
        "mergedAccount": merged,
        "asOf": written(now),
        "today": today(now, rules.zone).isoformat(),
        "timeZone": rules.zone.key,
        "isCustomer": facts.account is not None,
        "link": _link(connection, customer, facts),
        "document": _document(facts, row, rules, now),
        "nextChange": _built(explain.next_change(facts, rules, now)),
        "sources": _ages(connection, customer, row, now),
        "account": _account(row, program),
        "records": _listed(connection, "explain/explain_records", account_id=customer, client_id=row["client_id"]),
        "tasks": _built(explain.tasks(facts, rules, now)),
        "reminders": _built(explain.reminders(facts, rules, now, fresh)),
        "notifications": _notifications(connection, facts, rules, customer, now),
        "waiting": _listed(connection, "explain/explain_waiting", customer_id=customer, at_most=AT_MOST),
        "suppressed": _listed(connection, "explain/explain_suppressed", customer_id=customer, at_most=AT_MOST),
        "transitions": _listed(connection, "explain/explain_transitions", customer_id=customer, at_most=AT_MOST),
    }


def find(connection: Connection, asked: str) -> tuple[str, str | None]:
    """The customer meant and, when a merged account was named, that one. Raises MeStatusError."""
    is_client = asked.isdecimal() and len(asked) <= LONGEST_CLIENT_ID
    account = None if is_client else account_id(asked)
    client = int(asked) if is_client else None
    parameters = {"account_id": account, "client_id": client}
    rows = connection.execute(sql.statement("explain/find_customer_to_explain"), parameters).all()
    if len(rows) == 1:
        return rows[0].customer_id, rows[0].merged_account
    if rows:
        claimants = ", ".join(row.customer_id for row in rows)
        raise MeStatusError(
            f"WHMCS client {client} is claimed by {claimants}; it is served to none. Explain one of them"
        )
    if client is not None:
        raise MeStatusError(f"no customer names WHMCS client {client}; fill its link field, or name the Account id")
    raise MeStatusError(f"{account} is not in the snapshot; it was deleted, or it is not synced yet")


def _link(connection: Connection, customer: str, facts: Facts) -> dict[str, Any]:
    claims = _listed(connection, "explain/explain_claims", customer_id=customer)
    clients = sorted({claim["clientId"] for claim in claims})
    rivals = sorted({claim["customerId"] for claim in claims} - {customer})
    named = f"client {', '.join(map(str, clients))}"
    why = {
        "linked": f"it and WHMCS {named} name each other alone",
        "none": "the account names no WHMCS client, and none names it",
        "unread": "WHMCS clients name their accounts, and were never pulled; run sync-whmcs",
        "unreadable": "what stands in the account's link field is not a client id",
        "dangling": f"WHMCS {named} is not in the snapshot",
        "conflict": f"WHMCS {named}: " + (f"claimed by {', '.join(rivals)} too" if rivals else "more than one"),
    }
    return {
        "state": facts.link,
        "clientId": facts.client_id,
        "why": why.get(facts.link or "", "the account filter does not admit it"),
        "claims": claims,
    }


def _document(facts: Facts, row: RowMapping, rules: Rules, now: datetime) -> dict[str, Any]:
    """`isCurrent`: the facts as they are give the same bytes at `now`; None where there is nothing to compare."""
    is_comparable = facts.account is not None and row["content_hash"] is not None
    return {
        "computedAt": written(row["computed_at"]),
        "runId": row["run_id"],
        "markedAt": written(row["marked_at"]),
        "isCurrent": build(facts, rules, now).content_hash == row["content_hash"] if is_comparable else None,
        "rulesVersion": row["rules_version"],
    }


def _account(row: RowMapping, program: Program) -> dict[str, Any]:
    fields = program.tables.mapping.account
    return {
        kind: {
            "field": getattr(fields, f"{kind}_status"),
            "word": row[f"{kind}_word"],
            "status": row[f"{kind}_status"],
            "lastKnown": row[f"{kind}_known"],
            "modifiedAt": written(row["modified_at"]),
        }
        for kind in ("eligibility", "verification")
    }


def _ages(connection: Connection, customer: str, row: RowMapping, now: datetime) -> list[dict[str, Any]]:
    """When this customer's facts of each stream were last read, whole or by itself, and when the stream was pulled."""
    parameters = {"account_id": customer, "client_id": row["client_id"]}
    return [
        {
            "stream": age.stream,
            "syncedAt": written(age.synced_at),
            "readAt": written(age.read_at),
            "ageSeconds": None if age.read_at is None else int((now - age.read_at).total_seconds()),
        }
        for age in connection.execute(sql.statement("explain/explain_fact_ages"), parameters)
    ]


def _notifications(
    connection: Connection, facts: Facts, rules: Rules, customer: str, now: datetime
) -> list[dict[str, Any]]:
    parameters = {"customer_id": customer, "at_most": AT_MOST}
    steps = connection.execute(sql.statement("explain/explain_transitions"), parameters).mappings().all()
    listed = []
    for row in connection.execute(sql.statement("explain/explain_notifications"), parameters).mappings():
        again_from = row["created_at"] + timedelta(hours=rules.notifications.types[row["type"]].window_hours)
        why = {"why": _why(row, facts, rules, steps), "sameAgainFrom": written(again_from)}
        listed.append(as_object(row) | why | {"isWithinWindow": now < again_from})
    return listed


def _why(row: RowMapping, facts: Facts, rules: Rules, steps: Sequence[RowMapping]) -> str:
    if row["type"] == "SYSTEM_ANNOUNCEMENT":
        return f"announced by the operator in run {row['run_id']}"
    if row["type"] in ("INVOICE_DUE", "PAYMENT_METHOD_EXPIRING"):
        return explain.sent(row["type"], row["source_id"], row["created_at"], facts, rules)
    for step in steps:
        is_it = step["notification_type"] == row["type"] and step["entity_id"] == row["source_id"]
        if is_it and step["observed_at"] <= row["created_at"]:
            return explain_text.step_in_words(as_object(step))
    return "a transition that is no longer among those kept or listed"


def _listed(connection: Connection, statement: str, **parameters: object) -> list[dict[str, Any]]:
    return [as_object(row) for row in connection.execute(sql.statement(statement), parameters).mappings()]


def _built(value: Any) -> Any:
    return msgspec.to_builtins(value)
