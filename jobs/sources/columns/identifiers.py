"""Columns of ids of Salesforce, and of links to clients of WHMCS."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from config.salesforce_id import normalised
from jobs.sources.columns.numbers import loose_integer
from jobs.sources.columns.parsing import Parsed, either
from jobs.sources.columns.texts import quoted


def salesforce_id(values: Sequence[Any]) -> Parsed:
    """Ids of 18 characters; 15 characters are completed (salesforce-api 9.2)."""
    return either(values, _whole_ids, normalised, pa.string())


def _whole_ids(values: Sequence[Any]) -> pa.Array:
    array = pa.array(values, pa.string())
    if not pc.all(pc.match_substring_regex(array, "^[0-9A-Za-z]{18}$")).as_py():
        raise ValueError("not all of 18 characters")
    return array


def link(values: Sequence[Any]) -> Parsed:
    """Client ids as an Account field holds them: "101", " 101 ", 101.0; null for all else (see `unreadable_link`)."""
    return pa.array([_linked_client(value) for value in values], pa.int64()), {}


def unreadable_link(values: Sequence[Any]) -> Parsed:
    """What stands in an Account's link field, short, where it is neither empty nor a client id; else null."""
    return pa.array([_unreadable_link(value) for value in values], pa.string()), {}


def _linked_client(value: Any) -> int | None:
    number = loose_integer(_visible(value) if isinstance(value, str) else value)
    return number if number is not None and number >= 0 else None


def _unreadable_link(value: Any) -> str | None:
    is_empty = value is None or (isinstance(value, str) and not _visible(value))
    return None if is_empty or _linked_client(value) is not None else quoted(value)


def _visible(text: str) -> str:
    """The text without format characters, such as a zero-width space, and the space around it."""
    if text.isascii():
        return text.replace("\0", "").strip()
    return "".join(one for one in text if one != "\0" and unicodedata.category(one) != "Cf").strip()
