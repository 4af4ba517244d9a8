"""The ledger has runs of sync-hinted."""

from __future__ import annotations

from alembic import op

import sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Runs sql/schema/0016_sync_hinted.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0016_sync_hinted"))  # type: ignore[union-attr]
