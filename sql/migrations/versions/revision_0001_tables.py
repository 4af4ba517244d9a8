"""The first schema: published tables, snapshot and bookkeeping."""

from __future__ import annotations

from alembic import op

import sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Runs sql/schema/0001_tables.sql as it stands: sent without parameters, so that a percent sign is only that."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0001_tables"))  # type: ignore[union-attr]
