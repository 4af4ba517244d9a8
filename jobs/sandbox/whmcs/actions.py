"""The WHMCS actions the stand-in knows: which rows they find, in which order, page by page (reference 4 and 7)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from jobs.sandbox.tables import Row
from jobs.sandbox.whmcs import rows
from jobs.sandbox.whmcs.answers import Refusal, Shape, listed, totals
from jobs.sandbox.whmcs.lookup import Selection, sortable
from jobs.sandbox.whmcs.records import Records
from jobs.sandbox.whmcs.request import Call
from jobs.sandbox.whmcs.rows import Pen

CLIENTS = Shape("clients", "client", rows.CLIENT_IDS)
INVOICES = Shape("invoices", "invoice", rows.INVOICE_IDS, total_as="str")
SERVICES = Shape("products", "product", rows.SERVICE_IDS, ids_as="str")
CANCELLATIONS = Shape("packages", "package", rows.CANCELLATION_IDS)
ORDERS = Shape("orders", "order", rows.ORDER_IDS)
TICKETS = Shape("tickets", "ticket", rows.TICKET_IDS, ids_as="str", total_as="str")
DEFAULT_PAGE = 25
CLIENT_ORDERS = ("id", "firstname", "lastname", "companyname", "email", "groupid", "datecreated", "status")
INVOICE_ORDERS = {"id": "id", "invoicenumber": "invoicenum"} | {
    name: name for name in ("date", "duedate", "total", "status")
}
SERVICE_FILTERS = {"pid": "pid", "domain": "domain", "username2": "username"}


def get_clients(records: Records, call: Call) -> Row:
    """7.1; without `orderby` (or before 8.2, which ignores it) in order of the first name."""
    asked = call.parameters.get("orderby", "").lower()
    is_sorted = records.quirks.since("8.2") and asked in CLIENT_ORDERS
    selection = _clients(records, call, asked if is_sorted else "firstname")
    pen = Pen(records.quirks)
    return _paged(records, call, CLIENTS, selection, lambda row: rows.client(pen, row), is_sorted=is_sorted)


def _clients(records: Records, call: Call, order: str) -> Selection:
    status, search = call.parameters.get("status", ""), call.parameters.get("search", "").lower()
    descending = call.parameters.get("sorting", "").lower() == "desc"
    if order == "id" and not status and not search:
        return Selection(records.tables["clients"], descending=descending)

    def place(row: Row) -> Any:
        is_wanted = (not status or row.get("status") == status) and _starts(row, search)
        return sortable(_folded(row.get(order))) if is_wanted else None

    keys = records.lookups["clients"].keys((order, status, search), place)
    return Selection(records.tables["clients"], keys, descending=descending)


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _starts(row: Row, search: str) -> bool:
    names = [row.get(name) or "" for name in ("email", "firstname", "lastname", "companyname")]
    return any(name.lower().startswith(search) for name in [*names, f"{names[1]} {names[2]}"])


def get_invoices(records: Records, call: Call) -> Row:
    """7.3; sorted by id unless `orderby` names another column."""
    asked = call.parameters.get("orderby", "").lower()
    selection = _invoices(records, call, INVOICE_ORDERS.get(asked, "id"))
    return _paged(records, call, INVOICES, selection, _invoice(records), is_sorted=asked in INVOICE_ORDERS)


def _invoices(records: Records, call: Call, order: str) -> Selection:
    table, lookup = records.tables["invoices"], records.lookups["invoices"]
    status, client_id = call.parameters.get("status", ""), call.integer("userid")
    descending = call.parameters.get("order", "").lower() == "desc"
    today = records.today() if status.lower() == "overdue" else None

    def place(row: Row) -> Any:
        return sortable(row.get(order)) if _has_status(row, status, today) else None

    if client_id is not None:
        found = [(place(row), row["id"]) for row in lookup.rows_of(client_id)]
        keys = [key for value, key in sorted(pair for pair in found if pair[0] is not None)]
        return Selection(table, keys, descending=descending)
    if order == "id" and not status:
        return Selection(table, descending=descending)
    return Selection(table, lookup.keys((order, status, today), place), descending=descending)


def _has_status(row: Row, status: str, today: Any) -> bool:
    if today is not None:
        due = row.get("duedate")
        return row.get("status") == "Unpaid" and due is not None and due < today
    return not status or row.get("status", "").lower() == status.lower()


def _invoice(records: Records) -> Callable[[Row], Row]:
    pen, clients = Pen(records.quirks), records.tables["clients"]

    def render(row: Row) -> Row:
        owner = clients.get(row["userid"]) or {}
        return rows.invoice(pen, row, owner, records.currency_of(owner))

    return render


def get_clients_products(records: Records, call: Call) -> Row:
    """7.5; the filters are echoed as they came, or null."""
    echo = {name: call.parameters.get(name) or None for name in ("clientid", "serviceid", "pid", "domain")}
    pen = Pen(records.quirks)
    answer = _paged(records, call, SERVICES, _services(records, call), lambda row: rows.service(pen, row))
    return {**echo, **answer}


def _services(records: Records, call: Call) -> Selection:
    table, lookup = records.tables["services"], records.lookups["services"]
    client_id, service_id = call.integer("clientid"), call.integer("serviceid")
    wanted = {field: call.parameters[name] for name, field in SERVICE_FILTERS.items() if call.parameters.get(name)}

    def place(row: Row) -> Any:
        return row["id"] if all(str(row.get(field, "")) == value for field, value in wanted.items()) else None

    if service_id is not None:
        found = [row for row in [table.get(service_id)] if row and client_id in (None, row["clientid"])]
        return Selection(table, [row["id"] for row in found if place(row)])
    if client_id is not None:
        return Selection(table, [row["id"] for row in lookup.rows_of(client_id) if place(row)])
    return Selection(table, lookup.keys(tuple(wanted.items()), place) if wanted else None)


def get_cancelled_packages(records: Records, call: Call) -> Row:
    """7.9; there is no filter."""
    pen, selection = Pen(records.quirks), Selection(records.tables["cancellations"])
    return _paged(records, call, CANCELLATIONS, selection, lambda row: rows.cancellation(pen, row))


def get_orders(records: Records, call: Call) -> Row:
    """7.7; rows are given out as they were stored."""
    return _stored(records, call, "orders", ORDERS, ("id", "userid", "requestor_id", "status"))


def get_tickets(records: Records, call: Call) -> Row:
    """7.8; rows are given out as they were stored; `clientid` is held as `userid`."""
    return _stored(records, call, "tickets", TICKETS, ("deptid", "clientid", "email", "status", "subject"))


def _stored(records: Records, call: Call, table: str, shape: Shape, filters: tuple[str, ...]) -> Row:
    wanted = {"userid" if name == "clientid" else name: call.parameters.get(name) for name in filters}
    given = [(field, value) for field, value in wanted.items() if value]

    def place(row: Row) -> Any:
        return row["id"] if all(str(row.get(field, "")) == value for field, value in given) else None

    keys = records.lookups[table].keys(tuple(given), place)
    return _paged(records, call, shape, Selection(records.tables[table], keys), dict)


def _paged(
    records: Records,
    call: Call,
    shape: Shape,
    selection: Selection,
    render: Callable[[Row], Row],
    *,
    is_sorted: bool = False,
) -> Row:
    """Section 4: the offset is absolute, a page is 25 rows unless `limitnum` says otherwise."""
    quirks = records.quirks
    start = max(0, call.integer("limitstart") or 0)
    limit = max(0, call.integer("limitnum") or 0) or DEFAULT_PAGE
    capped = min(limit, quirks.page_cap) if quirks.page_cap else limit
    order = "stable" if is_sorted else quirks.tie_order
    found = _in_order(selection, start, capped, order)
    if not found and quirks.no_results and not len(selection):
        raise Refusal(quirks.no_results)
    written = [render(row) for row in found]
    return {**totals(shape, len(selection), start, len(written), quirks), **listed(shape, written, quirks)}


def _in_order(selection: Selection, start: int, limit: int, order: str) -> list[Row]:
    if order == "stable":
        return selection.rows(start, limit)
    if order == "shuffled":
        everything = selection.rows(0, len(selection))
        random.shuffle(everything)
        return everything[start : start + limit]
    return _with_neighbours_swapped(selection, start, limit)


def _with_neighbours_swapped(selection: Selection, start: int, limit: int) -> list[Row]:
    """Pairs begin at even or at odd positions, as the request's luck has it; no scan, so it suits large tables."""
    first = max(0, start - 1)
    window = selection.rows(first, limit + 2)
    luck = random.choice((0, 1))
    last = len(selection) - 1
    positions = range(start, min(start + limit, last + 1))
    partners = (at + 1 if (at + luck) % 2 == 0 else at - 1 for at in positions)
    swapped = (partner if 0 <= partner <= last else at for at, partner in zip(positions, partners, strict=True))
    return [window[at - first] for at in swapped]
