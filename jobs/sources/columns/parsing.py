"""How a column is parsed: all its values at once, one by one only where that fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

UNREADABLE = (pa.ArrowException, ArithmeticError, TypeError, ValueError)

Parsed = tuple[pa.Array, dict[int, str]]
"""The column, and by position what is wrong with a value (null in the column)."""
Parser = Callable[[Sequence[Any]], Parsed]


def either(
    values: Sequence[Any], whole: Callable[[Sequence[Any]], pa.Array], single: Callable[[Any], Any], kind: pa.DataType
) -> Parsed:
    try:
        return whole(values), {}
    except UNREADABLE:
        return one_by_one(values, single, kind)


def one_by_one(values: Sequence[Any], single: Callable[[Any], Any], kind: pa.DataType) -> Parsed:
    parsed: list[Any] = []
    faults: dict[int, str] = {}
    for position, value in enumerate(values):
        try:
            parsed.append(single(value))
        except UNREADABLE as error:
            parsed.append(None)
            faults[position] = str(error)
    return pa.array(parsed, kind), faults


def texts(values: Sequence[Any]) -> pa.Array:
    """Strings as they are, null for empty ones. Raises for anything else."""
    array = pa.array(values, pa.string())
    return pc.if_else(pc.equal(array, ""), None, array) if "" in values else array


def shown(value: Any) -> str:
    """A value short and plain enough for a reason; anything else could be free text."""
    text = str(value)
    return repr(text) if len(text) <= 32 and re.fullmatch(r"[0-9A-Za-z:/+., -]*", text) else "the value"
