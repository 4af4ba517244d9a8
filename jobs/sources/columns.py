"""From decoded records to typed Arrow columns: a whole column at once, value by value only where that fails.

A value that cannot be read sets its record aside, never the page; one that decides nothing is null by itself. No value
is guessed; empty text, zero dates, and dates and instants outside 1900 to 2999 are null.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
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
EXPIRIES = (
    re.compile(r"(?P<month>0?[1-9]|1[0-2])\s*[/.-]\s*(?P<year>[0-9]{4}|[0-9]{2})"),
    re.compile(r"(?P<month>0[1-9]|1[0-2])(?P<year>[0-9]{4}|[0-9]{2})"),
    re.compile(r"(?P<year>[0-9]{4})\s*[/.-]?\s*(?P<month>0?[1-9]|1[0-2])"),
)
"""The forms in which gateways write a card's expiry, the usual ones first."""
INTEGER = re.compile(r"-?[0-9]{1,19}")
WHOLE = re.compile(r"(-?[0-9]{1,19})(?:\.0+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
FIRST_INSTANT, END_OF_INSTANTS = datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""Dates and instants outside count as none: nothing of a customer happened or will happen then."""
LONGEST_QUOTE = 80
UNREADABLE = (pa.ArrowException, ArithmeticError, TypeError, ValueError)

Parsed = tuple[pa.Array, dict[int, str]]
"""The column, and by position what is wrong with a value (null in the column)."""
Parser = Callable[[Sequence[Any]], Parsed]
Need = Literal["present", "readable", "free"]
"""Of a value: it must be there; or, where it is there, be readable; or it decides nothing and may be neither."""


@dataclass(frozen=True)
class Column:
    """One column of a stream: its name, the source's key for it, its parser, and what its record cannot do without."""

    name: str
    key: str
    parse: Parser
    need: Need = "free"


@dataclass(frozen=True)
class ReadRows:
    """What records came to: rows, records set aside, and values of the rows that count as null, being unreadable."""

    rows: pa.Table
    set_aside: list[SetAsideRecord]
    unreadable: list[SetAsideRecord]


def read(
    records: Sequence[Mapping[str, Any]], columns: Sequence[Column], place: Callable[[int], str], owner: str
) -> ReadRows:
    """The records as a table of `columns`, without those set aside.

    The first column is the key; `owner` names the one that leads to the customer. `place` names a record whose key
    cannot be read, by its position in `records`.
    """
    return read_lists(transposed(records, (column.key for column in columns)), columns, place, owner)


def transposed(records: Sequence[Mapping[str, Any]], keys: Iterable[str]) -> dict[str, list[Any]]:
    """The values of some keys, one list each; whatever else the records hold is left behind."""
    return {key: [record.get(key) for record in records] for key in keys}


def read_lists(
    values: Mapping[str, Sequence[Any]], columns: Sequence[Column], place: Callable[[int], str], owner: str
) -> ReadRows:
    """As `read`, of values that lie in one list per key."""
    faults: dict[int, tuple[str, str]] = {}
    minor: list[tuple[int, str, str]] = []
    arrays = []
    for column in columns:
        array, wrong = column.parse(values[column.key])
        if column.need == "present" and array.null_count:
            missing = (position for position, is_null in enumerate(array.is_null().to_pylist()) if is_null)
            wrong = dict.fromkeys(missing, "is missing") | wrong
        if column.need == "free":
            minor += [(position, column.key, reason) for position, reason in wrong.items()]
        else:
            for position, reason in wrong.items():
                faults.setdefault(position, (column.key, reason))
        arrays.append(array)
    table = pa.table(arrays, names=[column.name for column in columns])
    if not faults and not minor:
        return ReadRows(table, [], [])
    keys, owners = arrays[0].to_pylist(), table[owner].to_pylist()

    def noted(at: int, field: str, reason: str) -> SetAsideRecord:
        record_id = place(at) if keys[at] is None else str(keys[at])
        return SetAsideRecord(record_id, field, reason, None if owners[at] is None else str(owners[at]))

    return ReadRows(
        table.filter(pa.array([at not in faults for at in range(len(keys))])) if faults else table,
        [noted(at, *faults[at]) for at in sorted(faults)],
        [noted(*one) for one in minor if one[0] not in faults],
    )


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
    return pa.array([_quote(values[at]) if at in faults else words[at] for at in range(len(words))], pa.string()), {}


def _stripped(array: pa.Array, faults: dict[int, str]) -> Parsed:
    stripped = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.equal(stripped, ""), None, stripped), faults


def _quote(value: Any) -> str:
    """What came, short, as JSON or as the text it is."""
    shown = value if isinstance(value, str) else json.dumps(value)
    return shown.replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST_QUOTE]


def currency(values: Sequence[Any]) -> Parsed:
    """ISO 4217 codes of three letters; null when empty."""
    array, faults = word(values)
    upper = pc.utf8_upper(array)
    is_code = pc.match_substring_regex(upper, "^[A-Z]{3}$")
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
        array = _texts(values)
        if pc.all(pc.match_substring_regex(array, f"^{INTEGER.pattern}$")).as_py() is False:
            raise ValueError("not all are whole numbers") from None
        return pc.cast(array, pa.int64())


def _one_integer(value: Any) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = None if isinstance(value, bool) else loose_integer(value)
    if number is None:
        raise ValueError(f"{_shown(value)} is not a whole number")
    return number


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
    return None if is_empty or _linked_client(value) is not None else _quote(value)


