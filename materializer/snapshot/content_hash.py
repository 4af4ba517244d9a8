"""The hash of a row's compared values, by which rows that did not change are recognised without reading them again.

It is stored beside the row. Equal hashes are taken for equal rows; unequal ones prove nothing and lead to a comparison
of the values, so that another version of this module costs one slow pull and no wrong answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from materializer.snapshot.streams import Stream

HASH = "content_hash"
"""The column of every snapshot table that holds it."""
Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]

SHORT_BYTES = 64
"""Longer texts are hashed one by one; these eight bytes at a time, for all rows at once."""
NULL = np.uint64(0x9E3779B97F4A7C15)
STEP = np.uint64(0xD6E8FEB86659FD93)
"""An odd number: multiplying by it before adding keeps the order of columns and of words apart."""
NARROW = {pa.date32(): pa.int32(), pa.bool_(): pa.int8()}
"""What casts to a narrower integer only; all else casts to int64."""


def of_rows(stream: Stream, rows: pa.Table) -> pa.ChunkedArray:
    """One int64 per row of a table in the stream's schema, of its values but for the key and `stream.uncompared`.

    64 bits: of a billion changed rows one is missed with a probability below 1 in 10 billion.
    """
    total = np.zeros(len(rows), dtype=np.uint64)
    for name in stream.compared:
        total *= STEP
        total += _of_values(rows[name].combine_chunks())
    return pa.chunked_array([total.view(np.int64)])


def without_unchanged(stream: Stream, known: pa.Table, rows: pa.Table, keep: pa.Array) -> tuple[pa.Table, pa.Table]:
    """The rows that `known` does not prove to be unchanged, and the part of `known` that is not removals thereby.

    `known` has the columns key and content_hash; rows whose keys are in `keep` are compared in any case.
    """
    if not len(known):
        return rows, known
    keys, known_keys = rows[stream.key], known[stream.key]
    is_same = _has_its_hash(stream, known, rows)
    if len(keep):
        is_same = pc.and_(is_same, pc.invert(pc.is_in(keys, keep)))
    is_settled = is_same if keys.equals(known_keys) else pc.is_in(known_keys, keys.filter(is_same))
    return rows.filter(pc.invert(is_same)), known.filter(pc.invert(is_settled))


def without_hash(stream: Stream, known: pa.Table, rows: pa.Table) -> pa.Table:
    """Those of the stored rows that `known` gives no hash for, or one that is not theirs."""
    return rows.filter(pc.invert(_has_its_hash(stream, known, rows)))


def _has_its_hash(stream: Stream, known: pa.Table, rows: pa.Table) -> pa.ChunkedArray:
    keys, stored = rows[stream.key], known[HASH]
    if not keys.equals(known[stream.key]):
        stored = stored.take(pc.index_in(keys, known[stream.key]))
    return pc.fill_null(pc.equal(stored, of_rows(stream, rows)), False)


def _of_values(values: pa.Array) -> Hashes:
    if values.null_count == len(values):
        return np.full(len(values), NULL)
    hashes = _of_texts(values) if pa.types.is_string(values.type) else _of_numbers(values)
    if values.null_count:
        hashes[_plain(values.is_null())] = NULL
    return hashes


def _of_numbers(values: pa.Array) -> Hashes:
    """Of integers, dates, booleans and instants, by their bits."""
    numbers = values.cast(NARROW.get(values.type, pa.int64())).fill_null(0)
    return _mixed(_plain(numbers).astype(np.int64).view(np.uint64))


def _of_texts(values: pa.Array) -> Hashes:
    lengths = _plain(pc.binary_length(values).fill_null(0))
    longest = lengths.max(initial=0)
    if longest <= SHORT_BYTES:
        return _of_short_texts(values, int(longest))
    is_long = lengths > SHORT_BYTES
    hashes = _of_short_texts(pc.if_else(pa.array(is_long), "", values), SHORT_BYTES)
    hashes[is_long] = pd.util.hash_array(_plain(values.filter(pa.array(is_long))).astype(object), categorize=False)
    return hashes


def _of_short_texts(values: pa.Array, longest: int) -> Hashes:
    """Padded to whole words of eight bytes. A word of padding alone adds nothing, whatever the width."""
    width = max(1, -(-longest // 8))
    padded = pc.ascii_rpad(values.fill_null(""), width * 8, "\0")
    words = np.frombuffer(padded.buffers()[2], np.uint64, len(values) * width, padded.offset * width * 8)
    total = np.zeros(len(values), dtype=np.uint64)
    for start, word in zip(np.arange(width, dtype=np.uint64) * STEP, words.reshape(len(values), width).T, strict=True):
        total += np.where(word == 0, np.uint64(0), _mixed(word + start))
    return total


def _mixed(words: Hashes) -> Hashes:
    mixed: Hashes = pd.util.hash_array(words)
    return mixed


def _plain(values: pa.Array) -> Any:
    return values.to_numpy(zero_copy_only=False)
