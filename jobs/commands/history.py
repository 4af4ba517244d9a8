"""`history`: what was served to a customer at an instant, byte for byte, or the list of changes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

import sql
from config.errors import MeStatusError
from jobs.commands import explain
from jobs.commands.rebuild import account_id
from jobs.program import SUCCESS, Program, answer, say
from jobs.text import written
from materializer.refresh.rebuild import differing_paths

PATHS_SHOWN = 6


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Prints it. Raises MeStatusError (exit 1) when nothing was served to that customer, or not at that instant."""
    with program.database() as engine, engine.connect() as connection:
        customer = customer_meant(connection, arguments.customer)
        if arguments.at is None:
            _print_changes(customer, changes(connection, customer), as_json=arguments.json)
        else:
            _print_document(customer, served_at(connection, customer, arguments.at), as_json=arguments.json)
    return SUCCESS


def customer_meant(connection: Connection, asked: str) -> str:
    """The Account id for an Account id, one that was deleted or merged since included, or a WHMCS client id."""
    if asked.isdecimal() and len(asked) <= explain.LONGEST_CLIENT_ID:
        return explain.find(connection, asked)[0]
    return account_id(asked)


def served_at(connection: Connection, customer: str, at: datetime) -> Row[Any]:
    """The version that held at `at`: valid_from, valid_to, run_id, content_hash, document (text)."""
    parameters = {"customer_id": customer, "at": at}
    found = connection.execute(sql.statement("history/read_served_version"), parameters).one_or_none()
    if found is None:
        raise MeStatusError(
            f"nothing was served to {customer} at {written(at)}; `me-status history {customer}` lists what was"
        )
    return found


def changes(connection: Connection, customer: str) -> list[dict[str, Any]]:
    """One entry per version, oldest first: when it held, its run, hash, and the paths that changed with it."""
    rows = connection.execute(sql.statement("history/list_served_versions"), {"customer_id": customer}).all()
    if not rows:
        raise MeStatusError(f"nothing was ever served to {customer}; `me-status explain {customer}` says what is known")
    return list(_changes(rows))


def _changes(rows: Sequence[Row[Any]]) -> Iterator[dict[str, Any]]:
    before: Row[Any] | None = None
    for row in rows:
        follows = before is not None and before.valid_to == row.valid_from
        yield {
            "validFrom": written(row.valid_from),
            "validTo": written(row.valid_to),
            "runId": row.run_id,
            "contentHash": row.content_hash,
            "changed": differing_paths(before.document, row.document) if before is not None and follows else None,
        }
        before = row


def _print_changes(customer: str, listed: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        answer({"customerId": customer, "versions": listed})
        return
    for version in listed:
        until = version["validTo"] or "now"
        say(f"{version['validFrom']} to {until}, run {version['runId']}: {_in_words(version['changed'])}")


def _in_words(paths: list[str] | None) -> str:
    if paths is None:
        return "first served"
    more = len(paths) - PATHS_SHOWN
    return ", ".join(paths[:PATHS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _print_document(customer: str, version: Row[Any], *, as_json: bool) -> None:
    """The bytes as they were; a line end follows on a terminal only."""
    if not as_json:
        sys.stdout.write(version.document + ("\n" if sys.stdout.isatty() else ""))
        return
    about = {
        "customerId": customer,
        "validFrom": written(version.valid_from),
        "validTo": written(version.valid_to),
        "runId": version.run_id,
        "contentHash": version.content_hash,
    }
    say(f'{json.dumps(about)[:-1]}, "document": {version.document}}}')
