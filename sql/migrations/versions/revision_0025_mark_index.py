"""Marks by their instant."""

from __future__ import annotations

from alembic import op

import sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Runs sql/schema/0025_mark_index.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0025_mark_index"))  # type: ignore[union-attr]
