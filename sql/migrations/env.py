"""Alembic's entry: runs the revisions on the connection handed in by `jobs.migrate`, inside its transaction."""

from __future__ import annotations

from alembic import context

import sql


def run() -> None:
    """Runs the revisions asked for on `config.attributes["connection"]`."""
    context.configure(connection=context.config.attributes["connection"], version_table=sql.VERSION_TABLE)
    with context.begin_transaction():
        context.run_migrations()


run()
