"""Notifications carry tone and about; an account may name a language."""

from __future__ import annotations

from alembic import op

import sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Runs sql/schema/0008_notification_data.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0008_notification_data"))  # type: ignore[union-attr]
