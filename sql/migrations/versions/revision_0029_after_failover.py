"""Changes under way are counted by a logged sequence, which a failover leaves whole."""

from __future__ import annotations

from alembic import op

import sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Runs sql/schema/0029_after_failover.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0029_after_failover"))  # type: ignore[union-attr]
