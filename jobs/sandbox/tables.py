"""Rows by key in key order: a generated part computed on demand, and over it whatever was written since."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from itertools import islice
from threading import RLock
from typing import Any, Generic, Protocol, TypeVar

Row = dict[str, Any]
KeyT = TypeVar("KeyT", int, str)


class Generated(Protocol[KeyT]):
    """A population's rows as pure functions of their position; keys ascend with the position."""

    def __len__(self) -> int: ...
    def key_at(self, position: int) -> KeyT: ...
    def row_at(self, position: int) -> Row: ...
    def position_of(self, key: KeyT) -> int | None: ...


class Nothing(Generic[KeyT]):
    """No generated rows."""

    def __len__(self) -> int:
        return 0

    def key_at(self, position: int) -> KeyT:
        raise IndexError(position)

    def row_at(self, position: int) -> Row:
        raise IndexError(position)

    def position_of(self, key: KeyT) -> int | None:
        return None


class Table(Generic[KeyT]):
    """A table of one stand-in. Memory holds only what was written; the rest is computed when asked for.

    Inserted keys may be anything that is not generated. Rows given out are copies; write them back with `put`.
    """

    def __init__(self, generated: Generated[KeyT] | None = None) -> None:
        self._generated: Generated[KeyT] = generated if generated is not None else Nothing()
        self._written: dict[KeyT, Row] = {}
        self._inserted: list[KeyT] = []
        self._removed: list[int] = []
        self._watchers: list[Callable[[KeyT, Row | None], None]] = []
        self.lock = RLock()

    @property
    def generated(self) -> Generated[KeyT]:
        """The part that is computed, as it was before anything was written."""
        return self._generated

    def watch(self, watcher: Callable[[KeyT, Row | None], None]) -> None:
        """Calls it for every row written so far and, from now on, after each write; a None row says it is gone."""
        with self.lock:
            self._watchers.append(watcher)
            for key, row in self._written.items():
                watcher(key, row)
            for position in self._removed:
                watcher(self._generated.key_at(position), None)

    def __len__(self) -> int:
        return len(self._generated) - len(self._removed) + len(self._inserted)

    def __contains__(self, key: KeyT) -> bool:
        return self.get(key) is not None

    def get(self, key: KeyT) -> Row | None:
        """A copy of the row, or None."""
        with self.lock:
            if (row := self._written.get(key)) is not None:
                return dict(row)
            position = self._generated.position_of(key)
            if position is None or self._is_removed(position):
                return None
            return self._generated.row_at(position)

    def put(self, key: KeyT, row: Row) -> None:
        """Inserts or replaces the row."""
        with self.lock:
            position = self._generated.position_of(key)
            if position is None and key not in self._written:
                insort(self._inserted, key)
            elif position is not None and self._is_removed(position):
                self._removed.remove(position)
            self._written[key] = dict(row)
            self._notify(key, row)

    def change(self, key: KeyT, **fields: Any) -> None:
        """Sets fields of an existing row. Raises KeyError when there is none."""
        with self.lock:
            row = self.get(key)
            if row is None:
                raise KeyError(key)
            self.put(key, row | fields)

    def remove(self, key: KeyT) -> None:
        """Raises KeyError when there is no such row."""
        with self.lock:
            if key not in self:
                raise KeyError(key)
            self._written.pop(key, None)
            position = self._generated.position_of(key)
            if position is None:
                del self._inserted[bisect_left(self._inserted, key)]
            else:
                insort(self._removed, position)
            self._notify(key, None)

    def _notify(self, key: KeyT, row: Row | None) -> None:
        for watcher in self._watchers:
            watcher(key, row)

    def keys(self, since: KeyT | None = None) -> Iterator[KeyT]:
        """All keys (from `since` on), ascending. Safe against writes between steps: a key written meanwhile may or
        may not appear."""
        start = 0 if since is None else bisect_left(range(len(self._generated)), since, key=self._generated.key_at)
        inserted = list(self._inserted) if since is None else self._inserted[bisect_left(self._inserted, since) :]
        removed = set(self._removed)
        at = 0
        for position in range(start, len(self._generated)):
            if position in removed:
                continue
            key = self._generated.key_at(position)
            while at < len(inserted) and inserted[at] < key:
                yield inserted[at]
                at += 1
            yield key
        yield from inserted[at:]

    def rows(self) -> Iterator[Row]:
        """All rows in ascending order of the key."""
        for key in self.keys():
            if (row := self.get(key)) is not None:
                yield row

    def page(self, offset: int, limit: int) -> list[Row]:
        """The rows at positions [offset, offset + limit) in order of the key; cheap where inserted keys come last."""
        with self.lock:
            if self._inserts_among_generated():
                return list(islice(self.rows(), offset, offset + limit))
            generated = len(self._generated) - len(self._removed)
            rows = [self._nth(n) for n in range(offset, min(offset + limit, generated))]
            beyond = self._inserted[max(0, offset - generated) : max(0, offset + limit - generated)]
            return rows + [dict(self._written[key]) for key in beyond]

    def _inserts_among_generated(self) -> bool:
        last = len(self._generated) - 1
        return bool(self._inserted) and last >= 0 and self._inserted[0] < self._generated.key_at(last)

    def _nth(self, n: int) -> Row:
        position = n
        for removed in self._removed:
            if removed > position:
                break
            position += 1
        key = self._generated.key_at(position)
        return dict(self._written[key]) if key in self._written else self._generated.row_at(position)

    def _is_removed(self, position: int) -> bool:
        at = bisect_left(self._removed, position)
        return at < len(self._removed) and self._removed[at] == position
