"""What the shrink gate holds is as old as the last reading that had it: owners and ages of held rows."""

from __future__ import annotations

from alembic import op

import sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Runs sql/schema/0028_held_ages.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0028_held_ages"))  # type: ignore[union-attr]
