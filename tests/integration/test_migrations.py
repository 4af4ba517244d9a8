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


def test_a_schema_that_only_gained_serves_the_program_before_it(engine: Engine) -> None:
    """Expand, then contract: commands go on, `migrate` refuses; a step that takes away moves the promise."""
    with engine.begin() as connection:
        connection.execute(text("update schema_version set version_num = '9999'"))
    require_current(engine)
    with pytest.raises(MeStatusError, match="9999"):
        migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("update pipeline.schema_promise set oldest_program = '9999'"))
    with pytest.raises(MeStatusError, match="upgrade me-status"):
        require_current(engine)


def test_everything_has_a_comment(engine: Engine) -> None:
    """Each table, view and column of the product's schemas is described where analysts look."""
    statement = text(
        """
        select namespace.nspname || '.' || relation.relname || coalesce('.' || attribute.attname, '')
        from pg_class as relation
        join pg_namespace as namespace on namespace.oid = relation.relnamespace
        left join pg_attribute as attribute
            on attribute.attrelid = relation.oid and attribute.attnum > 0 and not attribute.attisdropped
        where namespace.nspname in ('public', 'snapshot', 'pipeline', 'analytics')
            and relation.relkind in ('r', 'v', 'm', 'p')
            and (
                col_description(relation.oid, attribute.attnum) is null
                or obj_description(relation.oid, 'pg_class') is null
            )
        """
    )
    with engine.connect() as connection:
        assert [] == list(connection.execute(statement).scalars())


def test_analysts_see_the_published_and_nothing_else(engine: Engine) -> None:
    """The role reads columns of the published tables and the views of analytics; all else is closed to it."""
    statement = text(
        """
        select namespace.nspname || '.' || relation.relname
        from pg_class as relation
        join pg_namespace as namespace on namespace.oid = relation.relnamespace
        where relation.relkind in ('r', 'v')
            and namespace.nspname in ('public', 'snapshot', 'pipeline')
            and has_schema_privilege('me_status_analyst', namespace.oid, 'usage')
            and has_any_column_privilege('me_status_analyst', relation.oid, 'select')
        order by 1
        """
    )
    published = ["job_run", "me_status", "me_status_history", "notification", "status_transition"]
    with engine.connect() as connection:
        assert [f"public.{table}" for table in published] == list(connection.execute(statement).scalars())
        connection.execute(text("set role me_status_analyst"))
        assert 1 == connection.execute(text("select count(*) from analytics.settings")).scalar_one()
