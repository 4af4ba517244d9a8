"""DuckDB's side of the diff, run by DuckDB's own interpreter: `python rival_duckdb.py CONNECTION STAGED KEPT KEY`.

Reads both tables of the attached PostgreSQL whole, joins them in full, copies what differs back, and brings KEPT up to
STAGED in one statement there. Prints the seconds, how many rows differed, and DuckDB's version.
"""

from __future__ import annotations

import json
import sys
import time

import duckdb  # type: ignore[import-not-found, unused-ignore]
import duckdb_extensions  # type: ignore[import-not-found, unused-ignore]

DIFFERING = """
create table served.{kept}_differing as
select coalesce(staged.{key}, kept.{key}) as {key}, staged.{key} is null as is_gone, {values}
from served.{staged} as staged full join served.{kept} as kept on staged.{key} = kept.{key}
where staged.{key} is null or kept.{key} is null or ({staged_values}) is distinct from ({kept_values})
"""
MERGED = """
with gone as (delete from {kept} using {kept}_differing as d where {kept}.{key} = d.{key} and d.is_gone)
insert into {kept} ({key}, {columns}) select {key}, {columns} from {kept}_differing where not is_gone
on conflict ({key}) do update set {assigned}
"""


def main() -> None:
    """One diff, brought home."""
    connection, staged, kept, key = sys.argv[1:]
    duckdb_extensions.import_extension("postgres_scanner")
    began = time.perf_counter()
    duck = duckdb.connect()
    duck.execute("load postgres")
    duck.execute(f"attach '{connection}' as served (type postgres)")
    described = duck.execute(f"describe served.{kept}").fetchall()
    columns = [f'"{row[0]}"' for row in described if row[0] != key]
    names = {
        "staged": staged,
        "kept": kept,
        "key": key,
        "columns": ", ".join(columns),
        "values": ", ".join(f"staged.{name} as {name}" for name in columns),
        "staged_values": ", ".join(f"staged.{name}" for name in columns),
        "kept_values": ", ".join(f"kept.{name}" for name in columns),
        "assigned": ", ".join(f"{name} = excluded.{name}" for name in columns),
    }
    duck.execute(DIFFERING.format(**names))
    counted = duck.execute(f"select count(*) from served.{kept}_differing").fetchone()
    duck.execute("call postgres_execute('served', ?)", [MERGED.format(**names)])
    duck.execute(f"drop table served.{kept}_differing")
    seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps({"seconds": seconds, "changed": counted[0], "version": duckdb.__version__}) + "\n")


if __name__ == "__main__":
    main()
