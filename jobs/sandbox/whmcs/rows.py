"""WHMCS rows as the API writes them: every field of reference section 7, texts and dates in WHMCS's forms."""

from __future__ import annotations

import html
import random
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from jobs.sandbox.tables import Row
from jobs.sandbox.whmcs.quirks import Quirks

CLIENT_IDS = frozenset({"id", "userid", "client_id", "owner_user_id", "groupid", "currency", "billingcid"})
INVOICE_IDS = frozenset({"id", "invoiceid", "userid", "paymethodid"})
SERVICE_IDS = frozenset(
    {"id", "qty", "clientid", "orderid", "pid", "serverid", "promoid", "diskusage", "disklimit", "bwusage", "bwlimit"}
)
PAY_METHOD_IDS = frozenset({"id", "contact_id"})
CANCELLATION_IDS = frozenset({"id", "relid"})
ORDER_IDS = frozenset({"id", "userid", "contactid", "requestor_id", "admin_requestor_id", "invoiceid"})
TICKET_IDS = frozenset({"id", "deptid", "userid", "flag"})

_SERVICE_TEXTS = ("servername", "serverip", "serverhostname", "suspensionreason")


class Pen:
    """Writes single values in the forms of section 5, bent as the quirks say."""

    def __init__(self, quirks: Quirks) -> None:
        self.quirks = quirks

    def text(self, value: object) -> str:
        plain = "" if value is None else str(value)
        return html.escape(plain).replace("&#x27;", "&#039;") if self.quirks.encoded_text else plain

    def status(self, value: str) -> str:
        return self.quirks.status_words.get(value, value)

    def date(self, value: date | str | None) -> str | None:
        """A date, or whatever text stands in its place."""
        if isinstance(value, str):
            return value
        return self._empty("0000-00-00") if value is None else value.isoformat()[:10]

    def stamp(self, value: datetime | str | None) -> str | None:
        """A date and time, or whatever text stands in its place."""
        if isinstance(value, str):
            return value
        return self._empty("0000-00-00 00:00:00") if value is None else value.isoformat(" ")[:19]

    def _empty(self, zero: str) -> str | None:
        return {"zero": zero, "text": "", "null": None}[self.quirks.empty_date]

    def money(self, value: object) -> str:
        return f"{Decimal(str(value or 0)):.2f}"

    def rate(self, value: object) -> str:
        return f"{Decimal(str(value or 0)):.3f}"

    def custom_fields(self, held: Any) -> list[Row]:
        """{id: value} as the list of {id, value}, with a name as the quirk says (Q24, Q25)."""
        pairs = held.items() if isinstance(held, Mapping) else [(one["id"], one["value"]) for one in held or ()]
        fields = [{"id": int(number), **self._name(number), "value": self._custom(value)} for number, value in pairs]
        if self.quirks.shuffled_custom_fields:
            random.shuffle(fields)
        return fields

    def _name(self, number: object) -> Row:
        name = self.quirks.custom_field_names
        return {} if name == "none" else {name: f"Field {number}"}

    def _custom(self, value: object) -> str:
        if value and self.quirks.anchored_custom_fields:
            return f'<a href="{value}" target="_blank" rel="nofollow noopener">{self.text(value)}</a>'
        return self.text(value)


def client(pen: Pen, row: Row) -> Row:
    """7.1: eight fields and no more."""
    return {
        "id": row["id"],
        "firstname": pen.text(row.get("firstname")),
        "lastname": pen.text(row.get("lastname")),
        "companyname": pen.text(row.get("companyname")),
        "email": pen.text(row.get("email")),
        "datecreated": pen.date(row.get("datecreated")),
        "groupid": row.get("groupid", 0),
        "status": pen.status(row.get("status", "Active")),
    }


