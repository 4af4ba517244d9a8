"""Refresh: recomputes the documents of the customers concerned, and decides and sends their notifications."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from config.database import Database
from materializer.rules import Rules

Submit = Callable[..., "Future[Any]"]
"""submit(unit, *arguments): runs unit(database, *arguments) somewhere, the database being that of the worker."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did. `held` is the flood gate's summary when it held the run's notifications."""

    customers: int = 0
    changed: int = 0
    removed: int = 0
    resolved: int = 0
    sent: dict[str, int] = field(default_factory=dict)
    swallowed: dict[str, int] = field(default_factory=dict)
    held: dict[str, Any] | None = None


def refresh(
    database: Database,
    rules: Rules,
    *,
    run_id: int,
    now: datetime,
    freshness: timedelta,
    batch_customers: int,
    submit: Submit | None = None,
) -> Refreshed:
    """Refreshes every customer that is marked or whose time has come; `freshness` is the limit of WHMCS data."""
    raise NotImplementedError
