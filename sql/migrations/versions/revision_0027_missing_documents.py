"""The shadow check also finds documents that are missing: comments say so."""

from __future__ import annotations

from alembic import op

import sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Runs sql/schema/0027_missing_documents.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0027_missing_documents"))  # type: ignore[union-attr]