def _visible(text: str) -> str:
    """The text without format characters, such as a zero-width space, and the space around it."""
    if text.isascii():
        return text.replace("\0", "").strip()
    return "".join(one for one in text if one != "\0" and unicodedata.category(one) != "Cf").strip()


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
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        amount = format(Decimal(repr(value)), "f")
    else:
        amount = value.strip() if isinstance(value, str) else ""
    if not MONEY.fullmatch(amount):
        raise ValueError(f"{_shown(value)} is not an amount")
    return amount


# Dates and instants ---------------------------------------------------------------------------------------------------


def _dates(values: Sequence[Any]) -> pa.Array:
    """Text with zero dates and empty ones as null."""
    array = _texts(values)
    return pc.if_else(pc.starts_with(array, "0000-00-00"), None, array)


def day(values: Sequence[Any]) -> Parsed:
    """Dates `YYYY-MM-DD`; zero dates, empty text and dates outside 1900 to 2999 are null (whmcs-api Q20)."""
    return _either(values, _whole_days, _one_day, pa.date32())


def _whole_days(values: Sequence[Any]) -> pa.Array:
    days = pc.cast(_dates(values), pa.date32())
    bounds = pa.scalar(FIRST_DAY, pa.date32()), pa.scalar(LAST_DAY, pa.date32())
    return _within(days, pc.less_equal(bounds[0], days), pc.less_equal(days, bounds[1]))


def _within(values: pa.Array, *is_within: pa.Array) -> pa.Array:
    """The values, null where they are out of bounds."""
    inside = pc.and_(*is_within)
    return values if pc.all(inside).as_py() is not False else pc.if_else(inside, values, None)


def _one_day(value: Any) -> date | None:
    if _is_no_date(value):
        return None
    text = value.strip()[:10] if isinstance(value, str) else ""
    try:
        if not DAY.fullmatch(text):
            raise ValueError(text)
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{_shown(value)} is not a date") from None
    return found if FIRST_DAY <= found <= LAST_DAY else None


def instant(values: Sequence[Any]) -> Parsed:
    """Instants with their zone, `...+0000` as REST or `...Z` as Bulk writes them (salesforce-api H49)."""
    return _either(values, lambda given: _bounded(pc.cast(_texts(given), INSTANT)), _one_instant, INSTANT)


def _bounded(instants: pa.Array) -> pa.Array:
    first, end = (pa.scalar(bound, INSTANT) for bound in (FIRST_INSTANT, END_OF_INSTANTS))
    return _within(instants, pc.less_equal(first, instants), pc.less(instants, end))


def _one_instant(value: Any) -> datetime | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    moment = _moment(value, "an instant")
    if moment.tzinfo is None:
        raise ValueError(f"{_shown(value)} has no time zone")
    return _utc(moment)


def _moment(value: Any, what: str) -> datetime:
    try:
        if not isinstance(value, str):
            raise ValueError(value)
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"{_shown(value)} is not {what}") from None


def _utc(moment: datetime) -> datetime | None:
    """The instant in UTC; None out of bounds, where the calendar itself may end."""
    try:
        instant = moment.astimezone(UTC)
    except OverflowError:
        return None
    return instant if FIRST_INSTANT <= instant < END_OF_INSTANTS else None


def local_instant(zone: ZoneInfo) -> Parser:
    """A parser of `YYYY-MM-DD HH:MM:SS` in the zone of the WHMCS server; of a repeated hour, the first."""

    def whole(values: Sequence[Any]) -> pa.Array:
        naive = pc.cast(_dates(values), pa.timestamp("us"))
        local = pc.assume_timezone(naive, zone.key, ambiguous="earliest", nonexistent="latest")
        return _bounded(pc.cast(local, INSTANT))

    def single(value: Any) -> datetime | None:
        if _is_no_date(value):
            return None
        moment = _moment(value, "a date and time")
        if moment.tzinfo:
            return _utc(moment)
        read: datetime | None = whole([moment.isoformat(" ")])[0].as_py()  # one reading of hours clocks skip or repeat
        return read and read.astimezone(UTC)

    return lambda values: _either(values, whole, single, INSTANT)


def expiry(values: Sequence[Any]) -> Parsed:
    """The last day of the month of `MM/YY`, `MMYY`, `M/YYYY`, `YYYY-MM` and such (whmcs-api 7.6); null when none."""
    return _one_by_one(values, _last_day, pa.date32())


def _last_day(value: Any) -> date | None:
    if _is_no_date(value) or not str(value).strip("0/ -"):
        return None
    given = str(value).strip()
    match = next((match for form in EXPIRIES if (match := form.fullmatch(given)) and given.isascii()), None)
    if match is None:
        raise ValueError("is not an expiry of the form MM/YY")
    year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        return None
    return end_of_month(date(year, int(match["month"]), 1))


def _is_no_date(value: Any) -> bool:
    """Whether the source says that there is no date: null, empty text, or a zero date."""
    return value is None or (isinstance(value, str) and (not value.strip() or value.strip().startswith(NO_DATES)))


def _shown(value: Any) -> str:
    """A value short and plain enough for a reason; anything else could be free text."""
    shown = str(value)
    return repr(shown) if len(shown) <= 32 and re.fullmatch(r"[0-9A-Za-z:/+., -]*", shown) else "the value"
