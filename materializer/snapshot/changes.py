"""What differs between the rows known of a stream and the rows just pulled. Pure: two tables in, changes out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from materializer.snapshot.streams import Stream

MODIFIED = "modified_at"


@dataclass(frozen=True)
class Changes:
    """The difference of two tables of a stream.

    `added`, `removed`, `before` and `after` are tables in the stream's schema, in key order; `before` and `after` are
    row by row the same records. `unchanged` counts the records of both tables that do not differ.
    """

    added: pa.Table
    removed: pa.Table
    before: pa.Table
    after: pa.Table
    unchanged: int


def compare(stream: Stream, previous: pa.Table, current: pa.Table) -> Changes:
    """The changes that lead from `previous` to `current`, both of the stream's schema and unique by key, in any order.

    Null-safe: null equals null and differs from any value. Columns in `stream.uncompared` make no change but travel
    with one. A null in a `known` column of `current` takes the value of `previous` first.
    """
    previous, current = _by_key(stream, previous), _by_key(stream, current)
    known, pulled = previous[stream.key], current[stream.key]
    if known.equals(pulled):
        added = removed = current.schema.empty_table()
        before, after = previous, current
    else:
        is_common, is_kept = pc.is_in(pulled, known), pc.is_in(known, pulled)
        added, removed = current.filter(pc.invert(is_common)), previous.filter(pc.invert(is_kept))
        before, after = previous.filter(is_kept), current.filter(is_common)
    after = _carry_known(stream, before, after)
    differs = _differing(stream.compared, before, after)
    return Changes(added, removed, before.filter(differs), after.filter(differs), int((~differs).sum()))


def handed_over(stream: Stream, changes: Changes) -> tuple[pa.Table, pa.Table]:
    """The changed rows, as they were and as they are, that lead to another customer now, or link one otherwise."""
    moved = _differing((stream.owner, *stream.linking), changes.before, changes.after)
    return changes.before.filter(moved), changes.after.filter(moved)


def without_stale(changes: Changes) -> tuple[Changes, int]:
    """The changes without those whose new row was modified before the known one, and how many those were."""
    if MODIFIED not in changes.after.schema.names:
        return changes, 0
    is_stale = pc.fill_null(pc.less(changes.after[MODIFIED], changes.before[MODIFIED]), False)
    stale = pc.sum(is_stale).as_py() or 0
    if not stale:
        return changes, 0
    fresh = pc.invert(is_stale)
    return replace(changes, before=changes.before.filter(fresh), after=changes.after.filter(fresh)), stale


def without_owners(stream: Stream, changes: Changes, owners: frozenset[str]) -> tuple[Changes, frozenset[str]]:
    """The changes without those of rows that belong, or belonged, to `owners` (ids as text); who had any of those."""
    if not owners:
        return changes, frozenset()
    wanted = pa.array(sorted(owners), pa.string())
    added, removed, before, after = (
        pc.is_in(table[stream.owner].cast(pa.string()), wanted)
        for table in (changes.added, changes.removed, changes.before, changes.after)
    )
    moved = pc.or_(before, after)
    passed_over = {
        str(owner)
        for table, is_theirs in (
            (changes.added, added),
            (changes.removed, removed),
            (changes.before, before),
            (changes.after, after),
        )
        for owner in table[stream.owner].filter(is_theirs).to_pylist()
    }
    kept = replace(
        changes,
        added=changes.added.filter(pc.invert(added)),
        removed=changes.removed.filter(pc.invert(removed)),
        before=changes.before.filter(pc.invert(moved)),
        after=changes.after.filter(pc.invert(moved)),
    )
    return kept, frozenset(passed_over)


def with_rows(stream: Stream, changes: Changes, previous: pa.Table, current: pa.Table, keys: pa.Array) -> Changes:
    """The changes with those records of `keys` among the changed ones whose stamp moved on from `previous`."""
    wanted = pa.chunked_array([keys.cast(stream.schema.field(stream.key).type)])
    present = current[stream.key].filter(
        pc.and_(pc.is_in(current[stream.key], wanted), pc.is_in(current[stream.key], previous[stream.key]))
    )
    more = present.filter(pc.invert(pc.is_in(present, changes.after[stream.key])))
    if not len(more):
        return changes
    before = _by_key(stream, previous.filter(pc.is_in(previous[stream.key], more)))
    after = _carry_known(stream, before, _by_key(stream, current.filter(pc.is_in(current[stream.key], more))))
    moved = pc.fill_null(pc.greater(after[MODIFIED], before[MODIFIED]), False)
    return replace(
        changes,
        before=pa.concat_tables([changes.before, before.filter(moved)]).sort_by(stream.key),
        after=pa.concat_tables([changes.after, after.filter(moved)]).sort_by(stream.key),
        unchanged=changes.unchanged - (pc.sum(moved).as_py() or 0),
    )


def _by_key(stream: Stream, rows: pa.Table) -> pa.Table:
    rows = rows.combine_chunks()
    keys = rows[stream.key]
    if len(keys) < 2 or pc.all(pc.greater(keys[1:], keys[:-1])).as_py():
        return rows
    return rows.sort_by(stream.key)


def _carry_known(stream: Stream, before: pa.Table, after: pa.Table) -> pa.Table:
    for _, column in stream.known:
        place = after.schema.get_field_index(column)
        after = after.set_column(place, after.schema.field(place), pc.coalesce(after[column], before[column]))
    return after


def _differing(
    columns: tuple[str, ...], before: pa.Table, after: pa.Table
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    differs = np.zeros(len(after), dtype=np.bool_)
    for column in columns:
        if not before[column].equals(after[column]):
            differs |= _unequal(before[column], after[column])
    return differs


def _unequal(before: pa.ChunkedArray, after: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Row by row, whether the values differ. A comparison with a null is null, so nulls are judged by themselves."""
    left, right = (pd.Series(pd.arrays.ArrowExtensionArray(column)) for column in (before, after))
    values_differ = (left != right).fillna(False)
    one_is_null = left.isna() != right.isna()
    return (values_differ.astype(bool) | one_is_null).to_numpy(dtype=np.bool_)
