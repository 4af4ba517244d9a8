"""Migrations from the first released schema on keep what is there, and lead to the schema that a new database gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import Engine, make_url

from config.database import connect
from config.settings import Settings
from jobs import migrate

FIRST = "0001"
ROWS = Path(__file__).with_name("rows_of_schema_0001.sql")

TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname in ('public', 'snapshot', 'pipeline') and tablename <> 'schema_version'
order by 1
"""
COLUMNS = """
select namespace.nspname || '.' || relation.relname, attribute.attname,
    format_type(attribute.atttypid, attribute.atttypmod), attribute.attnotnull,
    attribute.attidentity::text, attribute.attcollation::regcollation::text,
    pg_get_expr(preset.adbin, preset.adrelid), col_description(relation.oid, attribute.attnum)
from pg_attribute as attribute
join pg_class as relation on relation.oid = attribute.attrelid
join pg_namespace as namespace on namespace.oid = relation.relnamespace
left join pg_attrdef as preset on preset.adrelid = relation.oid and preset.adnum = attribute.attnum
where namespace.nspname in ('public', 'snapshot', 'pipeline', 'analytics')
    and attribute.attnum > 0 and not attribute.attisdropped
order by 1, 2
"""
RELATIONS = """
select namespace.nspname || '.' || relation.relname, relation.relkind::text, obj_description(relation.oid, 'pg_class'),
    case when relation.relkind = 'v' then pg_get_viewdef(relation.oid) end,
    case when relation.relkind = 'i' then pg_get_indexdef(relation.oid) end,
    (select array_agg(pg_get_constraintdef(oid) order by conname) from pg_constraint where conrelid = relation.oid),
    (select array_agg(entry::text order by entry::text) from unnest(relation.relacl) as entry)
from pg_class as relation
join pg_namespace as namespace on namespace.oid = relation.relnamespace
where namespace.nspname in ('public', 'snapshot', 'pipeline', 'analytics')
order by 1
"""

RENAMED = {
    "pipeline.refused_record": "pipeline.set_aside_record",
    "pipeline.swallowed_notification": "pipeline.suppressed_notification",
    "pipeline.pay_method_rota": "pipeline.pay_method_reading",
    "swallowed_id": "suppressed_id",
    "swallowed_at": "suppressed_at",
}
"""Tables and columns that later revisions call otherwise."""

Rows = dict[str, list[dict[str, object]]]


@pytest.fixture
def first(empty_database_url: str) -> Iterator[Engine]:
    """A database at the first released schema with rows in every table."""
    engine = connect(Settings(_env_file=None, database_url=empty_database_url))  # type: ignore[call-arg]
    with engine.begin() as connection:
        command.upgrade(migrate._config(connection), FIRST)
    with plain(engine) as connection:
        connection.execute(ROWS.read_bytes())
    yield engine
    engine.dispose()


def plain(engine: Engine) -> psycopg.Connection:
    url = make_url(engine.url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True)


def rows_of(engine: Engine) -> Rows:
    """Every row as an object, with documents as the bytes they are stored as."""
    with plain(engine) as connection:
        names = [str(name) for (name,) in connection.execute(TABLES)]
        rows = {
            name: [row for (row,) in connection.execute(f"select to_jsonb(t) from {name} as t order by t::text")]  # type: ignore[arg-type]
            for name in names
        }
        rows["documents"] = [{"text": text} for (text,) in connection.execute("select document::text from me_status")]
    return rows


def test_every_table_of_the_first_schema_has_a_row_to_lose(first: Engine) -> None:
    """The rows that the next test follows cover all tables."""
    assert [] == [name for name, rows in rows_of(first).items() if not rows]


def test_migrating_the_first_schema_keeps_every_row(first: Engine) -> None:
    """Every row is there afterwards with every value it had; columns may have come."""
    before = rows_of(first)
    assert migrate.head() == migrate.migrate(first)
    after = rows_of(first)
    for table, rows in before.items():
        renamed = [{RENAMED.get(name, name): value for name, value in row.items()} for row in rows]
        assert renamed == [_with_columns_of(renamed[0], row) for row in after[RENAMED.get(table, table)]], table


def _with_columns_of(known: dict[str, object], row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name in known}


def test_a_new_row_of_a_migrated_database_gets_the_next_key(first: Engine) -> None:
    """Identity columns go on where they were."""
    migrate.migrate(first)
    with plain(first) as connection:
        insert = "insert into job_run (job, started_at, outcome) values ('prune', now(), 'running') returning run_id"
        assert (4,) == connection.execute(insert).fetchone()


@pytest.mark.parametrize("what", [COLUMNS, RELATIONS], ids=["columns", "relations"])
def test_a_migrated_schema_equals_a_fresh_one(first: Engine, engine: Engine, what: str) -> None:
    """Tables, columns, types, collations, defaults, constraints, indexes, views, comments and grants: all alike."""
    migrate.migrate(first)
    with plain(first) as migrated, plain(engine) as fresh:
        expected, found = (connection.execute(what).fetchall() for connection in (fresh, migrated))  # type: ignore[call-overload]
    assert expected == found
    assert len(expected) > 30