def invoice(pen: Pen, row: Row, owner: Row, currency: Row) -> Row:
    """7.3: a row of the list; client's name and currency come from the client."""
    return {
        "id": row["id"],
        "userid": row["userid"],
        "firstname": pen.text(owner.get("firstname")),
        "lastname": pen.text(owner.get("lastname")),
        "companyname": pen.text(owner.get("companyname")),
        "invoicenum": pen.text(row.get("invoicenum")),
        "date": pen.date(row.get("date")),
        "duedate": pen.date(row.get("duedate")),
        "datepaid": pen.stamp(row.get("datepaid")),
        "last_capture_attempt": pen.stamp(row.get("last_capture_attempt")),
        "date_refunded": pen.stamp(row.get("date_refunded")),
        "date_cancelled": pen.stamp(row.get("date_cancelled")),
        **invoice_amounts(pen, row),
        "paymethodid": row.get("paymethodid"),
        "notes": pen.text(row.get("notes")),
        **_invoice_stamps(pen, row),
        "currencycode": row.get("currencycode", currency["code"]),
        "currencyprefix": row.get("currencyprefix", currency["prefix"]),
        "currencysuffix": row.get("currencysuffix", currency["suffix"]),
    }


def invoice_amounts(pen: Pen, row: Row) -> Row:
    """Sums, rates, status and gateway: the part lists and single invoices share."""
    return {
        "subtotal": pen.money(row.get("subtotal", row.get("total"))),
        "credit": pen.money(row.get("credit")),
        "tax": pen.money(row.get("tax")),
        "tax2": pen.money(row.get("tax2")),
        "total": pen.money(row.get("total")),
        "taxrate": pen.rate(row.get("taxrate")),
        "taxrate2": pen.rate(row.get("taxrate2")),
        "status": pen.status(row.get("status", "Unpaid")),
        "paymentmethod": row.get("paymentmethod", "stripe"),
    }


def _invoice_stamps(pen: Pen, row: Row) -> Row:
    if not pen.quirks.since("8.0"):
        return {}
    updated = None if pen.quirks.zero_updated_at else row.get("updated_at")
    return {"created_at": pen.stamp(row.get("created_at")), "updated_at": pen.stamp(updated)}


def single_invoice(pen: Pen, row: Row) -> Row:
    """7.4, without items and transactions: other names for the id and the capture attempt, no currency, no names."""
    amounts = invoice_amounts(pen, row)
    rates = {name: amounts.pop(name) for name in ("taxrate", "taxrate2", "status", "paymentmethod")}
    paid = row.get("status") in ("Paid", "Cancelled", "Refunded")
    return {
        "invoiceid": row["id"],
        "invoicenum": pen.text(row.get("invoicenum")),
        "userid": row["userid"],
        "date": pen.date(row.get("date")),
        "duedate": pen.date(row.get("duedate")),
        "datepaid": pen.stamp(row.get("datepaid")),
        "lastcaptureattempt": pen.stamp(row.get("last_capture_attempt")),
        **amounts,
        "balance": row.get("balance", "0.00" if paid else _still_to_pay(row, amounts["total"])),
        **rates,
        "notes": pen.text(row.get("notes")),
        "ccgateway": True,
    }


def _still_to_pay(row: Row, total: Any) -> Any:
    """The total less what its transactions paid."""
    paid = sum(Decimal(str(one["amountin"])) for one in row.get("transactions") or ())
    return f"{Decimal(str(total)) - paid:.2f}" if paid else total


def transaction(number: int, row: Row) -> Row:
    """7.4: one payment of an invoice."""
    return {
        "id": row.get("id", number),
        "amountin": f"{Decimal(str(row['amountin'])):.2f}",
        "date": row.get("date", ""),
    }


def invoice_item(pen: Pen, number: int, item: Row) -> Row:
    """7.4: one line of an invoice."""
    return {
        "id": item.get("id", number),
        "type": item.get("type", "Hosting"),
        "relid": item.get("relid", 0),
        "description": pen.text(item.get("description")),
        "amount": pen.money(item.get("amount")),
        "taxed": int(item.get("taxed", 1)),
    }


