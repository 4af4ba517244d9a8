"""Slots of a cron expression as crontab(5) means it, in a zone whose clocks change.

Sunday is 0 and 7; a day of the month *or* of the week is enough when both are given. A wall time that a clock change
skips fires at the change, one that comes twice fires once, unless the hour is `*`: then every instant counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

FIELDS = 5
LONGEST_JUMP = timedelta(hours=27)
"""Further than any clock was ever changed at once."""
SECOND = timedelta(seconds=1)


def check(expression: str) -> None:
    """Raises ValueError for what is not a cron expression of five fields."""
    if len(expression.split()) != FIELDS:
        raise ValueError("a cron expression has five fields: minute, hour, day of the month, month, day of the week")
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"{expression!r} is not a cron expression: {error}") from None


def slot_after(expression: str, instant: datetime, zone: ZoneInfo) -> datetime | None:
    """The first slot later than `instant`, aware UTC; None for one that never comes again."""
    return next((slot for slot in _slots(expression, instant, zone, is_reverse=False) if slot > instant), None)


def slot_before(expression: str, instant: datetime, zone: ZoneInfo) -> datetime | None:
    """The last slot at or before `instant`, aware UTC; None when there was none."""
    return next((slot for slot in _slots(expression, instant, zone, is_reverse=True) if slot <= instant), None)


def _slots(expression: str, instant: datetime, zone: ZoneInfo, *, is_reverse: bool) -> Iterator[datetime]:
    """Slots from about `instant` on, or back from it."""
    if expression.split()[1] == "*":
        start = instant.astimezone(zone) + (SECOND if is_reverse else -SECOND)
        return (slot.astimezone(UTC) for slot in CronSim(expression, start, is_reverse))
    wall = instant.astimezone(zone).replace(tzinfo=None)
    margin = _shift_near(instant, zone) + SECOND
    walls = CronSim(expression, wall + margin if is_reverse else wall - margin, is_reverse)
    return (_instant_of(wall, zone) for wall in walls)


def _shift_near(instant: datetime, zone: ZoneInfo) -> timedelta:
    """By how much the zone's clocks are changed about that time."""
    moments = (instant - LONGEST_JUMP, instant, instant + LONGEST_JUMP)
    offsets = [moment.astimezone(zone).utcoffset() or timedelta() for moment in moments]
    return max(offsets) - min(offsets)


def _instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the clock shows that time, or, where it skips it, jumps past it."""
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if _wall_of(instant, zone) == wall:
        return instant
    before, after = instant - LONGEST_JUMP, instant
    while after - before > SECOND:
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        before, after = (before, middle) if _wall_of(middle, zone) >= wall else (middle, after)
    return after


def _wall_of(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)
