"""What is published, as the Open Data Contract Standard writes it, from the catalog: a contract for each schema.

A server of the standard has one schema, so tables (docs/me-status.odcs.yaml) and views (docs/me-status-views.odcs.yaml)
are two contracts, each of which `datacontract test` holds against a database as it is.
"""

from __future__ import annotations

from typing import Any

import yaml

from tests.catalog import Column, Relation

VERSION = "1.1.0"
"""Of what is published: the second number rises when columns or values come, as docs/analysts.md lists them."""
LOGICAL = {
    "bigint": "integer",
    "integer": "integer",
    "numeric": "number",
    "double precision": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp with time zone": "timestamp",
    "json": "object",
}
"""By PostgreSQL type; any other is a string."""
SERVER = {"server": "production", "type": "postgresql", "host": "localhost", "port": 5432, "database": "me_status"}
HEAD = (
    "# Written from the comments in the database by `python -m tests.dictionary`; a test fails when it is out of date\n"
)


def tables(relations: list[Relation]) -> str:
    """The contract of the tables."""
    return _written(contract("me-status", "public", relations))


def views(relations: list[Relation]) -> str:
    """The contract of the views."""
    return _written(contract("me-status-views", "analytics", relations))


def contract(name: str, schema: str, relations: list[Relation]) -> dict[str, Any]:
    """The contract as plain values. Host and database of its server are whatever DATABASE_URL names."""
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": name,
        "name": name,
        "version": VERSION,
        "status": "active",
        "domain": "customer status",
        "description": {
            "purpose": "The state of each customer, what changed in it, what it was told, and how the jobs ran.",
            "usage": "docs/analysts.md: twenty questions with their answers, and how a warehouse follows.",
            "limitations": "Comparing two pulls sees ends, not paths. Null is not known, never zero.",
        },
        "servers": [SERVER | {"schema": schema}],
        "schema": [_relation(relation) for relation in relations if relation.schema == schema],
        "roles": [
            {"role": "me_status_analyst", "access": "read", "description": "All but personal columns."},
            {"role": "me_status_analyst_pii", "access": "read", "description": "Personal columns as well."},
        ],
    }


def _written(values: dict[str, Any]) -> str:
    return HEAD + yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=118)


def _relation(relation: Relation) -> dict[str, Any]:
    return {
        "name": relation.name,
        "physicalName": relation.name,
        "physicalType": "view" if relation.is_view else "table",
        "description": relation.about,
        "properties": [_property(column) for column in relation.columns],
    }


def _property(column: Column) -> dict[str, Any]:
    optional: dict[str, Any] = {}
    if column.is_key:
        optional |= {"primaryKey": True, "primaryKeyPosition": 1, "unique": True}
    if column.is_required or column.is_key:
        optional["required"] = True
    if not column.is_open:
        optional["classification"] = "personal"
    if column.values:
        rule = {"metric": "invalidValues", "arguments": {"validValues": list(column.values)}, "mustBe": 0}
        optional["quality"] = [rule]
    return {
        "name": column.name,
        "logicalType": LOGICAL.get(column.type, "array" if column.type.endswith("[]") else "string"),
        "physicalType": column.type,
        "description": column.meaning,
        **optional,
    }
