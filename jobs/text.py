"""Instants as people write them on the command line and read them in answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""What a run may be as of: within these no window, retention or calendar overflows."""
FRACTION = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d+(?=Z)")


def parse(text: str) -> datetime:
    """An RFC 3339 instant as aware UTC. Raises ValueError, naming the value, also when it has no offset."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an instant; write one like 2026-03-01T09:00:00Z") from None
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} names no offset from UTC; write one like {text}Z or {text}+09:00")
    if not EARLIEST <= instant < LATEST:
        raise ValueError(f"{text!r} is out of range; write one from 1970 to 2999")
    return instant.astimezone(UTC)


def written(instant: datetime | None) -> str | None:
    """RFC 3339 in UTC, ending in Z; None for None."""
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def in_seconds(text: str) -> str:
    """A text for people: its instants without fractions of a second."""
    return FRACTION.sub("", text)
