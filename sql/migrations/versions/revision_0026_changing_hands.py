"""Customers whose records changed hands are refreshed together."""

from __future__ import annotations

from alembic import op

import sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Runs sql/schema/0026_changing_hands.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0026_changing_hands"))  # type: ignore[union-attr]
