"""Columns of whole numbers, amounts, and true or false."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.columns.parsing import Parsed, either, shown, texts

MONEY = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
INTEGER = re.compile(r"-?[0-9]{1,19}")
WHOLE = re.compile(r"(-?[0-9]{1,19})(?:\.0+)?")


def integer(values: Sequence[Any]) -> Parsed:
    """Whole numbers, or their text (whmcs-api Q17); null when empty."""
    return either(values, _whole_integers, _one_integer, pa.int64())


def _whole_integers(values: Sequence[Any]) -> pa.Array:
    try:
        if bool in set(map(type, values)):
            raise ValueError("boolean")
        return pa.array(values, pa.int64())
    except pa.ArrowException:
        array = texts(values)
        if pc.all(pc.match_substring_regex(array, f"^{INTEGER.pattern}$")).as_py() is False:
            raise ValueError("not all are whole numbers") from None
        return pc.cast(array, pa.int64())


def _one_integer(value: Any) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = None if isinstance(value, bool) else loose_integer(value)
    if number is None:
        raise ValueError(f"{shown(value)} is not a whole number")
    return number


def loose_integer(value: Any) -> int | None:
    """The whole number a value stands for, or None: digits, which ".0" may follow; no exponent, no separator."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**63 else None
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    match = WHOLE.fullmatch(value.strip())
    number = None if match is None else int(match[1])
    return number if number is not None and abs(number) < 2**63 else None


def boolean(values: Sequence[Any]) -> Parsed:
    """true/false, 1/0, "on"/"" and their like (whmcs-api 5); null when absent."""
    return either(values, lambda given: pa.array(given, pa.bool_()), one_boolean, pa.bool_())


def one_boolean(value: Any) -> bool | None:
    """Raises ValueError for what is neither."""
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "1", "on", "yes"):
        return True
    if word in ("false", "0", "off", "no", ""):
        return False
    raise ValueError(f"{shown(value)} is neither true nor false")


def money(values: Sequence[Any]) -> Parsed:
    """Exact decimal text with the digits the source wrote; null when empty."""
    return either(values, _whole_money, _one_amount, pa.string())


def _whole_money(values: Sequence[Any]) -> pa.Array:
    array = texts(values)
    if pc.all(pc.match_substring_regex(array, f"^{MONEY.pattern}$")).as_py() is False:
        raise ValueError("not all are amounts")
    return array


def _one_amount(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        amount = format(Decimal(repr(value)), "f")
    else:
        amount = value.strip() if isinstance(value, str) else ""
    if not MONEY.fullmatch(amount):
        raise ValueError(f"{shown(value)} is not an amount")
    return amount
