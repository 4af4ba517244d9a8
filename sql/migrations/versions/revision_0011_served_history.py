"""What was served to each customer, and when."""

from __future__ import annotations

from alembic import op

import sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Runs sql/schema/0011_served_history.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0011_served_history"))  # type: ignore[union-attr]
