"""The schema moves forward by one command that may be repeated and run twice at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from config.database import connect
from config.errors import MeStatusError
from config.settings import Settings
from jobs.migrate import head, migrate, require_current, revision


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    engine = connect(Settings(_env_file=None, database_url=empty_database_url))  # type: ignore[call-arg]
    yield engine
    engine.dispose()


def test_a_database_from_nothing_reaches_the_newest_revision(empty: Engine) -> None:
    """Migrating an empty database brings it to the head, and says so."""
    assert head() == migrate(empty)
    assert head() == revision(empty)


def test_migrating_again_changes_nothing(empty: Engine) -> None:
    """The command is safe to repeat."""
    migrate(empty)
    assert head() == migrate(empty)


def test_two_migrations_at_once_both_succeed(empty: Engine) -> None:
    """The second waits for the first and finds its work done."""
    with ThreadPoolExecutor(4) as pool:
        assert [head()] * 4 == list(pool.map(migrate, [empty] * 4))


def test_a_missing_schema_names_the_command(empty: Engine) -> None:
    """Commands that need the schema say what to run."""
    with pytest.raises(MeStatusError, match="run `me-status migrate`"):
        require_current(empty)


def test_a_schema_of_a_later_version_is_refused(engine: Engine) -> None:
    """A database that a newer version migrated is not touched."""
    with engine.begin() as connection:
        connection.execute(text("update schema_version set version_num = '9999'"))
    with pytest.raises(MeStatusError, match="9999"):
        migrate(engine)
