"""What was served to whom, when: me_status_history, written in the transaction that writes me_status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

import sql
from materializer.units import At


def record(connection: Connection, at: At, *, are_taken: bool) -> None:
    """Begins a version of each document of `pg_temp.computed` that me_status has taken over with other content.

    The version before ends at the run's now. When that is earlier than it began (a run `--as-of` the past), it ends as
    it began and holds at no instant: versions of a customer never overlap, and none is forgotten.
    `are_taken`: me_status has taken over every row, so that it is not asked which.
    """
    connection.execute(sql.statement("refresh/close_served_versions"), {"now": at.now, "are_taken": are_taken})
    parameters = {"now": at.now, "run_id": at.run_id}
    connection.execute(sql.statement("refresh/insert_served_versions"), parameters)


def end(connection: Connection, customers: Sequence[str], now: datetime) -> None:
    """Ends what was served to those that are not customers any more."""
    connection.execute(sql.statement("refresh/end_served_versions"), {"customer_ids": list(customers), "now": now})
