"""Readings of some customers: their order against pulls of whole streams, and the age of facts."""

from __future__ import annotations

from alembic import op

import sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Runs sql/schema/0009_readings.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0009_readings"))  # type: ignore[union-attr]
