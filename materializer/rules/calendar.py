"""Business dates: which date it is at an instant in a zone, and at which instant a date begins there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


def today(now: datetime, zone: ZoneInfo) -> date:
    """The date in `zone` at `now` (aware)."""
    return now.astimezone(zone).date()


@lru_cache(maxsize=20_000)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the date in `zone` is `day`.

    Where the clock is put back over midnight the earlier midnight counts; where midnight (or the whole day) is left
    out, the instant of the jump. Raises OverflowError next to the ends of the calendar.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    return _jump_near(instant, day, zone)


def moment_of(day: date, days: int, zone: ZoneInfo) -> datetime | None:
    """The first instant of the date `days` after `day` (before, when negative); None beyond the calendar's ends."""
    try:
        return start_of_day(day + timedelta(days=days), zone)
    except OverflowError:
        return None


def end_of_month(day: date) -> date:
    """The last date of the month of `day`."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - ONE_DAY if day < date(9999, 12, 1) else date.max


def _jump_near(instant: datetime, day: date, zone: ZoneInfo) -> datetime:
    """The first second at which the date in `zone` is `day` or later, `instant` being within two days of it."""
    before, after = instant - 2 * ONE_DAY, instant + 2 * ONE_DAY
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        before, after = (before, middle) if today(middle, zone) >= day else (middle, after)
    return after
