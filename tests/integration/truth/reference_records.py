"""Records of the sources as the model keeps them: read from the raw values, written from the contract alone."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.integration.truth.reference_document import FIELDS

ACCOUNT, WORDS = FIELDS["account"], FIELDS["words"]
INVOICE_WORDS = ("Draft", "Unpaid", "Paid", "Cancelled", "Refunded", "Collections", "Payment Pending")
SERVICE_WORDS = ("Pending", "Active", "Completed", "Suspended", "Terminated", "Cancelled", "Fraud")
KEY = {"account": "Id", "order": "Id", "case": "Id"}
"""The raw key of a record; WHMCS calls it id."""


def key_of(stream: str, raw: dict[str, Any]) -> Any:
    return raw[KEY.get(stream, "id")]


def read(stream: str, raw: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """One record as a dictionary of plain values; `zone` is that of the WHMCS server."""
    return READERS[stream](raw, zone)


def status_of(word: str | None, words: dict[str, list[str]], when_null: str) -> str:
    """The meaning of a word: by the mapping, or unknown."""
    if not word:
        return when_null
    for status, given in words.items():
        if word in given:
            return status
    return "unknown"


def account(raw: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    eligibility = status_of(raw[ACCOUNT["eligibility_status"]], WORDS["eligibility"], "not_requested")
    verification = status_of(raw[ACCOUNT["verification_status"]], WORDS["verification"], "not_submitted")
    return {
        "id": raw["Id"],
        "eligibility_status": eligibility,
        "eligibility_known": None if eligibility == "unknown" else eligibility,
        "eligibility_requested": instant(raw.get(ACCOUNT["eligibility_requested_at"])),
        "eligibility_checked": instant(raw.get(ACCOUNT["eligibility_checked_at"])),
        "eligibility": raw.get(ACCOUNT["eligibility"]),
        "eligibility_notes": raw.get(ACCOUNT["eligibility_notes"]),
        "verification_status": verification,
        "verification_known": None if verification == "unknown" else verification,
        "verification_submitted": instant(raw.get(ACCOUNT["verification_submitted_at"])),
        "verification_reviewed": instant(raw.get(ACCOUNT["verification_reviewed_at"])),
        "verification_notes": raw.get(ACCOUNT["verification_notes"]),
        "client": client_number(raw.get(ACCOUNT["whmcs_client_id"])),
        "has_link_text": bool(str(raw.get(ACCOUNT["whmcs_client_id"]) or "").strip()),
        "created": instant(raw["CreatedDate"]),
    }


def client_number(value: Any) -> int | None:
    """The link may come as text or number: "101", " 101 ", 101.0."""
    try:
        return int(float(str(value).strip()))
    except ValueError:
        return None


def order(raw: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": raw["Id"],
        "account": raw["AccountId"],
        "number": raw["OrderNumber"],
        "status": raw["Status"],
        "activation": raw["Activation_Status__c"],
        "stage": stage(raw["Status"], raw["Activation_Status__c"]),
        "effective": day(raw["EffectiveDate"]),
        "created": instant(raw["CreatedDate"]),
    }


def stage(status: str, activation: str | None) -> str:
    """Where an order stands; what its activation says weighs more than its status."""
    words = WORDS["order"]
    if activation in words["failed"]:
        return "failed"
    if activation in words["activated"]:
        return "activated"
    for name in ("draft", "closed", "approved"):
        if status in words[name]:
            return name
    return "in_progress"


def case(raw: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": raw["Id"],
        "account": raw["AccountId"],
        "number": raw["CaseNumber"],
        "subject": raw["Subject"],
        "closed": raw["IsClosed"],
        "created": instant(raw["CreatedDate"]),
        "closed_at": instant(raw["ClosedDate"]),
    }


def client(raw: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    return {"id": raw["id"], "reference": raw.get("reference")}


def service(raw: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": raw["id"],
        "client": raw["clientid"],
        "status": raw["status"],
        "status_known": raw["status"] if raw["status"] in SERVICE_WORDS else None,
        "name": raw["name"] or None,
        "registered": day(raw["regdate"]),
    }


def invoice(raw: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": raw["id"],
        "client": raw["userid"],
        "number": raw["invoicenum"] or None,
        "status": raw["status"],
        "date": day(raw["date"]),
        "due": day(raw["duedate"]),
        "paid": local(raw["datepaid"], zone),
        "total": Decimal(raw["total"]) if raw["total"] else None,
        "currency": raw["currencycode"] or None,
        "created": local(raw["created_at"], zone),
    }


def cancellation(raw: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    return {"id": raw["id"], "service": raw["relid"], "kind": raw["type"]}


def pay_method(raw: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    return {"id": raw["id"], "client": raw["clientid"], "expires": month_end(raw["expiry_date"])}


def instant(text: str | None) -> datetime | None:
    """What cannot be read decides nothing where this is used, and is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def day(text: str | None) -> date | None:
    """As instants: none when it cannot be read."""
    try:
        return date.fromisoformat(text) if text and not text.startswith("0000") else None
    except ValueError:
        return None


def local(text: str | None, zone: ZoneInfo) -> datetime | None:
    """A local date and time of the server; of a repeated hour the first."""
    if not text or text.startswith("0000"):
        return None
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def month_end(text: str | None) -> date | None:
    """A card expires with the last day of its month (MM/YY)."""
    if not text:
        return None
    month, year = int(text[:2]), 2000 + int(text[3:])
    return date(year, month, monthrange(year, month)[1])


READERS = {
    "account": account,
    "order": order,
    "case": case,
    "client": client,
    "service": service,
    "invoice": invoice,
    "cancellation": cancellation,
    "pay_method": pay_method,
}
