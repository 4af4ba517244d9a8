"""What the verdict on the pipeline rests on, read from the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

import sql
from config import health
from config.health import JobSeen, Reason, Seen, SourceSeen
from config.types import JOBS
from jobs.program import Program
from materializer import holds


def seen(connection: Connection) -> Seen:
    """The ledger, the sources and what waits, as they are now."""
    sources = connection.execute(sql.statement("ledger/list_source_states")).mappings()
    jobs = connection.execute(sql.statement("health/list_job_states"), {"jobs": list(JOBS)})
    waiting = connection.execute(sql.statement("health/read_waiting")).mappings().one()
    return Seen(
        sources=[SourceSeen(row["source"], row["synced_at"], row["failed_at"], row["error"]) for row in sources],
        jobs=[JobSeen(*row) for row in jobs],
        held=[run.run_id for run in holds.waiting(connection)],
        **waiting,
    )


def verdict(connection: Connection, program: Program, now: datetime) -> list[Reason]:
    """Everything that is not well; empty: healthy."""
    return health.judge(seen(connection), program.tables.schedule, program.settings.zone, now)
