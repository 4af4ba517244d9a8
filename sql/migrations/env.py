"""Alembic's entry: runs the revisions on the connection handed in by `jobs.migrate`, inside its transaction."""

from __future__ import annotations

from alembic import context

VERSION_TABLE = "schema_version"


def run() -> None:
    """Runs the revisions asked for on `config.attributes["connection"]`."""
    context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
    with context.begin_transaction():
        context.run_migrations()


run()
