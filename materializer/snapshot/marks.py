"""Marks: which customers the next refresh recomputes, because a row that concerns them changed.

Records of a client concern whoever claims the client. Of two transactions under way, one of which changes such a record
and the other who claims the client, neither sees what the other does: whoever looks up claims holds them until it ends,
and whoever changes claims holds them alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

import sql
from materializer.snapshot.streams import Stream

CLAIMS = "me-status claims"
_OF_CLIENTS, _NAMED = "snapshot/list_customers_of_clients", "snapshot/list_customers_named"


def hold_claims(connection: Connection) -> None:
    """Holds the claims as they are until the transaction ends, beside others who do so."""
    connection.execute(sql.statement("snapshot/lock_by_name"), {"name": CLAIMS, "is_alone": False})


def hold_claims_alone(connection: Connection) -> None:
    """Waits for all who hold the claims, and lets nobody look them up before the transaction ends."""
    connection.execute(sql.statement("snapshot/lock_by_name"), {"name": CLAIMS, "is_alone": True})


def mark_owners(connection: Connection, stream: Stream, tables: Iterable[pa.Table], now: datetime) -> None:
    """Marks the customers that rows of the stream concern: for a link also everybody who claims the same client."""
    mark_customers(connection, customers_of(connection, stream, tables), now)


def tie(connection: Connection, customer_ids: Collection[str]) -> None:
    """Has these customers, who are marked, refreshed together: something of theirs changed hands."""
    if customer_ids:
        connection.execute(sql.statement("snapshot/note_changing_hands"), {"customer_ids": list(customer_ids)})


def customers_of(connection: Connection, stream: Stream, tables: Iterable[pa.Table]) -> list[str]:
    """The customers that rows of the stream concern: for a link also everybody who claims the same client."""
    tables = [table for table in tables if len(table)]
    if not tables:
        return []
    concerned = _of_owners(connection, stream, _values(tables, stream.owner))
    if stream.name == "client":
        concerned += _found(connection, _NAMED, names=_values(tables, "account_reference"))
    if stream.name == "account":
        concerned += _found(connection, _OF_CLIENTS, client_ids=_values(tables, "whmcs_client_id"))
        concerned += _found(connection, _NAMED, names=_values(tables, "account_number"))
    return concerned


def mark_owner_ids(connection: Connection, stream: Stream, owners: Iterable[str | None], now: datetime) -> None:
    """Marks the customers that these owners of the stream's records (as text; None: not known) lead to."""
    given: list[Any] = sorted({owner for owner in owners if owner is not None})
    if stream.source == "whmcs":
        given = [int(owner) for owner in given]
    mark_customers(connection, _of_owners(connection, stream, given), now)


def mark_customers(connection: Connection, customer_ids: Collection[str], now: datetime) -> None:
    """Marks these customers."""
    if customer_ids:
        parameters = {"customer_ids": list(customer_ids), "now": now}
        connection.execute(sql.statement("snapshot/mark_customers"), parameters)


def mark_clients(connection: Connection, client_ids: Collection[int], now: datetime) -> None:
    """Marks whoever claims these clients."""
    mark_customers(connection, _found(connection, _OF_CLIENTS, client_ids=list(client_ids)), now)


def mark_everybody(connection: Connection, now: datetime) -> None:
    """Marks every account."""
    connection.execute(sql.statement("snapshot/mark_all_customers"), {"now": now})


def _of_owners(connection: Connection, stream: Stream, owners: list[Any]) -> list[str]:
    """The customers that owners of the stream's records lead to."""
    if stream.name == "cancellation":
        return _found(connection, "snapshot/list_customers_of_services", service_ids=owners)
    if stream.source == "whmcs":
        return _found(connection, _OF_CLIENTS, client_ids=owners)
    return list(owners)


def _found(connection: Connection, statement: str, **ids: list[Any]) -> list[str]:
    """The customers whom the statement finds for the ids, by claims that stay so until the transaction ends."""
    if not any(ids.values()):
        return []
    hold_claims(connection)
    return list(connection.execute(sql.statement(statement), ids).scalars())


def _values(tables: Iterable[pa.Table], column: str) -> list[Any]:
    distinct: set[Any] = set()
    for table in tables:
        distinct.update(table[column].unique().to_pylist())
    return sorted(distinct - {None})
