"""WHMCS records as rows of their streams: the keys that are taken, and how they are read (whmcs-api 5, 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources import columns
from jobs.sources.columns import Column, ReadRows
from jobs.sources.whmcs.answers import listed
from jobs.sources.whmcs.pages import Action
from materializer.snapshot.streams import (
    BALANCE,
    CANCELLATION,
    CLIENT,
    INVOICE,
    INVOICE_STATUSES,
    PAY_METHOD,
    SERVICE,
    SERVICE_STATUSES,
    Stream,
)


@dataclass(frozen=True)
class WhmcsStream:
    """One stream's action and columns. `is_ordered`: the action sorts by id when asked."""

    stream: Stream
    action: Action
    columns: tuple[Column, ...]
    vocabulary: frozenset[str] = frozenset()
    is_ordered: bool = False
    newest_first: tuple[tuple[str, str], ...] = ()

    @property
    def owner_key(self) -> str:
        """The source's key of the column that leads to the customer."""
        return next(column.key for column in self.columns if column.name == self.stream.owner)

    def rows(self, values: Mapping[str, Sequence[Any]], place: Callable[[int], str]) -> ReadRows:
        """The values as rows of the stream, without those set aside."""
        read = columns.read_lists(values, self.columns, place, self.stream.owner)
        return replace(read, rows=self._complete(read.rows))

    def _complete(self, read: pa.Table) -> pa.Table:
        arrays = []
        for field in self.stream.schema:
            if field.name == "status_known":
                is_known = pc.is_in(read["status"], pa.array(self.vocabulary, pa.string()))
                arrays.append(pc.if_else(is_known, read["status"], None))
            elif field.name in read.schema.names:
                arrays.append(read[field.name])
            else:
                arrays.append(pa.nulls(read.num_rows, field.type))
        return pa.table(arrays, schema=self.stream.schema)


def whmcs_streams(zone: ZoneInfo) -> dict[str, WhmcsStream]:
    """The WHMCS streams by name; `zone` is that of the server's dates."""
    moment = columns.local_instant(zone)
    return {
        "client": _source_stream(
            CLIENT,
            "GetClients",
            ("clients", "client"),
            (
                Column("client_id", "id", columns.integer, "present"),
                Column("status", "status", columns.encoded_word),
            ),
            order=("orderby", "sorting"),
        ),
        "invoice": _source_stream(
            INVOICE,
            "GetInvoices",
            ("invoices", "invoice"),
            (
                Column("invoice_id", "id", columns.integer, "present"),
                Column("client_id", "userid", columns.integer, "present"),
                Column("invoice_number", "invoicenum", columns.encoded_text),
                Column("status", "status", columns.encoded_word, "readable"),
                Column("invoiced_on", "date", columns.day),
                Column("due_on", "duedate", columns.day, "readable"),
                Column("paid_at", "datepaid", moment),
                Column("total", "total", columns.money, "present"),
                Column("currency", "currencycode", columns.currency),
                Column("created_at", "created_at", moment),
            ),
            INVOICE_STATUSES,
            order=("orderby", "order"),
        ),
        "service": _source_stream(
            SERVICE,
            "GetClientsProducts",
            ("products", "product"),
            (
                Column("service_id", "id", columns.integer, "present"),
                Column("client_id", "clientid", columns.integer, "present"),
                Column("status", "status", columns.encoded_word, "readable"),
                Column("product_name", "name", columns.encoded_text),
                Column("registered_on", "regdate", columns.day),
                Column("next_due_on", "nextduedate", columns.day),
            ),
            SERVICE_STATUSES,
        ),
        "cancellation": _source_stream(
            CANCELLATION,
            "GetCancelledPackages",
            ("packages", "package"),
            (
                Column("cancellation_id", "id", columns.integer, "present"),
                Column("service_id", "relid", columns.integer, "present"),
                Column("kind", "type", columns.encoded_text),
                Column("requested_at", "date", moment),
            ),
        ),
        "balance": _source_stream(
            BALANCE,
            "GetInvoice",
            ("items", "item"),
            (
                Column("invoice_id", "invoiceid", columns.integer, "present"),
                Column("client_id", "userid", columns.integer, "present"),
                Column("balance", "balance", columns.money, "present"),
                Column("is_mass_pay", "items", _are_invoices, "present"),
            ),
        ),
        "pay_method": _source_stream(
            PAY_METHOD,
            "GetPayMethods",
            ("paymethods", "paymethod"),
            (
                Column("pay_method_id", "id", columns.integer, "present"),
                Column("client_id", "clientid", columns.integer, "present"),
                Column("kind", "type", columns.encoded_text),
                Column("card_last_four", "card_last_four", columns.text),
                Column("expires_on", "expiry_date", columns.expiry),
            ),
        ),
    }


def _are_invoices(values: Sequence[Any]) -> columns.Parsed:
    """Whether an invoice's items are other invoices (whmcs-api 7.4: Mass Pay)."""
    found: list[bool | None] = []
    for items in values:
        rows = listed({"items": items}, "items", "item") if isinstance(items, dict | list) or items == "" else None
        known = rows is not None and all(isinstance(row.get("type"), str | None) for row in rows)
        found.append(any(str(row.get("type")).strip() == "Invoice" for row in rows or ()) if known else None)
    return pa.array(found, pa.bool_()), {}


def _source_stream(
    stream: Stream,
    action: str,
    where: tuple[str, str],
    wanted: tuple[Column, ...],
    vocabulary: frozenset[str] = frozenset(),
    order: tuple[str, str] | None = None,
) -> WhmcsStream:
    keys = tuple(column.key for column in wanted)
    ascending = ((order[0], "id"), (order[1], "asc" if order[1] == "order" else "ASC")) if order else ()
    descending = ((order[0], "id"), (order[1], "desc" if order[1] == "order" else "DESC")) if order else ()
    return WhmcsStream(
        stream, Action(action, *where, keys, ascending), wanted, vocabulary, order is not None, descending
    )
