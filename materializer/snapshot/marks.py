"""Marks: which customers the next refresh recomputes, because a row that concerns them changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

import sql
from materializer.snapshot.streams import Stream


def mark_owners(connection: Connection, stream: Stream, tables: Iterable[pa.Table], now: datetime) -> None:
    """Marks the customers that rows of the stream concern: for a link also everybody who claims the same client."""
    tables = [table for table in tables if len(table)]
    if not tables:
        return
    owners = _values(tables, stream.owner)
    if stream.name == "cancellation":
        _mark_found(connection, "snapshot/list_customers_of_services", now, service_ids=owners)
    elif stream.source == "whmcs":
        mark_clients(connection, owners, now)
        if stream.name == "client":
            _mark_found(connection, "snapshot/list_customers_named", now, names=_values(tables, "account_reference"))
    else:
        mark_customers(connection, owners, now)
        if stream.name == "account":
            mark_clients(connection, _values(tables, "whmcs_client_id"), now)
            _mark_found(connection, "snapshot/list_customers_named", now, names=_values(tables, "account_number"))


def mark_owner_ids(connection: Connection, stream: Stream, owners: Iterable[str | None], now: datetime) -> None:
    """Marks the customers that these owners of the stream's records (as text; None: not known) lead to."""
    given = sorted({owner for owner in owners if owner is not None})
    if stream.name == "cancellation":
        _mark_found(connection, "snapshot/list_customers_of_services", now, service_ids=_integers(given))
    elif stream.source == "whmcs":
        mark_clients(connection, _integers(given), now)
    else:
        mark_customers(connection, given, now)


def mark_customers(connection: Connection, customer_ids: Collection[str], now: datetime) -> None:
    """Marks these customers."""
    if customer_ids:
        parameters = {"customer_ids": list(customer_ids), "now": now}
        connection.execute(sql.statement("snapshot/mark_customers"), parameters)


def mark_clients(connection: Connection, client_ids: Collection[int], now: datetime) -> None:
    """Marks whoever claims these clients."""
    _mark_found(connection, "snapshot/list_customers_of_clients", now, client_ids=list(client_ids))


def mark_everybody(connection: Connection, now: datetime) -> None:
    """Marks every account."""
    connection.execute(sql.statement("snapshot/mark_all_customers"), {"now": now})


def _mark_found(connection: Connection, statement: str, now: datetime, **ids: list[Any]) -> None:
    """Marks the customers whom the statement finds for the ids."""
    if any(ids.values()):
        mark_customers(connection, connection.execute(sql.statement(statement), ids).scalars().all(), now)


def _integers(ids: Iterable[str]) -> list[int]:
    return [int(one) for one in ids]


def _values(tables: Iterable[pa.Table], column: str) -> list[Any]:
    distinct: set[Any] = set()
    for table in tables:
        distinct.update(table[column].unique().to_pylist())
    return sorted(distinct - {None})
