"""A whole list by offset paging, over a table that may change under the reader (whmcs-api 8).

Pages overlap by one row: where the shared row differs, something left the list before it, and the reader steps back.
A page that cannot be encoded is halved down to the row at fault, which is read as XML; where that fails, too, the row
is refused and the rest is kept. Where the server's order is undefined the counts decide, and the list is read again
until they agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pyarrow as pa

from jobs.progress import Task
from jobs.sources.columns import loose_integer
from jobs.sources.errors import ProtocolError
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.answers import UnreadablePage
from jobs.sources.whmcs.pages import Page
from jobs.sources.whmcs.rows import Recorded
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot.pulls import RefusedRecord

PARSED_AT_ONCE = 10_000
"""Rows gathered before they are parsed: columns cost less by the row when they are long."""
READINGS = 4
"""How often a list in no order is read until its rows add up."""
AT_ONCE = 2500
"""A list of so many rows fits one page (whmcs-api 4), which no order can spoil."""
BEYOND = 1_000_000_000
"""An offset behind every list's end: the empty page there tells the total (Q10)."""
NOT_ENCODED = "a stored text is not valid UTF-8; correct it in WHMCS"


@dataclass(frozen=True)
class Stretch:
    """What stands at some offsets: the values, and by offset the ids (None: unknown) of rows that cannot be read."""

    offset: int
    values: dict[str, list[Any]]
    received: int
    total: int | None
    unreadable: Mapping[int, int | None] = field(default_factory=dict)

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
        gaps = stretch.unreadable
        self._places += [at for at in range(stretch.offset, stretch.offset + stretch.length) if at not in gaps]
        self.unreadable |= {at for at, key in gaps.items() if key is None}
        named = (str(key) for key in gaps.values() if key is not None)
        self.refused |= {key: RefusedRecord(key, "text", NOT_ENCODED) for key in named}
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
        unread = (RefusedRecord(f"row {at + 1} of {action}", "text", NOT_ENCODED) for at in sorted(self.unreadable))
        return (*self.refused.values(), *unread)

    @property
    def seen(self) -> int:
        """Distinct records: rows, refused and unreadable ones."""
        self.parse()
        return self.spool.rows + len(self.refused) + len(self.unreadable)


@dataclass(frozen=True)
class Verdict:
    """What one sweep came to: why it is not provably whole (None: it is), and the rows announced.

    `is_short`: rows are missing though nothing shows that the list moved, as where the server keeps no order.
    """

    why: str | None
    total: int
    is_short: bool = False


def read_whole(transport: WhmcsTransport, gathered: Gathered, page_size: int) -> str | None:
    """Sweeps the list, again where its order is undefined: in one page, or in pages that begin elsewhere.

    Rows of all readings count together; one that left meanwhile is found out by the next run. Returns why the reading
    is not provably whole, or None when it is.
    """
    verdict = sweep(transport, gathered, page_size)
    for reading in range(1, READINGS):
        if not verdict.is_short:
            break
        gathered.unreadable.clear()  # places mean nothing from one reading to the next
        if verdict.total <= AT_ONCE:
            verdict = sweep(transport, gathered, max(page_size, verdict.total))
        else:
            verdict = sweep(transport, gathered, page_size, first_size=max(1, page_size * reading // READINGS))
    return verdict.why


def sweep(
    transport: WhmcsTransport, gathered: Gathered, page_size: int, *, first_size: int | None = None, **filters: Any
) -> Verdict:
    """Reads the list once into `gathered`, in pages of `page_size` after one of `first_size` rows."""
    recorded = gathered.recorded
    first = _first(transport, recorded, first_size or page_size, filters)
    gathered.take(first)
    total_at_first = total = first.total or 0
    gathered.task.expect(total)
    is_capped = 1 < first.length < min(first_size or page_size, total)  # whmcs-api 4
    size = first.length if is_capped else page_size
    has_moved = False
    last_id = first.end_ids()[1]
    position = first.length

    def read(offset: int) -> Stretch:
        return _filled(transport, recorded, offset, size, total, filters)

    while position < total:
        start = position
        for offset, stretch in transport.in_parallel(read, range(max(0, start - 1), total, max(1, size - 1))):
            if stretch.length == 0:
                return Verdict(f"{total} records announced, none at offset {offset}", total)
            first_id, end_id = stretch.end_ids()
            if offset and last_id is not None and first_id is not None and first_id != last_id:
                has_moved = has_moved or (recorded.is_ordered and _ascends(stretch))
                gathered.take(_stepped_back(transport, recorded, offset, size, total, filters))
            gathered.take(stretch)
            last_id, position = end_id, offset + stretch.length
            total = stretch.total if stretch.total is not None else total
        if position <= start:
            break
    return _judged(gathered, has_moved, total_at_first, total)


def _ascends(stretch: Stretch) -> bool:
    """Whether the page is sorted by id; old versions ignore the wish, and then a shared row may differ at rest."""
    ids = [loose_integer(value) or 0 for value in next(iter(stretch.values.values()), [])]
    return all(low < high for low, high in pairwise(ids))


def _judged(gathered: Gathered, has_moved: bool, at_first: int, at_last: int) -> Verdict:
    if at_first != at_last:
        return Verdict(f"{at_first} records announced at first, {at_last} at last", at_last)
    seen = gathered.seen
    if seen != at_last:
        why = f"{at_last} records announced, {seen} received"
        return Verdict(why, at_last, is_short=seen < at_last and not has_moved)
    return Verdict("the list moved while it was read" if has_moved else None, at_last)


def _first(transport: WhmcsTransport, recorded: Recorded, size: int, filters: dict[str, Any]) -> Stretch:
    """The first stretch, with the total. Raises ProtocolError when no answer at all can be encoded."""
    stretch = _stretch(transport, recorded, 0, size, filters)
    if stretch.total is not None or not stretch.length:
        return stretch
    try:
        return replace(stretch, total=transport.page(recorded.action, BEYOND, 1, **filters).total)
    except UnreadablePage:
        name = recorded.action.name
        raise ProtocolError(
            f"WHMCS: {name}: no answer can be encoded, not even an empty one; see WHMCS's logs"
        ) from None


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
            return _as_xml(transport, recorded, offset, filters)
    half = limit // 2
    low = _stretch(transport, recorded, offset, half, filters)
    if low.length < half:
        return low
    return _joined(low, _stretch(transport, recorded, offset + half, limit - half, filters))


def _as_xml(transport: WhmcsTransport, recorded: Recorded, offset: int, filters: dict[str, Any]) -> Stretch:
    """The one row that JSON cannot carry."""
    row = transport.row_as_xml(recorded.action, offset, **filters)
    if row is not None and not row.is_broken:
        return Stretch(offset, {key: [value] for key, value in row.values.items()}, 1, row.total)
    key = None if row is None else loose_integer(row.values[recorded.action.keys[0]])
    nothing: dict[str, list[Any]] = {name: [] for name in recorded.action.keys}
    return Stretch(offset, nothing, 0, None if row is None else row.total, {offset: key})


def _joined(low: Stretch, high: Stretch) -> Stretch:
    values = {key: [*low.values[key], *high.values[key]] for key in low.values}
    total = high.total if high.total is not None else low.total
    return Stretch(low.offset, values, low.received + high.received, total, {**low.unreadable, **high.unreadable})


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
