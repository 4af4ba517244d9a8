"""The WHERE part of a query: a test of one record, and bounds that save reading the others (salesforce-api 3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from jobs.sandbox.salesforce.ids import to_18
from jobs.sandbox.salesforce.soql import Both, Compare, Constant, Not, Path, Scalar, SoqlError, Where

KINDS: dict[str, tuple[type, ...]] = {
    "datetime": (datetime,),
    "date": (date,),
    "boolean": (bool,),
    "int": (Decimal,),
    "double": (Decimal,),
    "currency": (Decimal,),
    "percent": (Decimal,),
}
WORDS = {"datetime": "dateTime", "double": "double", "currency": "currency"}


@dataclass(frozen=True)
class Parent:
    """A parent path: its relationship name, the field that leads there, the parent's object."""

    relationship: str
    through: str
    sobject: str


@dataclass(frozen=True)
class Column:
    """A field in the schema's spelling, with its describe type; of the record or of one parent."""

    name: str
    type: str
    parent: Parent | None

    @property
    def csv_name(self) -> str:
        return self.name if self.parent is None else f"{self.parent.relationship}.{self.name}"


Read = Callable[[Column], Any]
Test = Callable[[Read], bool]


def compiled(where: Where | None, column_of: Callable[[Path], Column]) -> Test:
    """A test of one record. Raises SoqlError for unknown names and for values of the wrong type."""
    match where:
        case None:
            return lambda _: True
        case Not(part):
            inner = compiled(part, column_of)
            return lambda read: not inner(read)
        case Both(word, parts):
            tests = [compiled(part, column_of) for part in parts]
            join = all if word == "and" else any
            return lambda read: join(test(read) for test in tests)
        case Compare():
            return _comparison(where, column_of(where.path))


def _comparison(compare: Compare, column: Column) -> Test:
    values = [_checked(constant, column) for constant in compare.literals]
    test = _LISTS.get(compare.operator)
    if test is not None:
        return lambda read: test(_comparable(read(column), column), values)
    one = _SIGNS[compare.operator]
    return lambda read: one(_comparable(read(column), column), values[0])


def _checked(constant: Constant, column: Column) -> Any:
    """The value as it is compared. A quoted instant, or a date for an instant, is an error (3.3)."""
    kinds = KINDS.get(column.type, (str,))
    value = constant.value
    fits = value is None or (type(value) in kinds and constant.quoted == (kinds == (str,)))
    if not fits:
        word = WORDS.get(column.type, column.type)
        ending = " and should not be enclosed in quotes" if constant.quoted else ""
        if kinds == (str,):
            ending = " and should be enclosed in quotes"
        raise SoqlError(
            "INVALID_FIELD", f"value of filter criterion for field '{column.name}' must be of type {word}{ending}"
        )
    return _comparable(value, column)


def _comparable(value: Any, column: Column) -> Any:
    """Instants at whole seconds (H6), ids in 18 characters, other text regardless of case."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    if column.type in ("id", "reference"):
        return to_18(str(value))
    if isinstance(value, str):
        return value.lower()
    return value if isinstance(value, bool | date) else Decimal(str(value))


def _like(value: Any, pattern: str) -> bool:
    expression = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return value is not None and re.fullmatch(expression, value, re.DOTALL) is not None


_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, other: bool(value == other),
    "!=": lambda value, other: bool(value != other),
    "<": lambda value, other: value is not None and other is not None and value < other,
    "<=": lambda value, other: value is not None and other is not None and value <= other,
    ">": lambda value, other: value is not None and other is not None and value > other,
    ">=": lambda value, other: value is not None and other is not None and value >= other,
    "like": lambda value, other: _like(value, other or ""),
}
_LISTS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "in": lambda value, others: value in others,
    "not in": lambda value, others: value not in others,
}


@dataclass(frozen=True)
class Narrowing:
    """What the AND-ed conditions say about Id and SystemModstamp.

    `is_all_there_is`: nothing else is asked, so that rows need not be read.
    """

    ids: tuple[str, ...] | None = None
    bounds: tuple[tuple[str, str], ...] = ()
    stamped_from: datetime | None = None
    stamped_until: datetime | None = None
    is_all_there_is: bool = True

    def admits(self, key: str) -> bool:
        return all(_SIGNS[sign](key, other) for sign, other in self.bounds)

    @property
    def lowest_id(self) -> str | None:
        """No smaller Id can match; None when there is no such bound."""
        return max((key for sign, key in self.bounds if sign in (">", ">=")), default=None)

    @property
    def days(self) -> float:
        """Width of the range of stamps in days; infinite when it is open."""
        if self.stamped_from is None or self.stamped_until is None:
            return float("inf")
        return (self.stamped_until - self.stamped_from).total_seconds() / 86_400


def narrowing_of(where: Where | None) -> Narrowing:
    """The bounds of a WHERE part; anything they cannot say is left to the test."""
    conditions = list(_anded(where))
    on_id = _on(conditions, "id")
    on_stamp = _on(conditions, "systemmodstamp")
    ranges = [part for part in on_id if part.operator in ("<", "<=", ">", ">=")]
    return Narrowing(
        ids=_named_ids(on_id),
        bounds=tuple((part.operator, to_18(str(part.literals[0].value))) for part in ranges),
        stamped_from=_edge(on_stamp, (">", ">=", "="), max),
        stamped_until=_edge(on_stamp, ("<", "<=", "="), min),
        is_all_there_is=len(ranges) == len(conditions),
    )


def _anded(where: Where | None) -> Iterator[Where]:
    if isinstance(where, Both) and where.word == "and":
        for part in where.parts:
            yield from _anded(part)
    elif where is not None:
        yield where


def _on(conditions: list[Where], name: str) -> list[Compare]:
    return [part for part in conditions if isinstance(part, Compare) and part.path.text.lower() == name]


def _named_ids(parts: list[Compare]) -> tuple[str, ...] | None:
    for part in parts:
        if part.operator in ("=", "in"):
            return tuple(to_18(str(constant.value)) for constant in part.literals)
    return None


def _edge(
    parts: list[Compare], signs: tuple[str, ...], choose: Callable[[list[datetime]], datetime]
) -> datetime | None:
    edges: list[Scalar] = [part.literals[0].value for part in parts if part.operator in signs]
    instants = [edge for edge in edges if isinstance(edge, datetime)]
    return choose(instants) if instants else None
