"""Cron expressions as crontab(5) means them, in every zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import cron

ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("posix", "right")))
BERLIN, NEW_YORK, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(expression: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    found: list[datetime] = []
    slot = cron.slot_after(expression, start, zone)
    while slot is not None and slot < end:
        found.append(slot)
        slot = cron.slot_after(expression, slot, zone)
    return found


@pytest.mark.parametrize(
    ("expression", "weekdays"),
    [
        ("0 3 * * 0", [6]),
        ("0 3 * * 7", [6]),
        ("0 3 * * 1-5", [0, 1, 2, 3, 4]),
        ("0 3 * * SUN", [6]),
        ("0 3 1 * 1", [0, 1]),
    ],
)
def test_days_of_the_week_are_those_of_crontab(expression: str, weekdays: list[int]) -> None:
    """Sunday is 0 and 7; day of month or day of week when both are given (1 December 2026 is a Tuesday)."""
    found = slots(expression, ZoneInfo("UTC"), at("2026-11-28 00:00"), at("2026-12-12 00:00"))
    assert weekdays == sorted({slot.weekday() for slot in found})


def test_a_skipped_time_fires_at_the_change_and_one_that_comes_twice_fires_once() -> None:
    """Berlin: 02:30 on 28 March 2027 is skipped, 02:30 on 31 October 2027 comes twice; `*` fires at both."""
    spring = slots("30 2 * * *", BERLIN, at("2027-03-27 12:00"), at("2027-03-29 12:00"))
    assert [at("2027-03-28 01:00"), at("2027-03-29 00:30")] == spring
    autumn = slots("30 2 * * *", BERLIN, at("2027-10-30 12:00"), at("2027-11-01 12:00"))
    assert [at("2027-10-31 00:30"), at("2027-11-01 01:30")] == autumn
    assert 4 == len(slots("30 * * * *", BERLIN, at("2027-10-30 23:00"), at("2027-10-31 03:00")))


def test_midnight_after_the_clock_change_comes() -> None:
    """New York, 15 March 2027, the day after summer time began."""
    assert at("2027-03-15 04:00") == cron.slot_after("0 0 * * *", at("2027-03-14 12:00"), NEW_YORK)


@settings(deadline=None)
@given(
    st.sampled_from(ZONES),
    st.dates(date(1972, 1, 1), date(2037, 1, 1)),
    st.integers(0, 23),
    st.integers(0, 59),
)
def test_a_daily_job_has_one_slot_each_day_in_every_zone(name: str, day: date, hour: int, minute: int) -> None:
    """Over ten days: one per date, the same forwards and backwards."""
    zone, expression = ZoneInfo(name), f"{minute} {hour} * * *"
    start = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
    found = slots(expression, zone, start, start + timedelta(days=10))
    dates = [slot.astimezone(zone).date() for slot in found]
    assert len(dates) == len(set(dates))
    assert all((later - earlier).days == 1 or later - earlier == timedelta(2) for earlier, later in pairwise(dates))
    assert all(cron.slot_before(expression, slot, zone) == slot for slot in found)
    assert all(
        cron.slot_before(expression, later - timedelta(microseconds=1), zone) == earlier
        for earlier, later in pairwise(found)
    )


@pytest.mark.parametrize("expression", ["", "* * * *", "* * * * * *", "60 * * * *", "a b c d e", "0 3 * * 8"])
def test_what_is_not_an_expression_is_refused(expression: str) -> None:
    """Five fields, each within its bounds."""
    with pytest.raises(ValueError, match="cron expression"):
        cron.check(expression)
