"""From decoded records to typed Arrow columns: a whole column at once, value by value only where that fails.

A value that cannot be read sets its record aside, never the page. No value is guessed; empty text and zero dates
are null.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from config.salesforce_id import normalised
from materializer.rules.calendar import end_of_month
from materializer.snapshot.pulls import SetAsideRecord

INSTANT = pa.timestamp("us", tz="UTC")
MONEY = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
TAGS = re.compile(r"<[^>]*>")
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
NO_DATES = ("0000-00-00", "-0001-11-30")
EXPIRY = re.compile(r"(0[1-9]|1[0-2])\s*[/-]?\s*(20[0-9]{2}|[0-9]{2})")
UNREADABLE = (pa.ArrowException, OverflowError, TypeError, ValueError)

Parsed = tuple[pa.Array, dict[int, str]]
"""The column, and by position what is wrong with a value (null in the column)."""
Parser = Callable[[Sequence[Any]], Parsed]


@dataclass(frozen=True)
class Column:
    """One column of a stream: its name, the source's key for it, its parser; whether null sets the record aside."""

    name: str
    key: str
    parse: Parser
    is_required: bool = False


def read(
    records: Sequence[Mapping[str, Any]], columns: Sequence[Column], place: Callable[[int], str]
) -> tuple[pa.Table, list[SetAsideRecord]]:
    """The records as a table of `columns`, without those set aside.

    The first column is the key. `place` names a record whose key cannot be read, by its position in `records`.
    """
    return read_lists(transposed(records, (column.key for column in columns)), columns, place)


def transposed(records: Sequence[Mapping[str, Any]], keys: Iterable[str]) -> dict[str, list[Any]]:
    """The values of some keys, one list each; whatever else the records hold is left behind."""
    return {key: [record.get(key) for record in records] for key in keys}


def read_lists(
    values: Mapping[str, Sequence[Any]], columns: Sequence[Column], place: Callable[[int], str]
) -> tuple[pa.Table, list[SetAsideRecord]]:
    """As `read`, of values that lie in one list per key."""
    faults: dict[int, tuple[str, str]] = {}
    arrays = []
    for column in columns:
        array, wrong = column.parse(values[column.key])
        if column.is_required and array.null_count:
            missing = (position for position, is_null in enumerate(array.is_null().to_pylist()) if is_null)
            wrong = dict.fromkeys(missing, "is missing") | wrong
        for position, reason in wrong.items():
            faults.setdefault(position, (column.key, reason))
        arrays.append(array)
    table = pa.table(arrays, names=[column.name for column in columns])
    if not faults:
        return table, []
    keys = arrays[0].to_pylist()
    set_aside = [SetAsideRecord(place(at) if keys[at] is None else str(keys[at]), *faults[at]) for at in sorted(faults)]
    return table.filter(pa.array([at not in faults for at in range(len(keys))])), set_aside


def _either(
    values: Sequence[Any], whole: Callable[[Sequence[Any]], pa.Array], single: Callable[[Any], Any], kind: pa.DataType
) -> Parsed:
    try:
        return whole(values), {}
    except UNREADABLE:
        return _one_by_one(values, single, kind)


def _one_by_one(values: Sequence[Any], single: Callable[[Any], Any], kind: pa.DataType) -> Parsed:
    parsed: list[Any] = []
    faults: dict[int, str] = {}
    for position, value in enumerate(values):
        try:
            parsed.append(single(value))
        except UNREADABLE as error:
            parsed.append(None)
            faults[position] = str(error)
    return pa.array(parsed, kind), faults


def _texts(values: Sequence[Any]) -> pa.Array:
    """Strings as they are, null for empty ones. Raises for anything else."""
    array = pa.array(values, pa.string())
    return pc.if_else(pc.equal(array, ""), None, array) if "" in values else array


# Text -----------------------------------------------------------------------------------------------------------------


def text(values: Sequence[Any]) -> Parsed:
    """Text as it stands, without null bytes; null when empty. Numbers and booleans become their text."""
    return _either(values, _plain_texts, _one_text, pa.string())


def _plain_texts(values: Sequence[Any]) -> pa.Array:
    array = _texts(values)
    if pc.any(pc.match_substring(array, "\0")).as_py():
        raise ValueError("null byte")
    return array


def _one_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool | int | float | str):
        return str(value).replace("\0", "").encode("utf-8", "replace").decode("utf-8") or None
    raise ValueError("is not text")


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


# Identifiers and numbers ----------------------------------------------------------------------------------------------


def salesforce_id(values: Sequence[Any]) -> Parsed:
    """Ids of 18 characters; 15 characters are completed (salesforce-api 9.2)."""
    return _either(values, _whole_ids, normalised, pa.string())


def _whole_ids(values: Sequence[Any]) -> pa.Array:
    array = pa.array(values, pa.string())
    if not pc.all(pc.match_substring_regex(array, "^[0-9A-Za-z]{18}$")).as_py():
        raise ValueError("not all of 18 characters")
    return array


def integer(values: Sequence[Any]) -> Parsed:
    """Whole numbers, or their text (whmcs-api Q17); null when empty."""
    return _either(values, _whole_integers, _one_integer, pa.int64())


def _whole_integers(values: Sequence[Any]) -> pa.Array:
    try:
        if bool in set(map(type, values)):
            raise ValueError("boolean")
        return pa.array(values, pa.int64())
    except pa.ArrowException:
        return pc.cast(_texts(values), pa.int64())


