"""How values are read from people and written to them: instants, counts, and rows as JSON objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

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


def counted(count: int, one: str, many: str) -> str:
    """'1 invoice due', '1,200 invoices due'."""
    return f"{count:,} {one if count == 1 else many}"


def as_object(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of the database as an object of JSON: names in camel case, instants and dates as text."""
    return {camel(name): plain(value) for name, value in row.items()}


def camel(name: str) -> str:
    """`amount_due` as `amountDue`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def plain(value: Any) -> Any:
    """Instants and dates as text, anything else as it is."""
    if isinstance(value, datetime):
        return written(value)
    return value.isoformat() if isinstance(value, date) else value
