"""Prune: forgets history older than its retention, a bounded batch per transaction.

Notifications go by their age alone, so that the shares of those read and unread stay what they were.

What other parts still read stays: transitions not yet judged, those of a living service that recent activity shows,
dedupe windows of customers that exist, counts as far back as the flood gate looks,
readings of some customers that no whole one covers yet,
held runs that wait, and the latest run of each job.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, CursorResult

import sql
from config.database import Database
from config.schedule import Retention

ROWS_AT_ONCE = 1000
"""Rows of one commit: few enough that nobody waits for it."""
SPAN_OF_TABLE = {
    "transitions": "transitions",
    "notifications": "notifications",
    "suppressed": "notifications",
    "windows": "notifications",
    "run_units": "runs",
    "sent_counts": "runs",
    "held_runs": "runs",
    "hinted_runs": "hinted_runs",
    "runs": "runs",
    "hints": "hints",
    "refresh_requests": "hints",
    "owner_readings": "hints",
    "history": "history",
    "changes": "change_feed",
    "first_observations": "transitions",
    "document_differences": "runs",
}
"""What is pruned (prune_<name>.sql), and the retention that says when it is old."""


def prune(
    database: Database, retention: Retention, *, now: datetime, flood_days: int = 0, rows_at_once: int = ROWS_AT_ONCE
) -> dict[str, int]:
    """Deletes what is older than its retention; how many rows, by what was pruned.

    `flood_days` is how far back the flood gate looks: counts of what was sent are kept a day longer at least.
    """
    days = {name: int(getattr(retention, span)) for name, span in SPAN_OF_TABLE.items()}
    days["sent_counts"] = max(days["sent_counts"], flood_days + 1)
    before = {name: now - timedelta(days=days[name]) for name in SPAN_OF_TABLE}
    _note(database, before)
    return {name: _prune(database, f"prune/prune_{name}", before[name], rows_at_once) for name in SPAN_OF_TABLE}


def _note(database: Database, before: dict[str, datetime]) -> None:
    """Publishes from when on each kind of history is whole, before the first row of it goes."""
    parameters = {"kinds": list(before), "befores": list(before.values())}
    database.transact(lambda connection: connection.execute(sql.statement("prune/note_pruned"), parameters))


def _prune(database: Database, statement: str, before: datetime, rows: int) -> int:
    def work(connection: Connection) -> int:
        result = connection.execute(sql.statement(statement), {"before": before, "rows": rows})
        assert isinstance(result, CursorResult)
        return result.rowcount

    pruned = 0
    while True:
        gone = database.transact(work)
        pruned += gone
        if gone < rows:
            return pruned
