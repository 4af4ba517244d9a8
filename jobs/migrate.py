"""Bringing a database to the current schema, and saying whether it is there."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

import sql
from config.errors import MeStatusError
from jobs import published

if TYPE_CHECKING:
    from alembic.config import Config


def migrate(engine: Engine) -> str:
    """Brings the database to the newest revision and returns it; two calls at once are safe.

    The published views and grants are put in place as well, so that a role made since has them.

    Everything happens in one transaction, so a failing step leaves the schema as it was.
    Raises MeStatusError when the database is at a revision that this version does not know.
    """
    from alembic import command

    with engine.begin() as connection:
        connection.execute(text("set local lock_timeout = 0"))
        connection.execute(sql.statement("ledger/lock_transaction"), {"name": "me-status migrate"})
        _refuse_newer(connection)
        command.upgrade(_config(connection), "head")
        published.publish(connection)
    return head()


def head() -> str:
    """The newest revision this version of the program knows, such as '0003'."""
    return max(_known())


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
    if found is not None and found not in _known():
        raise MeStatusError(f"the database is at schema {found}, which this version does not know; upgrade me-status")


def _revision(connection: Connection) -> str | None:
    """Read as Alembic keeps it, without Alembic: every command asks, and only `migrate` needs the rest of it."""
    if connection.execute(sql.statement("ledger/find_schema_version")).scalar_one() is None:
        return None
    found: str | None = connection.execute(sql.statement("ledger/read_schema_version")).scalar_one_or_none()
    return found


def _known() -> set[str]:
    """The revisions of this version of the program, by the names of their files: revision_NNNN_<what>.py."""
    steps = files("sql").joinpath("migrations", "versions").iterdir()
    return {step.name.split("_")[1] for step in steps if step.name.startswith("revision_")}


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("sql").joinpath("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
