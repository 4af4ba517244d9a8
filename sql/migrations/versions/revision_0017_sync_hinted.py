"""The ledger has runs of sync-hinted."""

from __future__ import annotations

from alembic import op

import sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Runs sql/schema/0017_sync_hinted.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0017_sync_hinted"))  # type: ignore[union-attr]
