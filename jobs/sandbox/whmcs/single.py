"""The WHMCS actions that answer about one record or about the install itself: nothing here is paged (reference 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobs.sandbox.tables import Row
from jobs.sandbox.whmcs import rows
from jobs.sandbox.whmcs.actions import (
    get_cancelled_packages,
    get_clients,
    get_clients_products,
    get_invoices,
    get_orders,
    get_tickets,
)
from jobs.sandbox.whmcs.answers import Refusal, Shape, listed, typed_ids
from jobs.sandbox.whmcs.quirks import Version
from jobs.sandbox.whmcs.records import Records
from jobs.sandbox.whmcs.request import Call
from jobs.sandbox.whmcs.rows import Pen

PAY_METHODS = Shape("paymethods", None, rows.PAY_METHOD_IDS)
CURRENCIES = Shape("currencies", "currency", frozenset({"id"}))
PRODUCTS = Shape("products", "product", frozenset({"pid", "gid"}))
CLIENT = Shape("client", None, rows.CLIENT_IDS)
INVOICE = Shape("invoice", None, rows.INVOICE_IDS)
ITEMS = Shape("items", "item", frozenset({"id", "relid"}))
_TEXTS = (
    "address1",
    "address2",
    "city",
    "state",
    "postcode",
    "country",
    "countrycode",
    "phonenumber",
    "notes",
    "tax_id",
)


def get_clients_details(records: Records, call: Call) -> Row:
    """7.2: the client, and a deprecated copy of its fields at the top level."""
    if not call.parameters.get("clientid") and not call.parameters.get("email"):
        raise Refusal("Either clientid Or email Is Required")
    row = _client(records, call)
    if row is None:
        raise Refusal("Client Not Found")
    details = _details(Pen(records.quirks), row, records)
    return {**details, "client": details} | (
        _stats(records, row) if call.parameters.get("stats") in ("1", "true") else {}
    )


def _client(records: Records, call: Call) -> Row | None:
    client_id = call.integer("clientid")
    if client_id is not None:
        return records.tables["clients"].get(client_id)
    email = call.parameters["email"].lower()
    rows_of_email = (row for row in records.tables["clients"].rows() if (row.get("email") or "").lower() == email)
    return next(rows_of_email, None)


def _details(pen: Pen, row: Row, records: Records) -> Row:
    number, currency = row["id"], records.currency_of(row)
    fields = pen.custom_fields(row.get("customfields"))
    names = rows.client(pen, row)
    email_preferences = dict.fromkeys(("general", "invoice", "support", "product", "domain", "affiliate"), "1")
    details = {
        "client_id": number,
        **({"owner_user_id": number} if pen.quirks.since("8.0") else {}),
        "userid": number,
        **names,
        "uuid": f"00000000-0000-4000-8000-{number:012d}",
        "fullname": f"{names['firstname']} {names['lastname']}",
        **{name: pen.text(row.get(name)) for name in _TEXTS},
        "email_preferences": email_preferences,
        "currency": currency["id"],
        "currency_code": currency["code"],
        "defaultgateway": "",
        "credit": pen.money(row.get("credit")),
        "taxexempt": False,
        "allowSingleSignOn": 1,
        "email_verified": True,
        "lastlogin": "Date: 02/11/2026 08:14<br>IP Address: <br>Host: ",
        "customfields": fields,
        **{f"customfields{at}": field["value"] for at, field in enumerate(fields, start=1)},
    }
    return typed_ids(details, CLIENT, pen.quirks) | (_users(details) if pen.quirks.since("8.0") else {})


def _users(details: Row) -> Row:
    user = {"id": details["id"], "name": details["fullname"], "email": details["email"], "is_owner": True}
    return {"users": {"user": [user]}}


def _stats(records: Records, row: Row) -> Row:
    today = records.today()
    unpaid = [one for one in records.lookups["invoices"].rows_of(row["id"]) if one.get("status") == "Unpaid"]
    overdue = [one for one in unpaid if one.get("duedate") and one["duedate"] < today]
    currency = records.currency_of(row)
    balance = sum(one["total"] for one in overdue)
    text = f"{currency['prefix']}{balance:.2f}{currency['suffix']}"
    counts = {"numunpaidinvoices": len(unpaid), "numoverdueinvoices": len(overdue)}
    return {"stats": {**counts, "overdueinvoicesbalance": text, "incredit": False}}


def get_invoice(records: Records, call: Call) -> Row:
    """7.4: one invoice with its lines and payments; `transactions` is "" where there are none."""
    row = records.tables["invoices"].get(call.integer("invoiceid") or 0)
    if row is None:
        raise Refusal("Invoice ID Not Found")
    pen = Pen(records.quirks)
    line = {"description": "Services", "amount": row.get("total")}
    items = [rows.invoice_item(pen, at, item) for at, item in enumerate(row.get("items") or [line], start=1)]
    invoice = typed_ids(rows.single_invoice(pen, row), INVOICE, records.quirks)
    paid = [rows.transaction(at, one) for at, one in enumerate(row.get("transactions") or [], start=1)]
    return {**invoice, **listed(ITEMS, items, records.quirks), "transactions": {"transaction": paid} if paid else ""}


def get_pay_methods(records: Records, call: Call) -> Row:
    """7.6: a plain array, no totals; `type` CreditCard and BankAccount cover the remote kinds."""
    client_id, kind = call.integer("clientid"), call.parameters.get("type", "")
    if client_id is None:
        raise Refusal("Client ID Is Required")
    if kind not in ("", "CreditCard", "BankAccount"):
        raise Refusal("Invalid Pay Method Type. Should be 'BankAccount' or 'CreditCard'")
    if client_id not in records.tables["clients"]:
        raise Refusal("Client Not Found")
    pen, only = Pen(records.quirks), call.integer("paymethodid")
    held = [rows.pay_method(pen, row) for row in records.lookups["pay_methods"].rows_of(client_id)]
    wanted = [row for row in held if row["type"].endswith(kind) and only in (None, row["id"])]
    return {"clientid": call.parameters["clientid"], **listed(PAY_METHODS, wanted, records.quirks)}


def get_currencies(records: Records, call: Call) -> Row:
    """7.11: nested, with a total only."""
    return {"totalresults": len(records.currencies), **listed(CURRENCIES, records.currencies, records.quirks)}


def get_products(records: Records, call: Call) -> Row:
    """7.12: a catalogue of one product, for connection checks."""
    product = {"pid": 1, "gid": 1, "type": "other", "name": "Internet 100", "slug": "internet-100", "description": ""}
    pricing: dict[str, Any] = {
        one["code"]: {"prefix": one["prefix"], "suffix": one["suffix"], "monthly": "20.00", "annually": "-1.00"}
        for one in records.currencies
    }
    row = {**product, "module": "", "paytype": "recurring", "pricing": pricing}
    return {"totalresults": 1, **listed(PRODUCTS, [row], records.quirks)}


def get_admin_details(records: Records, call: Call) -> Row:
    """7.14: the credential's admin and the version."""
    admin = {"adminid": 1, "name": "API User", "notes": "", "signature": "", "departments": ",1,"}
    return {**admin, "allowedpermissions": "API Access,List Clients,List Invoices", **whmcs_details(records, call)}


