"""Customers whose document cannot be computed: set aside with the reason, so that all others go on; tried again later.

They keep the document they have. A mark, the next change of their document, or the time of a retry brings them back.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

import sql
from config.database import Database
from config.errors import MeStatusError
from materializer import units
from materializer.units import At

Work = Callable[[Connection, Sequence[str]], dict[str, Any]]


def isolating(database: Database, unit: str, customers: Sequence[str], at: At, work: Work) -> dict[str, Any]:
    """What `work` of the customers counted, in one transaction under the unit's name.

    Where it raises, each half is worked on by itself, down to the customers at fault. Raises what is nobody's fault,
    such as a lost connection.
    """
    try:
        return database.transact(
            lambda connection: units.once(connection, at, unit, lambda: work(connection, customers))
        )
    except Exception as error:
        if not customers or _is_of_all(error):
            raise
        if len(customers) == 1:
            failed = {customers[0]: reason_of(error)}
            return database.transact(
                lambda connection: units.once(connection, at, unit, lambda: note(connection, failed, at))
            )
    half = len(customers) // 2
    halves = (customers[:half], customers[half:])
    return units.added_up(isolating(database, f"{unit}.{number}", part, at, work) for number, part in enumerate(halves))


def note(connection: Connection, failed: Mapping[str, str], at: At) -> dict[str, Any]:
    """Sets customers aside, each with the reason; what that counts."""
    if failed:
        parameters = {
            "customer_ids": list(failed),
            "reasons": list(failed.values()),
            "now": at.now,
            "run_id": at.run_id,
        }
        connection.execute(sql.statement("refresh/note_failed_customers"), parameters)
    return {"failed": len(failed)} if failed else {}


def forget(connection: Connection, customers: Sequence[str]) -> None:
    """Forgets that these customers failed: their document was computed."""
    connection.execute(sql.statement("refresh/forget_failed_customers"), {"customer_ids": list(customers)})


def reason_of(error: BaseException) -> str:
    """What went wrong, without values: of a database error its primary message, of any other its kind and place."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error):
        return f"the database refused: {cause.diag.message_primary or type(cause).__name__}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {place.name} ({place.filename.rsplit('/', 1)[-1]}:{place.lineno})"


def _is_of_all(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.errors.ProgramLimitExceeded):
        return False
    return isinstance(cause, MeStatusError | psycopg.OperationalError | psycopg.InterfaceError)
