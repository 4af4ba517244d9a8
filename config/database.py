"""The database: the server named by DATABASE_URL or the embedded one, and transactions on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from config.embedded import embedded_url
from config.errors import DatabaseAway, MeStatusError
from config.settings import Settings, named_hosts

Result = TypeVar("Result")
OLDEST_SERVER = 150000
POSTGRESQL_PORT = 5432
OVERFLOW = 8
"""Connections an engine may have beyond its pool's size, for as long as they are in use."""
SESSION = """
set timezone = 'UTC'; set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres'; set search_path = public;
set jit = off; set lock_timeout = '60s'; set idle_in_transaction_session_timeout = '3600s'
"""
"""What every session of ours is set to. Compiling statements (`jit`) costs more than it saves: they are short."""


REHEARSING = "set local lock_timeout = '3s'"
"""A rehearsal gives up before it waits long, holding what others wait for."""


class Database(Protocol):
    """Where a job's transactions happen: for real, or in a rehearsal that keeps nothing."""

    def begin(self) -> AbstractContextManager[Connection]:
        """A transaction: committed at the end of the block, rolled back when the block raises."""

    def transact(self, work: Callable[[Connection], Result]) -> Result:
        """Runs `work` in a transaction, again when the server ended it for a deadlock or a serialization failure."""


class LiveDatabase:
    """Transactions on an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection

    def transact(self, work: Callable[[Connection], Result]) -> Result:
        import stamina  # here, since who only asks how things are writes nothing and does not wait for it

        for attempt in stamina.retry_context(on=_lost_to_another, attempts=10, timeout=60, wait_initial=0.05):
            with attempt, self.begin() as connection:
                return work(connection)
        raise AssertionError("stamina raises when attempts run out")


class RehearsalDatabase:
    """One connection whose outer transaction is rolled back at the end: everything is done, nothing is kept."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connection.begin_nested():
            yield self.connection

    def transact(self, work: Callable[[Connection], Result]) -> Result:
        with self.begin() as connection:
            return work(connection)


@contextmanager
def rehearsal(engine: Engine) -> Iterator[RehearsalDatabase]:
    """A database for `--dry-run`: what is written in the block is visible in it and gone after it."""
    with engine.connect() as connection:
        transaction = connection.begin()
        connection.exec_driver_sql(REHEARSING)
        try:
            yield RehearsalDatabase(connection)
        finally:
            transaction.rollback()


def connect(settings: Settings, *, pool_size: int = 8) -> Engine:
    """An engine on the configured server: UTC, named me-status, with bounded waits.

    Raises DatabaseAway when the server cannot be reached, MeStatusError when it is older than PostgreSQL 15.
    """
    engine = open_engine(database_url(settings), pool_size=pool_size)
    try:
        with engine.connect() as connection:
            version = connection.connection.driver_connection.info.server_version  # type: ignore[union-attr]
    except DBAPIError as error:
        raise DatabaseAway(f"the database cannot be reached: {str(error.orig).strip()}; check DATABASE_URL") from None
    if version < OLDEST_SERVER:
        raise MeStatusError(f"the database is PostgreSQL {version // 10000}; 15 or later is needed")
    return engine


def open_engine(url: str, *, pool_size: int = 8) -> Engine:
    """An engine on a postgresql:// URL as `connect` makes it, without a look at the server.

    Its sessions read and write values in one form, whatever the database or the role has set. That is said after
    connecting, since poolers refuse it as a start-up option; behind one that changes sessions between transactions it
    would not hold, so a pooler must pool by session.
    """
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=OVERFLOW,
        pool_pre_ping=True,
        connect_args={
            "application_name": "me-status",
            "connect_timeout": 10,
        },
    )
    event.listen(engine, "connect", _pin_session)
    return engine


def most_connections(engine: Engine) -> int:
    """How many connections an engine of `open_engine` has at most, all in use at once."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return pool.size() + OVERFLOW


def _pin_session(connection: psycopg.Connection, _: object) -> None:
    connection.execute(SESSION)
    connection.commit()


def database_url(settings: Settings) -> str:
    """DATABASE_URL as both SQLAlchemy and libpq read it, or the embedded server's, which is started unless it runs."""
    if settings.database_url is not None:
        return _with_hosts_as_parameters(settings.database_url)
    return embedded_url(settings.me_status_home)


def _with_hosts_as_parameters(url: str) -> str:
    """Several hosts, `user@one:5432,other:5432/database`, are parameters, where SQLAlchemy reads them as well."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    named = named_hosts(url)
    if len(named) == 1:
        return "postgresql://" + url.split("://", 1)[1]
    parameters = [
        *([parts.query] if parts.query else []),
        "host=" + ",".join(one.hostname or "" for one in named),
        "port=" + ",".join(str(one.port or POSTGRESQL_PORT) for one in named),
    ]
    return f"postgresql://{user}{at}{parts.path}?{'&'.join(parameters)}"


def without_password(url: str) -> str:
    """The URL with its password hidden, wherever it stands: before the host or among the parameters."""
    hidden = re.sub(r"(?<=://)([^/\s:@]*):[^/\s@]*(?=@)", r"\1:[hidden]", url)
    return re.sub(r"(?i)(?<=password=)[^&]+", "[hidden]", hidden)


def _lost_to_another(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)
