"""How much of a source's daily requests is used."""

from __future__ import annotations

from alembic import op

import sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Runs sql/schema/0023_source_usage.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0023_source_usage"))  # type: ignore[union-attr]
