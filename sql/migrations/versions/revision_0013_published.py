"""The ground of the published views: settings, what was pruned, first observations, link problems with their age."""

from __future__ import annotations

from alembic import op

import sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Runs sql/schema/0013_published.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0013_published"))  # type: ignore[union-attr]
