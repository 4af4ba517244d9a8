"""What the database is asked: one statement per file under queries/, the schema's history under schema/."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

VERSION_TABLE = "schema_version"
"""Where Alembic keeps the revision the database is at."""
PSYCOPG = PGDialect_psycopg()  # type: ignore[no-untyped-call]
SERVER = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@cache
def source(name: str) -> str:
    """The text of queries/<name>.sql. Raises FileNotFoundError for a name that is not a file."""
    return files("sql").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


@cache
def statement(name: str) -> TextClause:
    """queries/<name>.sql as a statement whose parameters are written :name."""
    return text(source(name))


@cache
def driver_text(name: str) -> bytes:
    """queries/<name>.sql in psycopg's own spelling, `%(name)s`, for callers that use the driver alone."""
    return str(statement(name).compile(dialect=PSYCOPG)).encode()


@cache
def server_text(name: str) -> bytes:
    """queries/<name>.sql in PostgreSQL's own spelling, `$1` for the first parameter it names, to be prepared."""
    return str(statement(name).compile(dialect=SERVER)).encode()


def schema(name: str) -> str:
    """The text of schema/<name>.sql: one step of the schema's history."""
    return files("sql").joinpath("schema", f"{name}.sql").read_text(encoding="utf-8")


def views() -> dict[str, str]:
    """The text of each schema/views/<name>.sql, the published views as they are now, by name."""
    folder = files("sql").joinpath("schema", "views")
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return {file.name.removesuffix(".sql"): file.read_text(encoding="utf-8") for file in found}


def roles() -> str:
    """The text of schema/roles.sql, who may read what is published, and of schema/api_role.sql, what the API may do."""
    schema = files("sql").joinpath("schema")
    return "\n".join(schema.joinpath(name).read_text(encoding="utf-8") for name in ("roles.sql", "api_role.sql"))
