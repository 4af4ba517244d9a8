"""What an event names: accounts, or orders and cases whose account has to be looked up. Nothing else of it is read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import fastavro
from fastavro.types import Schema

from config.event_channels import EventChannel
from config.salesforce_id import may_be_account, normalised

GAP = "GAP_"
"""Change types that begin like this come without values, and GAP_OVERFLOW without record ids too."""
HEADER = "ChangeEventHeader"
READ = ("Account", "Order", "Case")
"""The objects that customers are read from."""


@dataclass
class Named:
    """Ids of 18 characters. `is_lost`: something changed that the event does not name; only a pull finds it."""

    accounts: set[str] = field(default_factory=set)
    records: set[str] = field(default_factory=set)
    """Orders and cases without a word of their account."""
    is_lost: bool = False

    def add(self, other: Named) -> None:
        self.accounts |= other.accounts
        self.records |= other.records
        self.is_lost = self.is_lost or other.is_lost


def schema_of(schema_json: str) -> Schema:
    """The schema, ready to read with. Raises ValueError for what is not an Avro schema."""
    try:
        return fastavro.parse_schema(json.loads(schema_json))
    except Exception as error:  # noqa: BLE001, the library raises KeyError, TypeError and its own
        raise ValueError(f"is not an Avro schema ({type(error).__name__})") from None


def fields_of(schema: Schema) -> frozenset[str]:
    """Names of the event's fields."""
    return frozenset(found["name"] for found in schema["fields"]) if isinstance(schema, dict) else frozenset()


def named(channel: EventChannel, schema: Schema, payload: bytes) -> Named:
    """What the event names. Raises ValueError for an event that cannot be read."""
    try:
        event = fastavro.schemaless_reader(io.BytesIO(payload), schema, None)
    except Exception as error:  # noqa: BLE001, half an event ends in EOFError, IndexError and others
        raise ValueError(f"cannot be read by its schema ({type(error).__name__})") from None
    if not isinstance(event, dict):
        raise ValueError("is not a record")
    return _of_change(event) if channel.field is None else Named(accounts={_account(event.get(channel.field))})


def _of_change(event: Mapping[str, Any]) -> Named:
    header = event.get(HEADER)
    if not isinstance(header, Mapping):
        raise ValueError(f"has no {HEADER}")
    entity, kind, ids = header.get("entityName"), str(header.get("changeType")), header.get("recordIds")
    if entity not in READ:
        return Named()
    if not isinstance(ids, list):
        raise ValueError("has no recordIds")
    whole = {found for found in map(_id, ids) if found is not None}
    found = Named(is_lost=kind.startswith(GAP) or len(whole) < len(set(ids)) or not ids)
    if entity == "Account":
        found.accounts = {account for account in whole if may_be_account(account)}
    elif event.get("AccountId") is not None:
        found.accounts = {_account(event["AccountId"])}
    else:
        found.records = whole
    return found


def _id(value: object) -> str | None:
    """An id; None for a wildcard, which stands for many records, and for the zeros of an overflow."""
    try:
        found = normalised(value)
    except ValueError:
        return None
    return None if found is None or found.startswith("000") else found


def _account(value: object) -> str:
    found = _id(value)
    if found is None or not may_be_account(found):
        raise ValueError("names no Account id")
    return found


def together(several: Iterable[Named]) -> Named:
    """All that they name."""
    whole = Named()
    for one in several:
        whole.add(one)
    return whole
