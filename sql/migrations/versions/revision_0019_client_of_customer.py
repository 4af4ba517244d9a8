"""Who is served which client: an index for the views over invoices and services."""

from __future__ import annotations

from alembic import op

import sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Runs sql/schema/0019_client_of_customer.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0019_client_of_customer"))  # type: ignore[union-attr]