def whmcs_details(records: Records, call: Call) -> Row:
    """7.14: the version (8.0 and later)."""
    version = f"{records.quirks.version}.0"
    return {"whmcs": {"version": version, "canonicalversion": f"{version}-release.1"}}


def get_automation_log(records: Records, call: Call) -> Row:
    """7.14: the server's clock and the last cron run, both in server time."""
    pen, now = Pen(records.quirks), records.local_now()
    dates = {name: call.parameters.get(name) or pen.date(now.date()) for name in ("startdate", "enddate")}
    clock = {"currentDatetime": pen.stamp(now), "lastDailyCronInvocationTime": pen.stamp(records.last_cron_at)}
    return {**clock, **dates, "statistics": {}}


Action = Callable[[Records, Call], Row]
ACTIONS: dict[str, Action] = {
    "GetClients": get_clients,
    "GetClientsDetails": get_clients_details,
    "GetInvoices": get_invoices,
    "GetInvoice": get_invoice,
    "GetClientsProducts": get_clients_products,
    "GetPayMethods": get_pay_methods,
    "GetCancelledPackages": get_cancelled_packages,
    "GetOrders": get_orders,
    "GetTickets": get_tickets,
    "GetCurrencies": get_currencies,
    "GetProducts": get_products,
    "GetAdminDetails": get_admin_details,
    "WhmcsDetails": whmcs_details,
    "GetAutomationLog": get_automation_log,
}
SINCE: dict[str, Version] = {"GetPayMethods": "8.0", "WhmcsDetails": "8.0"}
"""The first version profile that knows an action (GetPayMethods came with 7.8, between two profiles)."""
NAMES = {name.lower(): name for name in ACTIONS}


def canonical(action: str) -> str:
    """The action's name in the reference's letter case; an unknown one as it came."""
    return NAMES.get(action.lower(), action)


def find_action(records: Records, call: Call) -> Action:
    """What answers the call. Raises Refusal for an empty action and for one this version does not know."""
    if not call.action:
        raise Refusal("Empty action request", "400 Bad Request")
    name = canonical(call.action)
    if name not in ACTIONS or not records.quirks.since(SINCE.get(name, "7.7")):
        raise _unknown(records, call)
    return ACTIONS[name]


def _unknown(records: Records, call: Call) -> Refusal:
    if not records.quirks.since("8.0"):
        return Refusal("Command not found")
    return Refusal(f'Invalid API Action: "{call.action}" is not a valid API action', "400 Bad Request")
