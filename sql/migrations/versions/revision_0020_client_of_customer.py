"""Who is served which client: an index for the views over invoices and services."""

from __future__ import annotations

from alembic import op

import sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Runs sql/schema/0020_client_of_customer.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0020_client_of_customer"))  # type: ignore[union-attr]
