"""Whose news: the WHMCS client that each notification came from."""

from __future__ import annotations

from alembic import op

import sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Runs sql/schema/0018_whose_news.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0018_whose_news"))  # type: ignore[union-attr]
