"""Guests: the reason of what was passed over; an index on the rules that made a document."""

from __future__ import annotations

from alembic import op

import sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Runs sql/schema/0019_guests.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0019_guests"))  # type: ignore[union-attr]
