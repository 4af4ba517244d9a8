"""docs/data-dictionary.md, written from the comments in the catalog: `python -m tests.dictionary` writes it."""

from __future__ import annotations

import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg

from config.database import connect, embedded_url
from config.settings import Settings
from jobs.migrate import migrate

FILE = Path(__file__).parents[1] / "docs" / "data-dictionary.md"
HEAD = """\
# Data dictionary

Written from the comments in the database by `python -m tests.dictionary`; a test fails when it is out of date.
How to ask, what stays as it is, and how to follow the tables from a warehouse: [analysts.md](analysts.md).

*Personal* columns are closed to `me_status_analyst` and open to `me_status_analyst_pii`.
"""
COLUMNS = """
    select
        namespace.nspname || '.' || relation.relname as name,
        obj_description(relation.oid, 'pg_class') as about,
        attribute.attname as column_name,
        format_type(attribute.atttypid, attribute.atttypmod) as type,
        col_description(relation.oid, attribute.attnum) as meaning,
        has_column_privilege('me_status_analyst', relation.oid, attribute.attnum, 'select') as is_open
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


def written(connection: psycopg.Connection) -> str:
    """The whole page."""
    rows = connection.execute(COLUMNS).fetchall()
    sections = [_section(name, list(columns)) for name, columns in groupby(rows, key=lambda row: row[0])]
    return "\n".join([HEAD, *sections])


def _section(name: str, columns: list[tuple[Any, ...]]) -> str:
    lines = [f"## {name}\n", f"{columns[0][1]}\n", "| column | type | meaning |", "|---|---|---|"]
    for _, _, column, kind, meaning, is_open in columns:
        lines.append(f"| `{column}` | {kind} | {'' if is_open else '*Personal.* '}{meaning} |".replace("\n", " "))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes the page from a fresh database."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        url = embedded_url(Path(folder))
        engine = connect(Settings(_env_file=None, database_url=url))  # type: ignore[call-arg]
        migrate(engine)
        with psycopg.connect(url) as connection:
            FILE.write_text(written(connection))
        engine.dispose()


if __name__ == "__main__":
    main()
