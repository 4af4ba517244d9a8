"""What clients that others wrote read from the stand-ins is what our own pull has stored.

The stand-ins are then not shaped to our own code. Values are read here with plain Python, not with our parsers.
"""

from __future__ import annotations

import html
import json
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from materializer.snapshot.streams import STREAMS
from tests.salesforce_world import World as Org
from tests.whmcs_world import TOKYO
from tests.whmcs_world import World as Install

pytestmark = pytest.mark.independent
Read = Callable[[dict[str, Any]], str]
Parse = Callable[[Any], Any]
Columns = dict[str, tuple[str, Parse]]
Record = Mapping[str, Any]


def text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def decoded(value: Any) -> str | None:
    return html.unescape(value) if value else None


def number(value: Any) -> int | None:
    return int(value) if value not in (None, "") else None


def link(value: Any) -> int | None:
    """A client's id as people and imports have typed it, such as "1053" or "1053.0"."""
    return int(float(value)) if value not in (None, "") else None


def boolean(value: Any) -> bool:
    return value in (True, "true")


def instant(value: Any) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if value else None


def local_instant(value: Any) -> datetime | None:
    return None if _is_no_date(value) else datetime.fromisoformat(value).replace(tzinfo=TOKYO).astimezone(UTC)


def day(value: Any) -> date | None:
    return None if _is_no_date(value) else date.fromisoformat(value[:10])


def expiry(value: Any) -> date | None:
    if not value:
        return None
    month, year = (int(part) for part in value.split("/"))
    return date(2000 + year, month, monthrange(2000 + year, month)[1])


def _is_no_date(value: Any) -> bool:
    return not value or value.startswith("0000-00-00")


SALESFORCE: dict[str, tuple[str, Columns]] = {
    "Account": (
        "account",
        {
            "account_id": ("Id", text),
            "eligibility_word": ("Internet_Eligibility_Status__c", text),
            "verification_word": ("Id_Verification_Status__c", text),
            "eligibility": ("Internet_Eligibility__c", text),
            "eligibility_requested_at": ("Internet_Eligibility_Request_Date_Time__c", instant),
            "eligibility_checked_at": ("Internet_Eligibility_Checked_Date_Time__c", instant),
            "eligibility_notes": ("Internet_Eligibility_Notes__c", text),
            "verification_submitted_at": ("Id_Verification_Submitted_Date_Time__c", instant),
            "verification_reviewed_at": ("Id_Verification_Reviewed_Date_Time__c", instant),
            "verification_notes": ("Id_Verification_Rejection_Message__c", text),
            "whmcs_client_id": ("WHMCS_Client_Id__c", link),
            "created_at": ("CreatedDate", instant),
            "modified_at": ("SystemModstamp", instant),
        },
    ),
    "Order": (
        "order",
        {
            "order_id": ("Id", text),
            "account_id": ("AccountId", text),
            "order_number": ("OrderNumber", text),
            "status": ("Status", text),
            "activation_status": ("Activation_Status__c", text),
            "effective_on": ("EffectiveDate", day),
            "created_at": ("CreatedDate", instant),
            "modified_at": ("SystemModstamp", instant),
        },
    ),
    "Case": (
        "case",
        {
            "case_id": ("Id", text),
            "account_id": ("AccountId", text),
            "case_number": ("CaseNumber", text),
            "subject": ("Subject", text),
            "status": ("Status", text),
            "is_closed": ("IsClosed", boolean),
            "created_at": ("CreatedDate", instant),
            "closed_at": ("ClosedDate", instant),
            "modified_at": ("SystemModstamp", instant),
        },
    ),
}
WHMCS: dict[str, Columns] = {
    "client": {"client_id": ("id", number), "status": ("status", decoded)},
    "invoice": {
        "invoice_id": ("id", number),
        "client_id": ("userid", number),
        "invoice_number": ("invoicenum", decoded),
        "status": ("status", decoded),
        "invoiced_on": ("date", day),
        "due_on": ("duedate", day),
        "paid_at": ("datepaid", local_instant),
        "total": ("total", text),
        "currency": ("currencycode", text),
        "created_at": ("created_at", local_instant),
    },
    "service": {
        "service_id": ("id", number),
        "client_id": ("clientid", number),
        "status": ("status", decoded),
        "product_name": ("name", decoded),
        "registered_on": ("regdate", day),
        "next_due_on": ("nextduedate", day),
    },
    "cancellation": {
        "cancellation_id": ("id", number),
        "service_id": ("relid", number),
        "kind": ("type", decoded),
        "requested_at": ("date", local_instant),
    },
    "pay_method": {
        "pay_method_id": ("id", number),
        "client_id": ("clientid", number),
        "kind": ("type", decoded),
        "card_last_four": ("card_last_four", text),
        "expires_on": ("expiry_date", expiry),
    },
}
"""Of each stream the columns, the source's names of them, and how they are read."""


