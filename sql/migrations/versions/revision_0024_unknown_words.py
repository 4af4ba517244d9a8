"""Status words that no mapping knows."""

from __future__ import annotations

from alembic import op

import sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Runs sql/schema/0024_unknown_words.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0024_unknown_words"))  # type: ignore[union-attr]
