"""A database of its own for each test that asks for one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from sqlalchemy import Engine, make_url

from config.database import LiveDatabase, connect
from config.settings import Settings


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """URL of a fresh database without any schema."""
    yield from _database(server_url, "template1")


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """URL of a fresh database at the current schema."""
    yield from _database(server_url, template)


@pytest.fixture(scope="module")
def module_database_url(server_url: str, template: str) -> Iterator[str]:
    """URL of a database at the current schema that the tests of one file share, where what they share starts slowly."""
    yield from _database(server_url, template)


@pytest.fixture
def new_database(server_url: str, template: str) -> Callable[[], AbstractContextManager[str]]:
    """Makes databases at the current schema, for tests that need several: their URLs, one `with` each."""
    return lambda: contextmanager(_database)(server_url, template)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh database at the current schema."""
    engine = connect(Settings(_env_file=None, database_url=database_url))  # type: ignore[call-arg]
    yield engine
    engine.dispose()


@pytest.fixture
def database(engine: Engine) -> LiveDatabase:
    """Transactions on a fresh database at the current schema."""
    return LiveDatabase(engine)


def _database(server_url: str, template: str) -> Iterator[str]:
    name = f"me_status_test_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'create database "{name}" template "{template}"')
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')
