"""Views for analysts, and the role that sees them."""

from __future__ import annotations

from alembic import op

import sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Runs sql/schema/0003_analytics.sql as it stands: sent without parameters, so that a percent sign is only that."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0003_analytics"))  # type: ignore[union-attr]
