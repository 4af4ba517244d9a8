"""`explain`: why a customer has the tasks and notifications it has, and what dedupe swallowed."""

from __future__ import annotations

import argparse
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

import sql
from config.errors import MeStatusError
from jobs.instants import written
from jobs.program import SUCCESS, Program, answer, say
from jobs.rebuild import account_id

AT_MOST = 50


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Prints what is stored. Raises MeStatusError (exit 1) when there is no such account."""
    with program.database() as engine, engine.connect() as connection:
        found = gather(connection, program, account_id(arguments.customer))
    if arguments.json:
        answer(found)
    else:
        say("\n".join(in_words(found)))
    return SUCCESS


def gather(connection: Connection, program: Program, customer_id: str) -> dict[str, Any]:
    """The object that `explain --json` prints; a merged account is explained as its winner."""
    row = connection.execute(sql.statement("explain_customer"), {"customer_id": customer_id}).mappings().one_or_none()
    if row is None:
        raise MeStatusError(f"{customer_id} is no account of the snapshot; is it deleted, merged or not yet synced?")
    document = row["document"] or {}
    client = row["client_id"] if row["link_state"] == "linked" else None
    return {
        "customerId": customer_id,
        "isCustomer": row["is_customer"],
        "link": {"state": row["link_state"], "clientId": row["client_id"]},
        "account": _account(dict(row), program),
        "records": _rows(connection, "explain_records", account_id=customer_id, client_id=client),
        "sources": _ages(connection),
        "tasks": document.get("tasks", []),
        "computedAt": written(row["computed_at"]),
        "isMarked": row["marked_at"] is not None,
        "nextChangeAt": written(row["next_change_at"]),
        "nextNotificationAt": written(row["next_notification_at"]),
        "transitions": _rows(connection, "explain_transitions", customer_id=customer_id, at_most=AT_MOST),
        "notifications": _rows(connection, "explain_notifications", customer_id=customer_id, at_most=AT_MOST),
        "swallowed": _rows(connection, "explain_swallowed", customer_id=customer_id, at_most=AT_MOST),
    }


def in_words(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    link = found["link"]
    lines = [
        f"customer {found['customerId']}; link: {link['state'] or 'no customer'}"
        + (f" (WHMCS client {link['clientId']})" if link["clientId"] is not None else ""),
        f"  document computed {found['computedAt'] or 'never'}"
        + (", facts changed since" if found["isMarked"] else "")
        + f"; next change {found['nextChangeAt'] or 'only when facts change'}",
    ]
    lines += [f"  {stream} last pulled {at}" for stream, at in found["sources"].items()]
    lines += [
        f"  {name}: {value['status']} (the source says {value['word']!r} in {value['field']})"
        for name, value in found["account"].items()
    ]
    lines += [_record(row) for row in found["records"]]
    lines.append("tasks:")
    lines += [f"  {task['type']} ({task['id']}): {task['title']}" for task in found["tasks"]] or ["  none"]
    lines.append("transitions:")
    lines += [
        f"  {row['observedAt']} {row['entity']} {row['entityId']} {row['field']}: "
        f"{row['oldValue']} -> {row['newValue']}"
        + (f" calls for {row['notificationType']}" if row["notificationType"] else "")
        for row in found["transitions"]
    ] or ["  none"]
    lines.append("notifications:")
    lines += [
        f"  {row['createdAt']} {row['type']} about {row['sourceId']}" + (" (resolved)" if row["resolvedAt"] else "")
        for row in found["notifications"]
    ] or ["  none"]
    lines.append("not sent:")
    lines += [
        f"  {row['swallowedAt']} {row['type']} about {row['sourceId']}: {row['reason']}"
        + (f", passes from {row['passesAt']}" if row["passesAt"] else "")
        for row in found["swallowed"]
    ] or ["  nothing"]
    return lines


def _account(row: dict[str, Any], program: Program) -> dict[str, Any]:
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


def _ages(connection: Connection) -> dict[str, str | None]:
    rows = connection.execute(sql.statement("list_stream_states")).mappings()
    return {row["stream"]: written(row["synced_at"]) for row in rows}


def _rows(connection: Connection, statement: str, **parameters: object) -> list[dict[str, Any]]:
    rows = connection.execute(sql.statement(statement), parameters).mappings()
    return [{_camel(name): _plain(value) for name, value in row.items()} for row in rows]


def _record(row: dict[str, Any]) -> str:
    due = f", {row['dueOn']}" if row["dueOn"] else ""
    return f"  {row['kind']} {row['recordId']}: {row['status']} ({row['detail']}{due})"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return written(value)
    return value.isoformat() if isinstance(value, date) else value
