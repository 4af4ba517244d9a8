"""Columns of text and of words."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.columns.parsing import Parsed, either, texts

TAGS = re.compile(r"<[^>]*>")
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
LONGEST_QUOTE = 80
BARE = "^[!-~](?:[ -~]*[!-~])?$"
"""Nothing to strip: only other words need Arrow's tables of Unicode, which take a process 4 ms to make."""
CODE = "^[A-Z]{3}$"


def text(values: Sequence[Any]) -> Parsed:
    """Text as it stands, without null bytes; null when empty. Numbers and booleans become their text."""
    return either(values, _plain_texts, _one_text, pa.string())


def _plain_texts(values: Sequence[Any]) -> pa.Array:
    array = texts(values)
    if pc.any(pc.match_substring(array, "\0")).as_py():
        raise ValueError("null byte")
    return array


def _one_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool | int | float | str):
        return str(value).replace("\0", "").encode("utf-8", "replace").decode("utf-8") or None
    raise ValueError("is not text")


def word(values: Sequence[Any]) -> Parsed:
    """A status word without the space around it; null when empty."""
    return _stripped(*text(values))


def encoded_word(values: Sequence[Any]) -> Parsed:
    """A status word of WHMCS: entities decoded once, without the space around it."""
    return _stripped(*encoded_text(values))


def quoted_word(values: Sequence[Any]) -> Parsed:
    """A status word whose record stays though it cannot be read: then what came stands as JSON, a word nobody knows."""
    array, faults = word(values)
    if not faults:
        return array, {}
    words = array.to_pylist()
    return pa.array([quoted(values[at]) if at in faults else words[at] for at in range(len(words))], pa.string()), {}


def _stripped(array: pa.Array, faults: dict[int, str]) -> Parsed:
    if pc.all(pc.match_substring_regex(array.unique(), BARE)).as_py() is not False:
        return array, faults
    stripped = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.equal(stripped, ""), None, stripped), faults


def quoted(value: Any) -> str:
    """What came, short, as JSON or as the text it is."""
    shown = value if isinstance(value, str) else json.dumps(value)
    return shown.replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST_QUOTE]


def currency(values: Sequence[Any]) -> Parsed:
    """ISO 4217 codes of three letters; null when empty."""
    array, faults = word(values)
    if pc.all(pc.match_substring_regex(array.unique(), CODE)).as_py() is not False:
        return array, faults
    upper = pc.utf8_upper(array)
    is_code = pc.match_substring_regex(upper, CODE)
    if pc.all(is_code).as_py() is not False:
        return upper, faults
    wrong = [at for at, fits in enumerate(is_code.to_pylist()) if fits is False]
    return pc.if_else(is_code, upper, None), dict.fromkeys(wrong, "is not a currency code of three letters") | faults


def encoded_text(values: Sequence[Any]) -> Parsed:
    """Text as WHMCS gives it: entities decoded exactly once (whmcs-api Q23)."""
    array, faults = text(values)
    if not pc.any(pc.match_substring(array, "&")).as_py():
        return array, faults
    decoded = [value and _decoded(value) for value in array.to_pylist()]
    return pa.array(decoded, pa.string()), faults


def _decoded(value: str) -> str:
    """Whole entities only: of "R&D" and "?a=1&copy=2" nothing is one."""
    return ENTITY.sub(lambda entity: html.unescape(entity[0]), value)


def bare_text(value: Any) -> str | None:
    """A WHMCS custom field's text: tags removed (Q24), entities decoded once, trimmed; None when empty."""
    if value is None:
        return None
    return _decoded(TAGS.sub("", str(value))).replace("\0", "").strip() or None
