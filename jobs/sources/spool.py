"""Pulled rows on disk: sorted runs as Arrow files, read back merged in windows of the key.

Memory holds one run while writing and one window while reading, however many rows there are. Fewer rows than a run
are never written: most pulls are small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from config.scratch import Scratch
from materializer.snapshot.streams import Stream

RUN_ROWS = 250_000
BATCH_ROWS = 8192


class _Run:
    """A file of rows in ascending key order. Only the keys stay in memory; mapped files would count as memory too."""

    def __init__(self, path: Path, rows: pa.Table, key: str) -> None:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
            writer.write_table(rows.combine_chunks(), max_chunksize=BATCH_ROWS)
        self.keys: pa.Array = pa.concat_arrays(rows[key].chunks)
        self._path = path
        self._kept: tuple[int, pa.RecordBatch] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def read(self, start: int, stop: int) -> pa.Table:
        """The rows from `start` up to `stop`. Ascending reads read no batch twice, and keep none at the end."""
        first, last = start // BATCH_ROWS, (stop - 1) // BATCH_ROWS
        with pa.OSFile(str(self._path)) as file, pa.ipc.open_file(file) as reader:
            rows = pa.Table.from_batches([self._batch(reader, at) for at in range(first, last + 1)], reader.schema)
        if stop == len(self.keys):
            self._kept = None
        return rows.slice(start - first * BATCH_ROWS, stop - start)

    def _batch(self, reader: pa.ipc.RecordBatchFileReader, at: int) -> pa.RecordBatch:
        if self._kept is None or self._kept[0] != at:
            self._kept = (at, reader.get_batch(at))
        return self._kept[1]


class _Kept:
    """The only run there is: rows in ascending key order that need no file."""

    def __init__(self, rows: pa.Table, key: str) -> None:
        self.keys: pa.Array = pa.concat_arrays(rows[key].chunks)
        self._rows = rows

    def __len__(self) -> int:
        return len(self.keys)

    def read(self, start: int, stop: int) -> pa.Table:
        """The rows from position `start` up to `stop`."""
        return self._rows.slice(start, stop - start)


class SpooledRows:
    """The spool of one stream: `add` tables in the order they were read, then read `windows`.

    Of rows with the same key the one added last wins. Usable as a context manager; `close` removes the files.
    """

    def __init__(self, stream: Stream, *, run_rows: int = RUN_ROWS) -> None:
        self._stream = stream
        self._run_rows = run_rows
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._runs: list[_Run] = []
        self._scratch = Scratch(f"spool-{stream.name}")
        self._folder = self._scratch.path

    def __enter__(self) -> SpooledRows:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, rows: pa.Table) -> None:
        """Takes in rows of the stream's columns, in any order of the key."""
        if rows.num_rows == 0:
            return
        self.__dict__.pop("rows", None)
        self._waiting.append(rows.select(self._stream.schema.names).cast(self._stream.schema))
        self._waiting_rows += rows.num_rows
        if self._waiting_rows >= self._run_rows:
            self._write_run()

    @cached_property
    def rows(self) -> int:
        """How many distinct keys it holds."""
        return sum(part.num_rows for part in self._merged(RUN_ROWS, keys_only=True))

    def windows(self, size: int) -> Iterator[pa.Table]:
        """The rows in ascending key order, in tables of `size` rows (the last one of fewer)."""
        waiting: list[pa.Table] = []
        count = 0
        for part in self._merged(size):
            waiting.append(part)
            count += part.num_rows
            while count >= size:
                joined = pa.concat_tables(waiting)
                yield joined.slice(0, size)
                waiting, count = [joined.slice(size)], count - size
        if count:
            yield pa.concat_tables(waiting)

    def close(self) -> None:
        self._runs.clear()
        self._waiting.clear()
        self._scratch.close()

    def _finished(self) -> Sequence[_Run | _Kept]:
        if self._waiting and not self._runs:
            self._waiting = [self._sorted()]
            return [_Kept(self._waiting[0], self._stream.key)]
        if self._waiting:
            self._write_run()
        return self._runs

    def _write_run(self) -> None:
        rows = self._sorted()
        self._waiting, self._waiting_rows = [], 0
        self._runs.append(_Run(self._folder / f"{len(self._runs):05}.arrow", rows, self._stream.key))

    def _sorted(self) -> pa.Table:
        return _unique(pa.concat_tables(self._waiting), self._stream.key)

    def _merged(self, size: int, *, keys_only: bool = False) -> Iterator[pa.Table]:
        """Disjoint parts in ascending key order; each key once, from the run written last."""
        key, runs = self._stream.key, self._finished()
        at = [0] * len(runs)
        while alive := [index for index, done in enumerate(at) if done < len(runs[index])]:
            step = max(1, size // len(alive))
            bound = min(runs[index].keys[min(at[index] + step, len(runs[index])) - 1].as_py() for index in alive)
            slices = []
            for index in alive:
                run, start = runs[index], at[index]
                at[index] = stop = _position_after(run.keys, bound, start)
                if start < stop:
                    keys = run.keys.slice(start, stop - start)
                    slices.append(pa.table({key: keys}) if keys_only else run.read(start, stop))
            yield _unique(pa.concat_tables(slices), key)


class Spooling(Protocol):
    """What fills a spool; it may take another one meanwhile."""

    spool: SpooledRows


@contextmanager
def closed_on_failure(reading: Spooling) -> Iterator[None]:
    """Closes the reading's spool when the block fails; otherwise the spool stays open for those who take the pull."""
    try:
        yield
    except BaseException:
        reading.spool.close()
        raise


def _position_after(keys: pa.Array, bound: Any, start: int) -> int:
    """The first position from `start` whose key is greater than `bound`, in ascending keys."""
    low, high = start, len(keys)
    while low < high:
        middle = (low + high) // 2
        if _is_after(keys[middle].as_py(), bound):
            high = middle
        else:
            low = middle + 1
    return low


def _is_after(key: Any, bound: Any) -> bool:
    return bool(key > bound)  # ids are ASCII: Python's order of text is the bytewise one


def _unique(rows: pa.Table, key: str) -> pa.Table:
    """Sorted by key, of equal keys the last row. Rows already strictly ascending are returned as they are."""
    keys = rows[key].combine_chunks() if rows.num_rows else rows[key]
    if rows.num_rows < 2 or pc.all(pc.less(keys[:-1], keys[1:])).as_py():
        return rows
    if not pc.all(pc.less_equal(keys[:-1], keys[1:])).as_py():
        rows = rows.take(pc.sort_indices(keys))  # stable: equal keys stay in the order they were read
        keys = rows[key].combine_chunks()
    if not pc.any(pc.equal(keys[:-1], keys[1:])).as_py():
        return rows
    is_last = pa.concat_arrays([_array(pc.not_equal(keys[:-1], keys[1:])), pa.array([True])])
    return rows.filter(is_last)


def _array(values: Any) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
