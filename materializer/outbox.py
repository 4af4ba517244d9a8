"""Notifications on their way out: the flood gate, the sending with dedupe, and what the operator decides about held runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.database import Database
from materializer.rules import Rules


@dataclass(frozen=True)
class Sent:
    """What left the outbox: how many by type, and how many dedupe swallowed by type."""

    sent: dict[str, int] = field(default_factory=dict)
    swallowed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class NeedsConfirmation:
    """An announcement beyond the flood gate: ask the operator, then announce again with confirmed=True."""

    customers: int
    limit: int


@dataclass(frozen=True)
class Announced:
    """What an announcement did; `unknown` are the listed ids that are no customers (merged ones count as the winner)."""

    source_id: str
    sent: int
    unknown: tuple[str, ...] = ()


def flood(database: Database, rules: Rules, *, run_id: int, now: datetime) -> dict[str, Any] | None:
    """Holds the run's notifications when one type is beyond its limit; the summary for the operator, or None."""
    raise NotImplementedError


def send(database: Database, *, run_id: int, now: datetime) -> Sent:
    """Sends what the run's outbox rows that are not held say, with dedupe at `now`."""
    raise NotImplementedError


def release(database: Database, rules: Rules, run_id: int, now: datetime) -> Sent | None:
    """Sends what the held run holds, with dedupe at `now` and created_at = now; None when it waits no longer."""
    raise NotImplementedError


def discard(database: Database, run_id: int, now: datetime) -> int | None:
    """Records what the held run holds as not sent; how many, None when it waits no longer."""
    raise NotImplementedError


def announce(
    database: Database,
    rules: Rules,
    *,
    title: str,
    message: str,
    url: str | None,
    customers: Collection[str] | None,
    run_id: int,
    now: datetime,
    confirmed: bool,
) -> Announced | NeedsConfirmation:
    """Sends a SYSTEM_ANNOUNCEMENT to every customer (None) or to the listed Account ids."""
    raise NotImplementedError
