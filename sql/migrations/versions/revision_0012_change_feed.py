"""Changes of the published tables, in the order of commits."""

from __future__ import annotations

from alembic import op

import sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Runs sql/schema/0012_change_feed.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0012_change_feed"))  # type: ignore[union-attr]
