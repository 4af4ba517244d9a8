"""Requests of refreshes: when each customer last asked."""

from __future__ import annotations

from alembic import op

import sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Runs sql/schema/0007_refresh_requests.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0007_refresh_requests"))  # type: ignore[union-attr]
