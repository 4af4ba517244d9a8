"""Hints: who is to be read again, and how many hints were dealt with."""

from __future__ import annotations

from alembic import op

import sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Runs sql/schema/0006_hints.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0006_hints"))  # type: ignore[union-attr]
