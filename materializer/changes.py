"""What differs between the rows known of a stream and the rows just pulled. Pure: two tables in, changes out."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from materializer.streams import Stream


@dataclass(frozen=True)
class Changes:
    """The difference of two tables of a stream.

    `added`, `removed`, `before` and `after` are tables in the stream's schema, in key order; `before` and `after` are
    row by row the same records. `unchanged` counts the records in both tables that do not differ.
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
    raise NotImplementedError
