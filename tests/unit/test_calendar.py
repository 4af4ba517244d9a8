"""Business dates over zones with every kind of jump."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from materializer.rules.calendar import end_of_month, moment_of, start_of_day, today

ZONES = [
    "UTC", "Asia/Tokyo", "Europe/Vienna", "America/New_York", "America/Santiago", "Africa/Cairo", "Asia/Beirut",
    "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Asia/Kathmandu", "America/Havana", "Pacific/Kiritimati",
]  # fmt: skip
dates = st.dates(date(2011, 12, 1), date(2040, 12, 31))
zones = st.sampled_from(ZONES).map(ZoneInfo)


@given(dates, zones)
def test_a_day_begins_at_its_first_instant(day: date, zone: ZoneInfo) -> None:
    """At the start it is the day (or the next, where the zone left the day out); a microsecond before it is not yet."""
    start = start_of_day(day, zone)
    assert day <= today(start, zone) <= day + timedelta(days=1)
    assert today(start - timedelta(microseconds=1), zone) < day


@given(st.datetimes(datetime(2012, 1, 2), datetime(2040, 1, 1), timezones=st.just(UTC)), zones)  # noqa: DTZ001  hypothesis wants naive bounds
def test_an_instant_lies_in_its_day(now: datetime, zone: ZoneInfo) -> None:
    """Every instant is at or after the start of its date and before the start of the next."""
    day = today(now, zone)
    assert start_of_day(day, zone) <= now < start_of_day(day + timedelta(days=1), zone)


@pytest.mark.parametrize(
    ("expected", "day", "zone"),
    [
        (datetime(2026, 3, 9, 15, tzinfo=UTC), date(2026, 3, 10), "Asia/Tokyo"),
        (datetime(2022, 9, 11, 4, tzinfo=UTC), date(2022, 9, 11), "America/Santiago"),
        (datetime(2026, 11, 1, 4, tzinfo=UTC), date(2026, 11, 1), "America/Havana"),
        (datetime(2011, 12, 30, 10, tzinfo=UTC), date(2011, 12, 30), "Pacific/Apia"),
    ],
)
def test_midnights_that_jump(expected: datetime, day: date, zone: str) -> None:
    """No midnight: the jump. Two midnights: the first. No such day: the jump over it."""
    assert expected == start_of_day(day, ZoneInfo(zone))


def test_there_is_nothing_beyond_the_calendar() -> None:
    """A date past the calendar's end has no start."""
    assert moment_of(date(9999, 12, 31), 1, ZoneInfo("UTC")) is None
    assert moment_of(date(1, 1, 1), -7, ZoneInfo("UTC")) is None


@pytest.mark.parametrize(
    ("expected", "day"),
    [
        (date(2024, 2, 29), date(2024, 2, 1)),
        (date(2026, 2, 28), date(2026, 2, 28)),
        (date(2026, 12, 31), date(2026, 12, 5)),
        (date(9999, 12, 31), date(9999, 12, 5)),
    ],
)
def test_months_end(expected: date, day: date) -> None:
    """The last date of the month, leap years included."""
    assert expected == end_of_month(day)
