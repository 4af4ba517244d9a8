"""What a database says once everything is done, without what differs from run to run: ids and the clock on the wall."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import psycopg

UNCOMPARED = (
    *("run_id", "version_id", "transition_id", "notification_id", "suppressed_id"),
    *("changed_at", "applying_since", "requests_used"),
)
"""Columns of any table that differ from run to run: a run done again asks again."""
SUMMED_UP = {
    "public.job_run": "select null where false",
    "public.schema_version": "select version_num from schema_version",
    "pipeline.run_unit": "select null where false",
    "pipeline.change": "select null where false",
    "pipeline.total": "select null where false",
    "pipeline.change_feed_start": "select null where false",
    "pipeline.shadow_walk": "select null where false",
    "pipeline.operator_action": "select null where false",
    "pipeline.operator_action_end": "select null where false",
    "pipeline.sent_count": "select type, sent_at, sum(sent) from pipeline.sent_count group by type, sent_at",
    "pipeline.held_run": "select gate, source, held_at, decision, decided_at,"
    """ regexp_replace(summary::jsonb::text, '"rows": \\d+, "stream"', '"stream"') as summary"""
    " from pipeline.held_run where decision is distinct from 'superseded'",
}
"""Tables whose rows are per run: what they say of all runs together. A hold records how many rows its own run
began with, some of which a killed run may have applied already."""

TABLES = (
    "select format('%I.%I', schemaname, tablename) from pg_tables"
    " where schemaname in ('public', 'snapshot', 'pipeline') order by 1"
)

State = dict[str, list[str]]


@dataclass(frozen=True)
class Difference:
    """One table that differs: rows there should be and are not, and rows there are and should not be."""

    table: str
    lost: int
    extra: int
    samples: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.table}: {self.lost} lost, {self.extra} too many\n    " + "\n    ".join(self.samples)


def read(connection: psycopg.Connection) -> State:
    """The rows of every table as text, in order."""
    names = [str(name) for (name,) in connection.execute(TABLES)]
    return {name: _rows(connection, name) for name in names}


def differences(expected: State, found: State) -> list[Difference]:
    """Table by table, what is lost and what is too many."""
    return [
        difference
        for table in sorted(expected.keys() | found.keys())
        if (difference := _difference(table, expected.get(table, []), found.get(table, []))) is not None
    ]


def _difference(table: str, expected: list[str], found: list[str]) -> Difference | None:
    if expected == found:
        return None
    lost, extra = _beyond(expected, found), _beyond(found, expected)
    samples = [f"lost  {row}" for row in islice(lost, 3)] + [f"extra {row}" for row in islice(extra, 3)]
    return Difference(table, len(lost), len(extra), tuple(samples))


def _beyond(rows: list[str], others: list[str]) -> list[str]:
    rest = list(others)
    beyond = []
    for row in rows:
        if row in rest:
            rest.remove(row)
        else:
            beyond.append(row)
    return beyond


def _rows(connection: psycopg.Connection, table: str) -> list[str]:
    if table in SUMMED_UP:
        query = f"select row_to_json(t)::text from ({SUMMED_UP[table]}) as t"
    else:
        without = ", ".join(f"'{name}'" for name in UNCOMPARED)
        query = f"select (to_jsonb(t) - array[{without}]::text[])::text from {table} as t"
    numbered = r"regexp_replace(row, '\yannouncement-\d+', 'announcement-N', 'g')"
    rows = connection.execute(f"select {numbered} from ({query}) as rows (row)")  # type: ignore[arg-type]
    return sorted(str(row) for (row,) in rows)
