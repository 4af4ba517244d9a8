"""The files of `export`: what COPY sends, into CSV as it comes, or into Parquet with the types it stands for."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

ROW_GROUP_ROWS, ROW_GROUP_BYTES = 122_880, 64 << 20
"""A row group is written when it has so many rows or bytes: what DuckDB works with, and what memory bears."""
BLOCK_BYTES = 4 << 20
EXACT_DIGITS, MOST_DIGITS = 38, 76

ARROW: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}
"""Arrow's type for PostgreSQL's. numeric, json and uuid have their own; what else there is travels as text."""


@dataclass(frozen=True)
class Column:
    """A column to export: its name and PostgreSQL's name of its type; of a numeric, the digits it needs."""

    name: str
    type: str
    whole_digits: int = 0
    scale: int = 0

    @property
    def read_as(self) -> pa.DataType:
        """The type in which Arrow reads it from CSV."""
        if self.type != "numeric":
            return ARROW.get(self.type, pa.string())
        if self.whole_digits + self.scale <= EXACT_DIGITS:
            return pa.decimal128(EXACT_DIGITS, self.scale)
        return pa.decimal256(MOST_DIGITS, self.scale)

    @property
    def written_as(self) -> pa.DataType:
        """The type it has in the file."""
        return {"json": pa.json_(), "jsonb": pa.json_(), "uuid": pa.uuid()}.get(self.type, self.read_as)

    def array(self, values: pa.Array) -> pa.Array:
        """What was read, as it is written."""
        if self.type == "uuid":
            return _uuids(values)
        if self.type in ("json", "jsonb"):
            return pa.ExtensionArray.from_storage(pa.json_(), values)
        return values


def write_csv(chunks: Iterable[bytes], file: Path) -> None:
    """Writes what COPY sends as it comes."""
    with file.open("wb") as out:
        for chunk in chunks:
            out.write(chunk)


def write_parquet(chunks: Iterable[bytes], columns: list[Column], file: Path) -> None:
    """Writes what COPY sends in CSV (with a header) as Parquet, a row group at a time."""
    schema = pa.schema([(column.name, column.written_as) for column in columns])
    with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as out:
        for rows in _row_groups(_batches(chunks, columns)):
            arrays = [column.array(rows[column.name].combine_chunks()) for column in columns]
            out.write_table(pa.table(arrays, schema=schema), row_group_size=ROW_GROUP_ROWS)


def _batches(chunks: Iterable[bytes], columns: list[Column]) -> Iterator[pa.RecordBatch]:
    """COPY writes null as nothing and an empty text in quotes; so they are read."""
    yield from pyarrow.csv.open_csv(
        io.BufferedReader(_Chunks(chunks), BLOCK_BYTES),
        read_options=pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={column.name: column.read_as for column in columns},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _row_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    gathered: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        gathered.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
            yield pa.Table.from_batches(gathered)
            gathered, rows, size = [], 0, 0
    if gathered:
        yield pa.Table.from_batches(gathered)


def _uuids(values: pa.Array) -> pa.Array:
    digits = pc.replace_substring(values.fill_null("0" * 32), "-", "")
    packed = pa.py_buffer(bytes.fromhex("".join(digits.to_pylist())))
    found = pa.Array.from_buffers(pa.binary(16), len(values), [None, packed])
    if values.null_count:
        found = pc.if_else(values.is_valid(), found, pa.scalar(None, pa.binary(16)))
    return pa.ExtensionArray.from_storage(pa.uuid(), found)


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a file to read from."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            try:
                self._rest = memoryview(next(self._chunks))
            except StopIteration:
                return 0
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