def stored(world: Org | Install, stream: str, columns: Columns) -> list[tuple[Any, ...]]:
    """The snapshot's rows in order of the key."""
    chosen = [f"{name}::text" if name == "total" else name for name in columns]
    rows: list[tuple[Any, ...]] = world.values(f"select {', '.join(chosen)} from {STREAMS[stream].table} order by 1")
    return sorted(rows)


def as_read(records: Iterable[Record], columns: Columns) -> list[tuple[Any, ...]]:
    """A client's records as the snapshot would hold them, in order of the key."""
    return sorted(tuple(parse(record.get(key)) for key, parse in columns.values()) for record in records)


@pytest.mark.xdist_group("jsforce")
def test_jsforce_reads_what_our_pull_has_stored(org: Org, jsforce: Read) -> None:
    """SOAP login, describe, pages of 25, one record and Bulk API 2.0 give each account, order and case alike."""
    deleted = next(org.org.keys("Account", deleted=True))
    options = {name: [key for key, _ in columns.values()] for name, (_, columns) in SALESFORCE.items()}
    read = json.loads(jsforce({"url": org.standin.url} | _login(org) | {"objects": options}))
    for sobject, (stream, columns) in SALESFORCE.items():
        ours, theirs = stored(org, stream, columns), read["objects"][sobject]
        assert ours
        assert ours == as_read(theirs["query"], columns)
        assert ours == as_read(theirs["bulk"], columns)
        assert ours == as_read((record for record in theirs["all"] if record["Id"] != deleted), columns)
        assert len(ours) == theirs["count"]
        assert as_read([theirs["one"]], columns)[0] in ours
        assert {*options[sobject]} <= {*theirs["described"]}
    assert deleted in [record["Id"] for record in read["objects"]["Account"]["all"]]
    assert ["INVALID_LOGIN", "INVALID_FIELD"] == [read["wrongPassword"], read["wrongField"]]
    assert 0 < read["usage"]["used"] < read["usage"]["limit"]


@pytest.mark.xdist_group("tap-salesforce")
def test_the_singer_tap_reads_what_our_pull_has_stored(org: Org, tap_salesforce: Read, tmp_path: Any) -> None:
    """Refresh-token login with rotation, discovery, every field by SystemModstamp: the same records."""
    token = org.org.issue_refresh_token()
    config = tmp_path / "config.json"
    key = {"client_id": org.org.consumer_key, "client_secret": org.org.consumer_secret, "refresh_token": token}
    written = tap_salesforce({"url": org.standin.url, "config": str(config), "streams": [*SALESFORCE]} | key)
    messages = [json.loads(line) for line in written.splitlines()]
    records = [message for message in messages if message["type"] == "RECORD"]
    for sobject, (stream, columns) in SALESFORCE.items():
        ours = stored(org, stream, columns)
        theirs = [message["record"] for message in records if message["stream"] == sobject]
        assert ours
        assert ours == as_read((record for record in theirs if not record["IsDeleted"]), columns)
    assert token not in org.org.refresh_tokens
    assert json.loads(config.read_text())["refresh_token"] in org.org.refresh_tokens


@pytest.mark.xdist_group("whmcspy")
def test_whmcspy_reads_what_our_pull_has_stored(install: Install, whmcspy: Read) -> None:
    """Pages of 25 until an empty one, and each client's pay methods: every row of every stream alike."""
    options = {name: install.settings[f"whmcs_{name}"] for name in ("url", "identifier", "secret")}
    read = json.loads(whmcspy(options))
    for stream, columns in WHMCS.items():
        ours = stored(install, stream, columns)
        assert ours
        assert ours == as_read(read[stream], columns)
    assert read["invoice"][0]["id"] == read["one_invoice"]["invoiceid"]
    assert read["invoice"][0]["total"] == read["one_invoice"]["total"]
    assert ["MissingPermission", "Authentication Failed"] == read["wrong_secret"]
    assert ["Error", "Invoice ID Not Found"] == read["no_such_invoice"]


def _login(org: Org) -> dict[str, str]:
    return {"username": org.org.username, "password": org.org.password + org.org.security_token}
