"""Hashes beside the rows of the snapshot."""

from __future__ import annotations

from alembic import op

import sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Runs sql/schema/0004_content_hash.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0004_content_hash"))  # type: ignore[union-attr]
