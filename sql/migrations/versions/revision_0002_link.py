"""The link between accounts and WHMCS clients, as a view."""

from __future__ import annotations

from alembic import op

import sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Runs sql/schema/0002_link.sql as it stands: sent without parameters, so that a percent sign is only that."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0002_link"))  # type: ignore[union-attr]
