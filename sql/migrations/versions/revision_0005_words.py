"""Tables of schema pipeline carry the words of the glossary."""

from __future__ import annotations

from alembic import op

import sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Runs sql/schema/0005_words.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0005_words"))  # type: ignore[union-attr]
