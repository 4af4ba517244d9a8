"""Columns of dates, instants and the expiry of cards; what lies outside 1900 to 2999 is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from jobs.sources.columns.parsing import Parsed, Parser, either, one_by_one, shown, texts
from materializer.rules.calendar import end_of_month

INSTANT = pa.timestamp("us", tz="UTC")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NO_DATES = ("0000-00-00", "-0001-11-30")
EXPIRIES = (
    re.compile(r"(?P<month>0?[1-9]|1[0-2])\s*[/.-]\s*(?P<year>[0-9]{4}|[0-9]{2})"),
    re.compile(r"(?P<month>0[1-9]|1[0-2])(?P<year>[0-9]{4}|[0-9]{2})"),
    re.compile(r"(?P<year>[0-9]{4})\s*[/.-]?\s*(?P<month>0?[1-9]|1[0-2])"),
)
"""The forms in which gateways write a card's expiry, the usual ones first."""
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
FIRST_INSTANT, END_OF_INSTANTS = datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""Dates and instants outside count as none: nothing of a customer happened or will happen then."""


def _dates(values: Sequence[Any]) -> pa.Array:
    """Text with zero dates and empty ones as null."""
    array = texts(values)
    return pc.if_else(pc.starts_with(array, "0000-00-00"), None, array)


def day(values: Sequence[Any]) -> Parsed:
    """Dates `YYYY-MM-DD`; zero dates, empty text and dates outside 1900 to 2999 are null (whmcs-api Q20)."""
    return either(values, _whole_days, _one_day, pa.date32())


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
        raise ValueError(f"{shown(value)} is not a date") from None
    return found if FIRST_DAY <= found <= LAST_DAY else None


def instant(values: Sequence[Any]) -> Parsed:
    """Instants with their zone, `...+0000` as REST or `...Z` as Bulk writes them (salesforce-api H49)."""
    return either(values, lambda given: _bounded(pc.cast(texts(given), INSTANT)), _one_instant, INSTANT)


def _bounded(instants: pa.Array) -> pa.Array:
    first, end = (pa.scalar(bound, INSTANT) for bound in (FIRST_INSTANT, END_OF_INSTANTS))
    return _within(instants, pc.less_equal(first, instants), pc.less(instants, end))


def _one_instant(value: Any) -> datetime | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    moment = _moment(value, "an instant")
    if moment.tzinfo is None:
        raise ValueError(f"{shown(value)} has no time zone")
    return _utc(moment)


def _moment(value: Any, what: str) -> datetime:
    try:
        if not isinstance(value, str):
            raise ValueError(value)
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"{shown(value)} is not {what}") from None


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

    return lambda values: either(values, whole, single, INSTANT)


def expiry(values: Sequence[Any]) -> Parsed:
    """The last day of the month of `MM/YY`, `MMYY`, `M/YYYY`, `YYYY-MM` and such (whmcs-api 7.6); null when none."""
    return one_by_one(values, _last_day, pa.date32())


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
