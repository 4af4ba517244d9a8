"""Instants as people write them on the command line and read them in answers."""

from __future__ import annotations

from datetime import UTC, datetime


def parse(text: str) -> datetime:
    """An RFC 3339 instant as aware UTC. Raises ValueError naming the value, for one without an offset too."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no instant; write one like 2026-03-01T09:00:00Z") from None
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} names no offset from UTC; write one like {text}Z or {text}+09:00")
    return instant.astimezone(UTC)


def written(instant: datetime | None) -> str | None:
    """RFC 3339 in UTC, ending in Z; None for None."""
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
