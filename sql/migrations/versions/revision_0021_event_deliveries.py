"""What is left of the day's deliveries of Salesforce's events."""

from __future__ import annotations

from alembic import op

import sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Runs sql/schema/0021_event_deliveries.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0021_event_deliveries"))  # type: ignore[union-attr]
