"""Bringing a database to the current schema, and saying whether it is there."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

import sql
from config.errors import MeStatusError
from jobs import published


def migrate(engine: Engine) -> str:
    """Brings the database to the newest revision and returns it; two calls at once are safe.

    The published views and grants are put in place as well, so that a role made since has them.

    Everything happens in one transaction, so a failing step leaves the schema as it was.
    Raises MeStatusError when the database is at a revision that this version does not know.
    """
    with engine.begin() as connection:
        connection.execute(text("set local lock_timeout = 0"))
        connection.execute(sql.statement("ledger/lock_transaction"), {"name": "me-status migrate"})
        _refuse_newer(connection)
        command.upgrade(_config(connection), "head")
        published.publish(connection)
    return head()


def head() -> str:
    """The newest revision this version of the program knows, such as '0003'."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def revision(engine: Engine) -> str | None:
    """The revision the database is at; None when it was never migrated."""
    with engine.connect() as connection:
        return _revision(connection)


def require_current(engine: Engine) -> None:
    """Raises MeStatusError saying what to run when the schema is missing, behind or ahead."""
    with engine.connect() as connection:
        if _is_promised(connection):
            return
        _refuse_newer(connection)
        found = _revision(connection)
    if found is None:
        raise MeStatusError("the database has no me-status schema; run `me-status migrate`")
    if found != head():
        raise MeStatusError(f"the database is at schema {found}, {head()} is needed; run `me-status migrate`")


def _is_promised(connection: Connection) -> bool:
    """Whether a newer schema says that this program may use it: it only gained since, and nothing was taken away."""
    found = _revision(connection)
    if found is None or found <= head():
        return False
    oldest: str = connection.execute(sql.statement("ledger/read_schema_promise")).scalar_one()
    return head() >= oldest


def _refuse_newer(connection: Connection) -> None:
    found = _revision(connection)
    known = {step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise MeStatusError(f"the database is at schema {found}, which this version does not know; upgrade me-status")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": sql.VERSION_TABLE}).get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("sql").joinpath("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
