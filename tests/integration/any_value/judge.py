"""What a document may say of a customer of whom one record holds an absurd value: the contract's words, by hand.

A record that was set aside makes its figures unknown, or leaves them as they were where it was known. One that was
taken is what it says. Everything else of the customer is as it would be without.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Figures = tuple[Any, ...]
Parts = Mapping[str, Figures]
Spoilt = tuple[str, str, str]
"""Stream, field and the JSON text that stands there."""
KEYS = {"Id", "id", "invoiceid"}
OWNERS = {"AccountId", "userid", "clientid", "relid"}
BILLING = {"invoice", "service", "pay_method"}
DECIDES: dict[str, set[str]] = {
    "account": {"account", "link", "order", "case", *BILLING},
    "client": {"link", *BILLING},
    "order": {"order"},
    "case": {"case"},
    "invoice": {"invoice"},
    "balance": {"invoice"},
    "service": {"service"},
    "pay_method": {"pay_method"},
    "cancellation": set(),
}
"""The parts of a document that a record of each stream decides."""
UNKNOWN: Parts = {
    "link": ("in_doubt",),
    "order": (None,),
    "case": (None,),
    "invoice": (None, None, None, None),
    "service": (None,),
    "pay_method": (None, False),
}
WITHOUT: Parts = {"order": (1,), "case": (1,), "service": (1,), "invoice": (1, 0, "20.00", "JPY")}
"""The figures where the record does not count; there is one more of each kind."""
CLOSED = {"Draft", "Activated", "Completed", "Cancelled", "Rejected"}
STATUSES = {
    "Internet_Eligibility_Status__c": (
        0,
        {None: "not_requested", "Pending": "pending", "Eligible": "eligible", "Ineligible": "ineligible"},
    ),
    "Id_Verification_Status__c": (
        1,
        {None: "not_submitted", "Submitted": "submitted", "Verified": "verified", "Rejected": "rejected"},
    ),
}
"""Of the account's statuses the place among its figures, and what each word means."""


def parts_of(document: Mapping[str, Any]) -> Parts:
    """The parts of a document that records decide, each as a few plain values."""
    stats = document["summary"]["stats"]
    return {
        "account": (document["internetEligibility"]["status"], document["residenceCardVerification"]["status"]),
        "link": (document["billing"]["state"],),
        "order": (stats["openOrders"],),
        "case": (stats["openCases"],),
        "service": (stats["activeSubscriptions"],),
        "invoice": tuple(stats[name] for name in ("unpaidInvoices", "overdueInvoices", "amountDue", "currency")),
        "pay_method": (
            document["paymentMethods"]["totalCount"],
            "add_payment_method" in [task["type"] for task in document["tasks"]],
        ),
    }


def is_right(part: str, found: Figures, healthy: Figures, spoilt: Spoilt, *, set_aside: bool, is_first: bool) -> bool:
    """Whether a part may be served so.

    `spoilt` is what may decide it; `set_aside`: that record was; `is_first`: it was never read well before.
    """
    stream, field, raw = spoilt
    value = value_of(raw)
    if field in KEYS | OWNERS:
        return may_be_key(value) or field in OWNERS or found in (healthy, UNKNOWN.get(part))
    if set_aside:
        return found == (UNKNOWN[part] if is_first and part in UNKNOWN and stream != "client" else healthy)
    if field == "IsDeleted" and value is True:
        return found in (healthy, WITHOUT.get(part))
    return found in _allowed(part, stream, field, value, healthy)


def _allowed(part: str, stream: str, field: str, value: Any, healthy: Figures) -> tuple[Figures, ...]:
    """What the part may be where the value was taken."""
    match stream, field:
        case "account", "WHMCS_Client_Id__c":
            return _linked(part, value, healthy)
        case "account", "Internet_Eligibility_Status__c" | "Id_Verification_Status__c" if part == "account":
            at, words = STATUSES[field]
            status = words.get(word(value), "unknown") if isinstance(value, str | None) else "unknown"
            return ((*healthy[:at], status, *healthy[at + 1 :]),)
        case ("invoice", "status") | ("service", "status"):
            is_counted = word(value) == {"invoice": "Unpaid", "service": "Active"}[stream]
            return (UNKNOWN[part] if word(value) is None else healthy if is_counted else WITHOUT[part],)
        case "order", "Status":
            return (UNKNOWN[part] if word(value) is None else WITHOUT[part] if word(value) in CLOSED else healthy,)
        case "order", "Activation_Status__c":
            return (WITHOUT[part] if word(value) in ("Activated", "Failed") else healthy,)
        case "case", "IsClosed":
            return (WITHOUT[part] if word(value) in ("True", "true", "1", "on", "yes") else healthy,)
        case "balance", "balance":
            balance = Decimal(str(value).strip())
            return ((2, 0, f"{balance + Decimal('20.00'):f}", "JPY") if balance > 0 else WITHOUT[part],)
        case "balance", "items":
            return healthy, WITHOUT[part]
        case "invoice", "currencycode":
            return ((2, 0, None, None), healthy) if word(value) != "JPY" else (healthy,)
        case "invoice", "duedate":
            return healthy, (2, 1, *healthy[2:])
    return (healthy,)


def _linked(part: str, value: Any, healthy: Figures) -> tuple[Figures, ...]:
    text = "".join(
        one for one in str("" if value is None else value) if unicodedata.category(one) != "Cf" and one != "\0"
    )
    if part not in {"link", *BILLING}:
        return (healthy,)
    return (("none",) if part == "link" and not text.strip() else UNKNOWN[part],)


def value_of(raw: str) -> Any:
    """The value, numbers as Decimal."""
    if re.fullmatch(r"-?[0-9.]+([eE][-+]?[0-9]+)?", raw):
        return Decimal(raw)
    return json.loads(raw, parse_float=Decimal, parse_int=Decimal)


def may_be_key(value: Any) -> bool:
    """Whether the value may name a record, be it another one or none."""
    if value is None or isinstance(value, Decimal):
        return value is None or value == value.to_integral_value()
    return isinstance(value, str) and re.fullmatch(r"-?[0-9A-Za-z]{0,19}(\.0+)?", value.strip()) is not None


def word(value: Any) -> str | None:
    """The word that a value is, without the space around it; None where it is empty."""
    text = "" if value is None else str(value)
    return html.unescape(text.replace("\0", "")).strip() or None
