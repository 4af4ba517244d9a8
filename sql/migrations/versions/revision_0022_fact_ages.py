"""How old the document of a marked customer is."""

from __future__ import annotations

from alembic import op

import sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Runs sql/schema/0022_fact_ages.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0022_fact_ages"))  # type: ignore[union-attr]
