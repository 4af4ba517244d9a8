"""Finding rows of a WHMCS table without walking over all of it for every request."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import date
from typing import Any

from jobs.sandbox.tables import Row, Table

Place = tuple[Any, int]
PlaceOf = Callable[[Row], Any]
"""The sort value of a row, or None for a row that does not belong to the list."""
REMEMBERED = 64


class Lookup:
    """The orders and filters of one table.

    Generated rows never change by themselves, so what they yield is computed once and kept; rows written since are
    judged anew after each write. `owner` is the field that holds the client's id (a cancellation request's, the
    service's); `offer` the generated part's optional method that finds an owner's keys.
    """

    def __init__(self, table: Table[int], owner: str, offer: str = "keys_of_client") -> None:
        self.table = table
        self._owner = owner
        self._offer = offer
        self._touched: set[int] = set()
        self._owners: dict[int, int | None] = {}
        self._by_owner: dict[int, set[int]] = {}
        self._writes = 0
        self._last_written = 0
        self._generated_places: dict[Hashable, list[Place]] = {}
        self._lists: dict[Hashable, tuple[int, list[int]]] = {}
        table.watch(self._note)

    def _note(self, key: int, row: Row | None) -> None:
        self._writes += 1
        self._touched.add(key)
        self._last_written = max(self._last_written, key)
        owner = row.get(self._owner) if row else None
        self._by_owner.get(self._owners.get(key) or 0, set()).discard(key)
        self._owners[key] = owner
        if owner is not None:
            self._by_owner.setdefault(owner, set()).add(key)

    def last_key(self) -> int:
        """The highest id ever given; ids of removed rows are not given again."""
        generated = self.table.generated
        return max(self._last_written, generated.key_at(len(generated) - 1) if len(generated) else 0)

    def rows_of(self, owner_id: int) -> list[Row]:
        """The owner's rows in order of the id; no scan where the generated part offers to find them."""
        with self.table.lock:
            keys = self._generated_keys_of(owner_id) | self._by_owner.get(owner_id, set())
            rows = [row for key in sorted(keys) if (row := self.table.get(key)) is not None]
            return [row for row in rows if row.get(self._owner) == owner_id]

    def _generated_keys_of(self, owner_id: int) -> set[int]:
        offered = getattr(self.table.generated, self._offer, None)
        if offered is not None:
            return set(offered(owner_id))
        return {key for owner, key in self._from_generated("owner", lambda row: row[self._owner]) if owner == owner_id}

    def keys(self, name: Hashable, place: PlaceOf) -> Sequence[int]:
        """The ids of the rows that have a place, in its order, then by id. `name` stands for what `place` computes."""
        with self.table.lock:
            known = self._lists.get(name)
            if known is not None and known[0] == self._writes:
                return known[1]
            if len(self._lists) >= REMEMBERED:
                self._lists.clear()
                self._generated_places.clear()
            keys = [key for _, key in self._places(name, place)]
            self._lists[name] = (self._writes, keys)
            return keys

    def _places(self, name: Hashable, place: PlaceOf) -> Iterator[Place]:
        untouched = (pair for pair in self._from_generated(name, place) if pair[1] not in self._touched)
        written = ((place(row), key) for key in self._touched if (row := self.table.get(key)) is not None)
        return heapq.merge(untouched, sorted(pair for pair in written if pair[0] is not None))

    def _from_generated(self, name: Hashable, place: PlaceOf) -> list[Place]:
        if name not in self._generated_places:
            generated = self.table.generated
            rows = ((generated.row_at(at), generated.key_at(at)) for at in range(len(generated)))
            places = ((place(row), key) for row, key in rows)
            self._generated_places[name] = sorted(pair for pair in places if pair[0] is not None)
        return self._generated_places[name]


def sortable(value: Any) -> Any:
    """A value that compares with others of its column: a missing one comes first, a date before its own midnight."""
    if isinstance(value, date):
        return (1, value.isoformat())
    return (0, "") if value is None else (1, value)


class Selection:
    """The rows an action answers with, by position: a whole table in order of the id, or a list of ids."""

    def __init__(self, table: Table[int], keys: Sequence[int] | None = None, *, descending: bool = False) -> None:
        self._table = table
        self._keys = keys
        self._descending = descending

    def __len__(self) -> int:
        return len(self._table if self._keys is None else self._keys)

    def rows(self, offset: int, limit: int) -> list[Row]:
        """The rows at positions [offset, offset + limit)."""
        if not self._descending:
            return self._ascending(offset, limit)
        end = max(0, len(self) - offset)
        start = max(0, end - limit)
        return self._ascending(start, end - start)[::-1]

    def _ascending(self, offset: int, limit: int) -> list[Row]:
        if self._keys is None:
            return self._table.page(offset, limit)
        found = (self._table.get(key) for key in self._keys[offset : offset + limit])
        return [row for row in found if row is not None]
