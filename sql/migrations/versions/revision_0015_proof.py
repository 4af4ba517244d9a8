"""Proof: how far each stream is proved equal to its source."""

from __future__ import annotations

from alembic import op

import sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Runs sql/schema/0015_proof.sql as it stands."""
    op.get_bind().connection.driver_connection.execute(sql.schema("0015_proof"))  # type: ignore[union-attr]
