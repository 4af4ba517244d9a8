"""One of many: owners of records set aside, failed customers, incomplete streams, balances, unreadable links."""

from __future__ import annotations

from alembic import op

import sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Runs sql/schema/0014_one_of_many.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0014_one_of_many"))  # type: ignore[union-attr]
