"""Which generated rows were stamped when, found once, so that a range of SystemModstamp reads only its own rows."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime

from jobs.sandbox.tables import Row, Table


class StampIndex:
    """The stamps of a table's generated rows in order; those rows never change, written ones are looked at each time.

    Sixteen bytes a row. Built at the first question, which reads every generated row once.
    """

    def __init__(self, table: Table[str]) -> None:
        self._table = table
        self._stamps: array[int] | None = None
        self._positions: array[int] = array("q")
        self._deleted: frozenset[str] = frozenset()
        self._written: dict[str, bool] = {}
        table.watch(self._note)

    def keys_between(self, low: datetime | None, high: datetime | None) -> Iterator[str]:
        """Every key whose stamp is in [low, high] (None: open), and all written keys; in no order."""
        stamps = self._built()
        start = 0 if low is None else bisect_left(stamps, int(low.timestamp()))
        end = len(stamps) if high is None else bisect_left(stamps, int(high.timestamp()) + 1)
        yield from list(self._written)
        for at in range(start, end):
            key = self._table.generated.key_at(self._positions[at])
            if key not in self._written:
                yield key

    def deleted_keys(self) -> set[str]:
        """The keys of all soft-deleted rows."""
        self._built()
        deleted = {key for key, is_deleted in list(self._written.items()) if is_deleted}
        return deleted | {key for key in self._deleted if key not in self._written}

    def _note(self, key: str, row: Row | None) -> None:
        self._written[key] = row is not None and bool(row.get("IsDeleted"))

    def _built(self) -> array[int]:
        if self._stamps is None:
            self._build()
        assert self._stamps is not None
        return self._stamps

    def _build(self) -> None:
        generated = self._table.generated
        pairs, deleted = [], set()
        for position in range(len(generated)):
            row = generated.row_at(position)
            stamp = row.get("SystemModstamp") or row.get("CreatedDate")
            pairs.append((0 if stamp is None else int(stamp.timestamp()), position))
            if row.get("IsDeleted"):
                deleted.add(row["Id"])
        pairs.sort()
        self._positions = array("q", [position for _, position in pairs])
        self._deleted = frozenset(deleted)
        self._stamps = array("q", [stamp for stamp, _ in pairs])
