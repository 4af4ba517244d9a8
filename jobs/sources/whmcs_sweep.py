"""A whole list by offset paging, over a table that may change under the reader (whmcs-api 8).

Pages overlap by one row: where the shared row differs, something left the list before it, and the reader steps back.
A page that cannot be encoded is halved down to the row at fault; that row is refused by its place, the rest is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jobs.progress import Task
from jobs.sources.columns import loose_integer
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs_answers import UnreadablePage
from jobs.sources.whmcs_rows import Recorded
from jobs.sources.whmcs_transport import Page, WhmcsTransport
from materializer.pulls import RefusedRecord

PARSED_AT_ONCE = 4000
"""Rows gathered before they are parsed: columns cost less by the row when they are long."""


@dataclass(frozen=True)
class Stretch:
    """What stands at the offsets asked for: the values read, and the offsets of rows that cannot be encoded."""

    offset: int
    values: dict[str, list[Any]]
    received: int
    total: int | None
    unreadable: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        """How far it reaches from its offset."""
        return self.received + len(self.unreadable)

    def end_ids(self) -> tuple[Any, Any]:
        """The ids of its first and last row; None where that row cannot be read."""
        ids = next(iter(self.values.values()), [])
        first = ids[0] if ids and self.offset not in self.unreadable else None
        last = ids[-1] if ids and self.offset + self.length - 1 not in self.unreadable else None
        return loose_integer(first), loose_integer(last)


@dataclass
class Gathered:
    """Rows on their way into a spool, with the refused ones."""

    recorded: Recorded
    spool: SpooledRows
    task: Task
    refused: dict[str, RefusedRecord] = field(default_factory=dict)
    unreadable: set[int] = field(default_factory=set)
    _waiting: dict[str, list[Any]] = field(default_factory=dict)
    _places: list[int] = field(default_factory=list)

    def take(self, stretch: Stretch) -> None:
        """Takes in what was read at some offsets."""
        for key, values in stretch.values.items():
            self._waiting.setdefault(key, []).extend(values)
        gaps = set(stretch.unreadable)
        self._places += [at for at in range(stretch.offset, stretch.offset + stretch.length) if at not in gaps]
        self.unreadable |= gaps
        self.task.advance(stretch.received)
        if len(self._places) >= PARSED_AT_ONCE:
            self.parse()

    def parse(self) -> None:
        """Parses what waits."""
        if not self._places:
            return
        places, action = self._places, self.recorded.action.name
        rows, refused = self.recorded.rows(self._waiting, lambda at: f"row {places[at] + 1} of {action}")
        self.refused |= {record.record_id: record for record in refused}
        self._waiting, self._places = {}, []
        self.add(rows)

    def add(self, rows: pa.Table) -> None:
        """Adds parsed rows."""
        self.spool.add(rows)

    def all_refused(self) -> tuple[RefusedRecord, ...]:
        """Refused records, and places that could not be read at all."""
        action = self.recorded.action.name
        unread = (
            RefusedRecord(f"row {at + 1} of {action}", "text", "a stored text is not valid UTF-8; correct it in WHMCS")
            for at in sorted(self.unreadable)
        )
        return (*self.refused.values(), *unread)

    @property
    def seen(self) -> int:
        """Distinct records: rows, refused and unreadable ones."""
        self.parse()
        return self.spool.rows + len(self.refused) + len(self.unreadable)


def sweep(transport: WhmcsTransport, gathered: Gathered, page_size: int, **filters: Any) -> str | None:
    """Reads the whole list into `gathered`. Returns why the reading is not provably whole, or None when it is."""
    recorded = gathered.recorded
    first = _first(transport, recorded, page_size, filters)
    gathered.take(first)
    total_at_first, total = first.total or 0, first.total or 0
    gathered.task.expect(total)
    size = first.received if 1 < first.received < min(page_size, total) else page_size  # a server cap (whmcs-api 4)
    why: str | None = None
    last_id = first.end_ids()[1]
    position = first.length

    def read(offset: int) -> Stretch:
        return _filled(transport, recorded, offset, size, total, filters)

    while position < total:
        start = position
        for offset, stretch in transport.in_parallel(read, range(max(0, start - 1), total, max(1, size - 1))):
            if stretch.length == 0:
                return f"{total} records announced, none at offset {offset}"
            first_id, end_id = stretch.end_ids()
            if offset and last_id is not None and first_id is not None and first_id != last_id:
                why = "the list moved while it was read"
                gathered.take(_stepped_back(transport, recorded, offset, size, total, filters))
            gathered.take(stretch)
            last_id, position = end_id, offset + stretch.length
            total = stretch.total if stretch.total is not None else total
        if position <= start:
            break
    return _judged(gathered, recorded, why, total_at_first, total)


def _judged(gathered: Gathered, recorded: Recorded, why: str | None, at_first: int, at_last: int) -> str | None:
    seen = gathered.seen
    if at_first != at_last:
        return f"{at_first} records announced at first, {at_last} at last"
    if seen != at_last:
        return f"{at_last} records announced, {seen} received"
    return why if recorded.is_ordered else None  # an unordered list may shuffle; there, the counts decide


def _first(transport: WhmcsTransport, recorded: Recorded, size: int, filters: dict[str, Any]) -> Stretch:
    """The first stretch that tells a total (a page of unreadable rows tells none, Q10)."""
    stretch = _stretch(transport, recorded, 0, size, filters)
    while stretch.total is None and stretch.length:
        more = _stretch(transport, recorded, stretch.length, size, filters)
        if more.length == 0:
            return Stretch(0, stretch.values, stretch.received, stretch.length, stretch.unreadable)
        stretch = _joined(stretch, more)
    return stretch


def _filled(
    transport: WhmcsTransport, recorded: Recorded, offset: int, size: int, total: int, filters: dict[str, Any]
) -> Stretch:
    """`size` rows from `offset`, in as many requests as the server makes of it."""
    stretch = _stretch(transport, recorded, offset, size, filters)
    while 0 < stretch.length < size and offset + stretch.length < (stretch.total or total):
        more = _stretch(transport, recorded, offset + stretch.length, size - stretch.length, filters)
        if more.length == 0:
            break
        stretch = _joined(stretch, more)
    return stretch


def _stepped_back(
    transport: WhmcsTransport, recorded: Recorded, offset: int, size: int, total: int, filters: dict[str, Any]
) -> Stretch:
    """The stretch before `offset`, once more: rows that slid over the boundary stand there now."""
    return _filled(transport, recorded, max(0, offset - size + 1), size, total, filters)


def _stretch(
    transport: WhmcsTransport, recorded: Recorded, offset: int, limit: int, filters: dict[str, Any]
) -> Stretch:
    try:
        page = transport.page(recorded.action, offset, limit, **filters)
        return Stretch(offset, page.values, page.received, page.total)
    except UnreadablePage:
        if limit == 1:
            return Stretch(offset, {key: [] for key in recorded.action.keys}, 0, None, (offset,))
    half = limit // 2
    low = _stretch(transport, recorded, offset, half, filters)
    if low.length < half:
        return low
    return _joined(low, _stretch(transport, recorded, offset + half, limit - half, filters))


def _joined(low: Stretch, high: Stretch) -> Stretch:
    values = {key: [*low.values[key], *high.values[key]] for key in low.values}
    total = high.total if high.total is not None else low.total
    return Stretch(low.offset, values, low.received + high.received, total, low.unreadable + high.unreadable)


def newest(transport: WhmcsTransport, recorded: Recorded, page_size: int, above: int | None) -> Iterator[Page]:
    """Pages of the newest records first, until one holds an id known already (not above `above`)."""
    offset = 0
    while True:
        try:
            page = transport.page(recorded.action, offset, page_size, **dict(recorded.newest_first))
        except UnreadablePage:
            return  # the next sweep bisects it
        yield page
        ids = [loose_integer(value) for value in next(iter(page.values.values()), [])]
        offset += page.received
        if not ids or offset >= (page.total or 0) or any(key is not None and key <= (above or 0) for key in ids):
            return