def _one_integer(value: Any) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = None if isinstance(value, bool) else loose_integer(value)
    if number is None:
        raise ValueError(f"{_shown(value)} is not a whole number")
    return number


def link(values: Sequence[Any]) -> Parsed:
    """Client ids as an Account field holds them: "101", " 101 ", 101.0; null for what is not a number."""
    return _either(
        values, lambda given: pa.array([loose_integer(value) for value in given], pa.int64()), loose_integer, pa.int64()
    )


def loose_integer(value: Any) -> int | None:
    """The whole number a value stands for, or None."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value).strip())
    except ArithmeticError:
        return None
    if not number.is_finite() or number != number.to_integral_value() or abs(number) >= 2**63:
        return None
    return int(number)


def boolean(values: Sequence[Any]) -> Parsed:
    """true/false, 1/0, "on"/"" and their like (whmcs-api 5); null when absent."""
    return _either(values, lambda given: pa.array(given, pa.bool_()), one_boolean, pa.bool_())


def one_boolean(value: Any) -> bool | None:
    """Raises ValueError for what is neither."""
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "1", "on", "yes"):
        return True
    if word in ("false", "0", "off", "no", ""):
        return False
    raise ValueError(f"{_shown(value)} is neither true nor false")


def money(values: Sequence[Any]) -> Parsed:
    """Exact decimal text with the digits the source wrote; null when empty."""
    return _either(values, _whole_money, _one_amount, pa.string())


def _whole_money(values: Sequence[Any]) -> pa.Array:
    array = _texts(values)
    if pc.all(pc.match_substring_regex(array, f"^{MONEY.pattern}$")).as_py() is False:
        raise ValueError("not all are amounts")
    return array


def _one_amount(value: Any) -> str | None:
    if value is None or value == "":
        return None
    amount = format(Decimal(repr(value)), "f") if isinstance(value, int | float) else str(value).strip()
    if isinstance(value, bool) or not MONEY.fullmatch(amount):
        raise ValueError(f"{_shown(value)} is not an amount")
    return amount


# Dates and instants ---------------------------------------------------------------------------------------------------


def _dates(values: Sequence[Any]) -> pa.Array:
    """Text with zero dates and empty ones as null."""
    array = _texts(values)
    return pc.if_else(pc.starts_with(array, "0000-00-00"), None, array)


def day(values: Sequence[Any]) -> Parsed:
    """Dates `YYYY-MM-DD`; zero dates and empty text are null (whmcs-api Q20)."""
    return _either(values, lambda given: pc.cast(_dates(given), pa.date32()), _one_day, pa.date32())


def _one_day(value: Any) -> date | None:
    if _is_no_date(value):
        return None
    try:
        return date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        raise ValueError(f"{_shown(value)} is not a date") from None


def instant(values: Sequence[Any]) -> Parsed:
    """Instants with their zone, `...+0000` as REST or `...Z` as Bulk writes them (salesforce-api H49)."""
    return _either(values, lambda given: pc.cast(_texts(given), INSTANT), _one_instant, INSTANT)


def _one_instant(value: Any) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"{_shown(value)} is not an instant") from None
    if moment.tzinfo is None:
        raise ValueError(f"{_shown(value)} has no time zone")
    return moment.astimezone(UTC)


def local_instant(zone: ZoneInfo) -> Parser:
    """A parser of `YYYY-MM-DD HH:MM:SS` in the zone of the WHMCS server; of a repeated hour, the first."""

    def whole(values: Sequence[Any]) -> pa.Array:
        naive = pc.cast(_dates(values), pa.timestamp("us"))
        local = pc.assume_timezone(naive, zone.key, ambiguous="earliest", nonexistent="latest")
        return pc.cast(local, INSTANT)

    def single(value: Any) -> datetime | None:
        if _is_no_date(value):
            return None
        try:
            moment = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValueError(f"{_shown(value)} is not a date and time") from None
        if moment.tzinfo:
            return moment.astimezone(UTC)
        read: datetime = whole([moment.isoformat(" ")])[0].as_py()  # one reading of hours that clocks skip or repeat
        return read.astimezone(UTC)

    return lambda values: _either(values, whole, single, INSTANT)


def expiry(values: Sequence[Any]) -> Parsed:
    """The last day of the month of `MM/YY`, `MMYY` or `MM/YYYY` (whmcs-api 7.6); null when there is none."""
    return _one_by_one(values, _last_day, pa.date32())


def _last_day(value: Any) -> date | None:
    if _is_no_date(value) or not str(value).strip("0/ -"):
        return None
    if not (match := EXPIRY.fullmatch(str(value).strip())):
        raise ValueError("is not an expiry of the form MM/YY")
    month, year = int(match[1]), int(match[2][-2:]) + 2000
    return end_of_month(date(year, month, 1))


def _is_no_date(value: Any) -> bool:
    return value is None or not str(value).strip() or str(value).strip().startswith(NO_DATES)


def _shown(value: Any) -> str:
    """A value short and plain enough for a reason; anything else could be free text."""
    shown = str(value)
    return repr(shown) if len(shown) <= 32 and re.fullmatch(r"[0-9A-Za-z:/+., -]*", shown) else "the value"
