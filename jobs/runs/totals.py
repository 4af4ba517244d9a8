"""Totals that only grow, whatever is pruned: what metrics count by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

import sql

BY_TYPE = {"sent": "notifications_sent", "suppressed": "notifications_suppressed"}
OF_STREAM = ("added", "changed", "removed", "set_aside")
Total = tuple[str, str, str, float]
"""Metric, label, second label, amount."""


def add(connection: Connection, job: str, outcome: str, elapsed: timedelta, counts: Mapping[str, Any]) -> None:
    """Adds what one run did."""
    spent = elapsed.total_seconds()
    ended: list[Total] = [("runs_ended", job, outcome, 1.0), ("run_seconds_spent", job, "", spent)]
    _add(connection, [*ended, *of_counts(counts)])


def add_counts(connection: Connection, counts: Mapping[str, Any]) -> None:
    """Adds what was done in the name of a run that had ended."""
    _add(connection, list(of_counts(counts)))


def _add(connection: Connection, rows: list[Total]) -> None:
    if rows:
        columns = dict(
            zip(("metrics", "labels", "details", "amounts"), map(list, zip(*rows, strict=True)), strict=True)
        )
        connection.execute(sql.statement("ledger/add_totals"), columns)


def of_counts(counts: Mapping[str, Any]) -> Iterator[Total]:
    """What the counts of a run add: notifications by type, records by stream and change, documents written."""
    for name, value in counts.items():
        if name in BY_TYPE and isinstance(value, Mapping):
            yield from ((BY_TYPE[name], kind, "", float(number)) for kind, number in value.items() if number)
        elif isinstance(value, Mapping):
            yield from (
                ("records", name, change, float(value[change])) for change in OF_STREAM if _is_number(value.get(change))
            )
        elif name == "changed" and _is_number(value):
            yield "documents_written", "", "", float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and value > 0
