"""What is generated for analysts from the comments in the catalog: `python -m tests.dictionary` writes it all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg

from config.database import connect, embedded_url
from config.settings import Settings
from jobs.migrate import migrate
from tests import data_contract, dbt_sources
from tests.catalog import Column, Relation, joins, read

DOCS = Path(__file__).parents[1] / "docs"
FILE = DOCS / "data-dictionary.md"
HEAD = """\
# Data dictionary

Written from the comments in the database by `python -m tests.dictionary`; a test fails when it is out of date.
How to ask, what stays as it is, and how to follow the tables from a warehouse: [analysts.md](analysts.md).
The same for programs: the Open Data Contract Standard of [tables](me-status.odcs.yaml) and
[views](me-status-views.odcs.yaml), and [dbt/sources.yml](dbt/sources.yml).

*Personal* columns are closed to `me_status_analyst` and open to `me_status_analyst_pii`.

## How they hang together

What is joined by which column. None is a declared foreign key: what a row speaks of may be pruned, or gone from its
source, before the row is; so join to the left.
"""


def written(relations: list[Relation]) -> str:
    """The whole page."""
    return "\n".join([HEAD, diagram(relations), *(_section(relation) for relation in relations)])


def diagram(relations: list[Relation]) -> str:
    """An entity diagram of the relations that join, with their keys."""
    found = joins(relations)
    drawn = {relation.name: relation for join in found for relation in (join.home, join.relation)}
    lines = ["```mermaid", "erDiagram"]
    for name, relation in drawn.items():
        lines += [f"    {name} {{", f"        {_plain(relation)} {relation.key} PK", "    }"] if relation.key else []
    lines += [f"    {join.home.name} ||--o{{ {join.relation.name} : {join.column}" for join in found]
    return "\n".join([*lines, "```\n"])


FILES: dict[Path, Callable[[list[Relation]], str]] = {
    FILE: written,
    DOCS / "me-status.odcs.yaml": data_contract.tables,
    DOCS / "me-status-views.odcs.yaml": data_contract.views,
    DOCS / "dbt" / "sources.yml": dbt_sources.written,
}
"""Each generated file, and what writes it."""


def _plain(relation: Relation) -> str:
    kind = next(column.type for column in relation.columns if column.is_key)
    return kind.split()[0]


def _section(relation: Relation) -> str:
    lines = [f"## {relation.full_name}\n", f"{relation.about}\n", "| column | type | meaning |", "|---|---|---|"]
    return "\n".join([*lines, *map(_line, relation.columns)]) + "\n"


def _line(column: Column) -> str:
    personal = "" if column.is_open else "*Personal.* "
    listed = [f"`{value}`" for value in column.values if value not in column.meaning]
    values = f" One of {', '.join(listed)}." if listed else ""
    return f"| `{column.name}` | {column.type} | {personal}{column.meaning}{values} |".replace("\n", " ")


def main() -> None:
    """Writes every file from a fresh database."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        url = embedded_url(Path(folder))
        engine = connect(Settings(_env_file=None, database_url=url))  # type: ignore[call-arg]
        migrate(engine)
        with psycopg.connect(url) as connection:
            relations = read(connection)
        engine.dispose()
    for file, write in FILES.items():
        file.write_text(write(relations))


if __name__ == "__main__":
    main()
