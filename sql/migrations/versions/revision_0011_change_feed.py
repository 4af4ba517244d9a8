"""Changes of the published tables, in the order of commits."""

from __future__ import annotations

from alembic import op

import sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Runs sql/schema/0011_change_feed.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0011_change_feed"))  # type: ignore[union-attr]