def service(pen: Pen, row: Row) -> Row:
    """7.5: a service, its clear-text password and all."""
    name, group = pen.text(row.get("name", "Internet")), pen.text(row.get("groupname", "Internet"))
    amount = pen.money(row.get("recurringamount"))
    return {
        "id": row["id"],
        **({"qty": row.get("qty", 1)} if pen.quirks.since("8.12") else {}),
        "clientid": row["clientid"],
        "orderid": row.get("orderid", 0),
        "ordernumber": str(row.get("ordernumber", 5512000000 + row["id"])),
        "pid": row.get("pid", 1),
        "regdate": pen.date(row.get("regdate")),
        "name": name,
        "translated_name": name,
        "groupname": group,
        "translated_groupname": group,
        "domain": pen.text(row.get("domain")),
        "dedicatedip": "",
        "serverid": row.get("serverid", 0),
        **{field: pen.text(row.get(field)) for field in _SERVICE_TEXTS},
        "firstpaymentamount": pen.money(row.get("firstpaymentamount", amount)),
        "recurringamount": amount,
        "paymentmethod": row.get("paymentmethod", "stripe"),
        "paymentmethodname": row.get("paymentmethodname", "Card"),
        "billingcycle": row.get("billingcycle", "Monthly"),
        "nextduedate": pen.date(row.get("nextduedate")),
        **_service_status(pen, row),
        "username": pen.text(row.get("username")),
        "password": str(row.get("password", "clear-text")),
        "subscriptionid": "",
        "promoid": row.get("promoid", 0),
        "overideautosuspend": "",
        "overidesuspenduntil": pen.date(None),
        "ns1": "",
        "ns2": "",
        "assignedips": "",
        "notes": pen.text(row.get("notes")),
        "diskusage": 0,
        "disklimit": 0,
        "bwusage": 0,
        "bwlimit": 0,
        "lastupdate": pen.stamp(row.get("lastupdate")),
        "customfields": {"customfield": pen.custom_fields(row.get("customfields"))},
        "configoptions": {"configoption": list(row.get("configoptions", ()))},
    }


def _service_status(pen: Pen, row: Row) -> Row:
    if pen.quirks.service_status == "missing":
        return {}
    return {"status": "" if pen.quirks.service_status == "empty" else pen.status(row.get("status", "Active"))}


def pay_method(pen: Pen, row: Row) -> Row:
    """7.6: a card (expiry MM/YY) or a bank account."""
    updated = row.get("last_updated")
    return {
        "id": row["id"],
        "type": row.get("type", "RemoteCreditCard"),
        "description": pen.text(row.get("description")),
        "gateway_name": row.get("gateway_name", "stripe"),
        "contact_type": "Client",
        "contact_id": row["clientid"],
        **(_card(row) if "Card" in row.get("type", "Card") else {"bank_name": pen.text(row.get("bank_name"))}),
        "remote_token": row.get("remote_token", "tok"),
        "last_updated": f"{updated:{pen.quirks.date_format}}" if updated else "",
    }


def _card(row: Row) -> Row:
    expiry = row.get("expiry_date")
    return {
        "card_last_four": str(row.get("card_last_four", "1111")),
        "expiry_date": f"{expiry:%m/%y}" if isinstance(expiry, date) else expiry or "",
        "start_date": "",
        "issue_number": "",
        "card_type": row.get("card_type", "Visa"),
    }


def cancellation(pen: Pen, row: Row) -> Row:
    """7.9: a request; no client, no status."""
    return {
        "id": row["id"],
        "date": pen.stamp(row.get("date")),
        "relid": row["relid"],
        "reason": pen.text(row.get("reason")),
        "type": row.get("type", "End of Billing Period"),
        "created_at": pen.stamp(row.get("created_at")),
        "updated_at": pen.stamp(row.get("updated_at")),
    }
