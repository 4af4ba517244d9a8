"""Records as a table of typed columns, without those that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from jobs.sources.columns.parsing import Parser
from materializer.snapshot.pulls import SetAsideRecord

Need = Literal["present", "readable", "free"]
"""Of a value: it must be there; or, where it is there, be readable; or it decides nothing and may be neither."""


@dataclass(frozen=True)
class Column:
    """One column of a stream: its name, the source's key for it, its parser, and what its record cannot do without."""

    name: str
    key: str
    parse: Parser
    need: Need = "free"


@dataclass(frozen=True)
class ReadRows:
    """What records came to: rows, records set aside, and values of the rows that count as null, being unreadable."""

    rows: pa.Table
    set_aside: list[SetAsideRecord]
    unreadable: list[SetAsideRecord]


def read(
    records: Sequence[Mapping[str, Any]], columns: Sequence[Column], place: Callable[[int], str], owner: str
) -> ReadRows:
    """The records as a table of `columns`, without those set aside.

    The first column is the key; `owner` names the one that leads to the customer. `place` names a record whose key
    cannot be read, by its position in `records`.
    """
    return read_lists(transposed(records, (column.key for column in columns)), columns, place, owner)


def transposed(records: Sequence[Mapping[str, Any]], keys: Iterable[str]) -> dict[str, list[Any]]:
    """The values of some keys, one list each; whatever else the records hold is left behind."""
    return {key: [record.get(key) for record in records] for key in keys}


def read_lists(
    values: Mapping[str, Sequence[Any]], columns: Sequence[Column], place: Callable[[int], str], owner: str
) -> ReadRows:
    """As `read`, of values that lie in one list per key."""
    faults: dict[int, tuple[str, str]] = {}
    minor: list[tuple[int, str, str]] = []
    arrays = []
    for column in columns:
        array, wrong = column.parse(values[column.key])
        if column.need == "present" and array.null_count:
            missing = (position for position, is_null in enumerate(array.is_null().to_pylist()) if is_null)
            wrong = dict.fromkeys(missing, "is missing") | wrong
        if column.need == "free":
            minor += [(position, column.key, reason) for position, reason in wrong.items()]
        else:
            for position, reason in wrong.items():
                faults.setdefault(position, (column.key, reason))
        arrays.append(array)
    table = pa.table(arrays, names=[column.name for column in columns])
    if not faults and not minor:
        return ReadRows(table, [], [])
    keys, owners = arrays[0].to_pylist(), table[owner].to_pylist()

    def noted(at: int, field: str, reason: str) -> SetAsideRecord:
        whose = None if owners[at] is None else str(owners[at])
        record_id = str(keys[at]) if keys[at] is not None else place(at) + (f" of {whose}" if whose else "")
        return SetAsideRecord(record_id, field, reason, whose)

    return ReadRows(
        table.filter(pa.array([at not in faults for at in range(len(keys))])) if faults else table,
        [noted(at, *faults[at]) for at in sorted(faults)],
        [noted(*one) for one in minor if one[0] not in faults],
    )
