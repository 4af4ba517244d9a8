"""docs/dbt/sources.yml: what is published as sources of a dbt project, with tests and freshness, from the catalog."""

from __future__ import annotations

from typing import Any

import yaml

from tests.catalog import Column, Relation

HEAD = """\
# Written from the comments in the database by `python -m tests.dictionary`; a test fails when it is out of date.
# Copy it into the models of a dbt project (1.10.6 or later). Tests leave personal columns alone.
"""
SOURCES = {"public": "me_status", "analytics": "me_status_analytics"}
"""By schema, the name of the source."""
FRESHNESS = {
    "job_run": {
        "loaded_at_field": "started_at",
        "freshness": {"warn_after": {"count": 1, "period": "hour"}, "error_after": {"count": 3, "period": "hour"}},
    }
}
"""Runs come every few minutes. Other tables change only when something changed, so their age says nothing."""


def written(relations: list[Relation]) -> str:
    """The whole file."""
    sources = [_source(schema, [one for one in relations if one.schema == schema]) for schema in SOURCES]
    return HEAD + yaml.safe_dump({"version": 2, "sources": sources}, sort_keys=False, allow_unicode=True, width=118)


def _source(schema: str, relations: list[Relation]) -> dict[str, Any]:
    described = "Published tables." if schema == "public" else "Views over them, for the questions people ask."
    return {
        "name": SOURCES[schema],
        "schema": schema,
        "description": described,
        "tables": [_table(relation) for relation in relations],
    }


def _table(relation: Relation) -> dict[str, Any]:
    config = {"config": FRESHNESS[relation.name]} if relation.name in FRESHNESS else {}
    columns = [_column(column) for column in relation.columns]
    return {"name": relation.name, "description": relation.about, **config, "columns": columns}


def _column(column: Column) -> dict[str, Any]:
    tests: list[Any] = ["unique"] if column.is_key else []
    tests += ["not_null"] if column.is_required or column.is_key else []
    tests += [{"accepted_values": {"arguments": {"values": list(column.values)}}}] if column.values else []
    described = {"name": column.name, "description": column.meaning, "data_type": column.type}
    return {**described, "data_tests": tests} if tests and column.is_open else described
