"""Which clients are read by themselves this time, so that each one is read often enough (whmcs-api 8.10)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import ceil

LEAST = 25
"""Clients of one reading, when there are so many."""


def due_clients(
    readings: Iterable[tuple[int, datetime | None]],
    clients: int,
    since: datetime | None,
    now: datetime,
    period: timedelta,
) -> list[int]:
    """The clients to read now, of `readings` sorted by when they were last read, those never read first.

    All never read, those who would be overdue by the next reading, and the share of all `clients` that the time since
    the last reading (`since`; None: all) is of the period; at least 25.
    """
    entries = list(readings)
    if since is None:
        return [client for client, _ in entries]
    elapsed = max(now - since, timedelta())
    never = sum(read_at is None for _, read_at in entries)
    overdue = sum(read_at is not None and read_at <= now - period + elapsed for _, read_at in entries)
    share = ceil(max(clients, len(entries)) * (elapsed / period))
    return [client for client, _ in entries[: never + max(overdue, share, LEAST)]]


def until_late(clients: Iterable[int], limit: timedelta) -> Iterator[int]:
    """The clients, until the limit has passed by this process's clock; at least 25. Who is left comes first next time.

    A first reading of a million clients takes hours, in which everything else of WHMCS would grow stale.
    """
    ends = time.monotonic() + limit.total_seconds()
    for number, client in enumerate(clients):
        if number >= LEAST and time.monotonic() >= ends:
            return
        yield client


def is_turn(client: int, since: datetime | None, now: datetime, period: timedelta) -> bool:
    """Whether the client's own instant, one in each period and spread by its id, lies in (since, now]."""
    if since is None:
        return True
    offset = (client * 2654435761 % 2**32) / 2**32 * period.total_seconds()
    return (now.timestamp() - offset) // period.total_seconds() > (since.timestamp() - offset) // period.total_seconds()
