"""Operating: pauses, decisions, heartbeats, totals, alerts, and the oldest program that may use the schema."""

from __future__ import annotations

from alembic import op

import sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Runs sql/schema/0010_operating.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0010_operating"))  # type: ignore[union-attr]
