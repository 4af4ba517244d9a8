"""What the catalog says of the published tables and views: the source of every generated document for analysts."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg
from psycopg.rows import dict_row

from config.types import NotificationType

COLUMNS = """
    select
        namespace.nspname as schema,
        relation.relname as relation,
        relation.relkind = 'v' as is_view,
        obj_description(relation.oid, 'pg_class') as about,
        attribute.attname as name,
        format_type(attribute.atttypid, attribute.atttypmod) as type,
        col_description(relation.oid, attribute.attnum) as meaning,
        has_column_privilege('me_status_analyst', relation.oid, attribute.attnum, 'select') as is_open,
        attribute.attnotnull as is_required,
        exists (
            select 1
            from pg_constraint as key
            where key.conrelid = relation.oid and key.contype = 'p' and key.conkey = array[attribute.attnum]
        ) as is_primary,
        (
            select min(pg_get_constraintdef(listed.oid))
            from pg_constraint as listed
            where listed.conrelid = relation.oid and listed.contype = 'c' and listed.conkey = array[attribute.attnum]
        ) as check_clause
    from pg_class as relation
    inner join pg_namespace as namespace on namespace.oid = relation.relnamespace
    inner join pg_attribute as attribute on attribute.attrelid = relation.oid
    where
        attribute.attnum > 0
        and not attribute.attisdropped
        and has_any_column_privilege('me_status_analyst', relation.oid, 'select')
        and (namespace.nspname = 'analytics' or (namespace.nspname = 'public' and relation.relkind = 'r'))
    order by namespace.nspname desc, relation.relname, attribute.attnum
"""
TYPES = tuple(NotificationType.__args__)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Column:
    """One column: its PostgreSQL type, its comment, and whether every analyst may read it."""

    name: str
    type: str
    meaning: str
    is_open: bool
    is_required: bool
    is_key: bool
    values: tuple[str, ...]
    """What it may hold, where the database or the types of the program list it; else empty."""


@dataclass(frozen=True)
class Relation:
    """A published table or view with its columns, in order."""

    schema: str
    name: str
    is_view: bool
    about: str
    columns: tuple[Column, ...]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def key(self) -> str | None:
        """The column that tells its rows apart, where one does."""
        return next((column.name for column in self.columns if column.is_key), None)


@dataclass(frozen=True)
class Join:
    """`column` of `relation` names a row of `home`, which has it as its key (it may be gone from there by prune)."""

    relation: Relation
    column: str
    home: Relation


HOMES = {
    "customer_id": "me_status",
    "run_id": "job_run",
    "version_id": "me_status_history",
    "invoice_id": "invoice",
    "service_id": "service",
    "client_id": "linked_client",
}
"""By column, the relation whose key it is."""


def read(connection: psycopg.Connection) -> list[Relation]:
    """The published tables, then the views, each by name."""
    rows = connection.cursor(row_factory=dict_row).execute(COLUMNS).fetchall()
    return [
        Relation(*head, columns=tuple(_column(row) for row in listed))
        for head, listed in groupby(rows, key=itemgetter("schema", "relation", "is_view", "about"))
    ]


def joins(relations: list[Relation]) -> list[Join]:
    """How the relations hang together, by columns of one name."""
    by_name = {relation.name: relation for relation in relations}
    found: dict[str, list[Join]] = defaultdict(list)
    for relation in relations:
        for column in relation.columns:
            home = by_name.get(HOMES.get(column.name, ""))
            if home is not None and home is not relation:
                found[home.name].append(Join(relation, column.name, home))
    return [join for home in found.values() for join in home]


def _column(row: dict[str, Any]) -> Column:
    is_key = row["is_primary"] or (row["is_view"] and row["meaning"].startswith("Key"))
    kept = {name: row[name] for name in ("name", "type", "meaning", "is_open", "is_required")}
    return Column(**kept, is_key=is_key, values=_values(row))


def _values(row: dict[str, Any]) -> tuple[str, ...]:
    """From a check of the table that lists them; the types of notifications from the program."""
    if row["name"] == "type" and row["relation"].startswith(("notification", "run_notification")):
        return TYPES
    listed = row["check_clause"]
    return tuple(re.findall(r"'([^']+)'::text", listed)) if listed and "ANY" in listed else ()
