"""A whole list by offset paging, over a table that may change under the reader (whmcs-api 8).

Pages overlap by one row: where the shared row differs, something left the list before it, and the reader steps back.
A page that cannot be encoded is halved down to the row at fault, which is read as XML; where that fails, too, the row
is set aside and the rest is kept. Where the server's order is undefined the counts decide, and the list is read again
until they agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from jobs.sources.columns import loose_integer
from jobs.sources.errors import ProtocolError
from jobs.sources.whmcs.answers import UnreadablePage
from jobs.sources.whmcs.reading import NOT_ENCODED, Part, Reading
from jobs.sources.whmcs.rows import WhmcsStream
from jobs.sources.whmcs.transport import WhmcsTransport
from jobs.sources.whmcs.xml import XmlRow
from materializer.snapshot.pulls import SetAsideRecord

READINGS = 4
"""How often a list in no order is read until its rows add up."""
AT_ONCE = 2500
"""A list of so many rows fits one page (whmcs-api 4), which no order can spoil."""
GROWTH = 100_000
"""A list that announces so many rows more than twice those of its first page has no end we should look for."""
BEYOND = 1_000_000_000
"""An offset behind every list's end: the empty page there has the total (Q10)."""


@dataclass(frozen=True)
class Verdict:
    """What one sweep came to: why it is not provably whole (None: it is), and the rows announced.

    `is_short`: rows are missing though nothing shows that the list moved, as where the server keeps no order.
    """

    why: str | None
    total: int
    is_short: bool = False


def read_whole(transport: WhmcsTransport, reading: Reading, page_size: int) -> str | None:
    """Sweeps the list, again where its order is undefined: in one page, or in pages that begin elsewhere.

    Rows of all readings count together; one that left meanwhile is found out by the next run. Returns why the reading
    is not provably whole, or None when it is.
    """
    verdict = sweep(transport, reading, page_size)
    for attempt in range(1, READINGS):
        if not verdict.is_short:
            break
        reading.unreadable.clear()  # places mean nothing from one reading to the next
        if verdict.total <= AT_ONCE:
            verdict = sweep(transport, reading, max(page_size, verdict.total))
        else:
            verdict = sweep(transport, reading, page_size, first_size=max(1, page_size * attempt // READINGS))
    return verdict.why


def sweep(
    transport: WhmcsTransport, reading: Reading, page_size: int, *, first_size: int | None = None, **filters: Any
) -> Verdict:
    """Reads the list once into `reading`, in pages of `page_size` after one of `first_size` rows."""
    wanted_stream = reading.wanted_stream
    first = _first(transport, wanted_stream, first_size or page_size, filters)
    reading.take(first)
    total_at_first = total = first.total or 0
    reading.bar.expect(total)
    is_capped = 1 < first.length < min(first_size or page_size, total)  # whmcs-api 4
    size = first.length if is_capped else page_size
    has_moved = False
    last_id = first.end_ids()[1]
    last_ends = first.end_ids()
    most = 2 * total_at_first + GROWTH
    position = first.length

    def read(offset: int) -> Part:
        return _filled(transport, wanted_stream, offset, size, total, filters)

    while position < total:
        start = position
        for offset, part in transport.in_parallel(read, range(max(0, start - 1), total, max(1, size - 1))):
            if part.length == 0:
                return Verdict(f"{total} records announced, none at offset {offset}", total)
            first_id, end_id = part.end_ids()
            is_again = part.length > 1 and first_id is not None and (first_id, end_id) == last_ends
            if is_again or total > most:
                why = "the page before it, once more" if is_again else f"{total} records announced by now"
                return Verdict(f"at offset {offset} stood {why}", total)
            last_ends = first_id, end_id
            if offset and last_id is not None and first_id is not None and first_id != last_id:
                has_moved = has_moved or (wanted_stream.is_ordered and _ascends(part))
                reading.take(_stepped_back(transport, wanted_stream, offset, size, total, filters))
            reading.take(part)
            last_id, position = end_id, offset + part.length
            total = part.total if part.total is not None else total
        if position <= start:
            break
    return _judged(reading, has_moved, total_at_first, total)


def _ascends(part: Part) -> bool:
    """Whether the page is sorted by id; old versions ignore the options, and then a shared row may differ at rest."""
    ids = [loose_integer(value) or 0 for value in next(iter(part.values.values()), [])]
    return all(low < high for low, high in pairwise(ids))


def _judged(reading: Reading, has_moved: bool, at_first: int, at_last: int) -> Verdict:
    if at_first != at_last:
        return Verdict(f"{at_first} records announced at first, {at_last} at last", at_last)
    seen = reading.seen
    if seen != at_last:
        why = f"{at_last} records announced, {seen} received"
        return Verdict(why, at_last, is_short=seen < at_last and not has_moved)
    return Verdict("the list moved while it was read" if has_moved else None, at_last)


def _first(transport: WhmcsTransport, wanted_stream: WhmcsStream, size: int, filters: dict[str, Any]) -> Part:
    """The first part, with the total. Raises ProtocolError when no answer at all can be encoded."""
    part = _part(transport, wanted_stream, 0, size, filters)
    if part.total is not None or not part.length:
        return part
    try:
        return replace(part, total=transport.page(wanted_stream.action, BEYOND, 1, **filters).total)
    except UnreadablePage:
        name = wanted_stream.action.name
        raise ProtocolError(
            f"WHMCS: {name}: no answer can be encoded, not even an empty one; see WHMCS's logs"
        ) from None


def _filled(
    transport: WhmcsTransport, wanted_stream: WhmcsStream, offset: int, size: int, total: int, filters: dict[str, Any]
) -> Part:
    """`size` rows from `offset`, in as many requests as the server makes of it."""
    part = _part(transport, wanted_stream, offset, size, filters)
    while 0 < part.length < size and offset + part.length < (part.total or total):
        more = _part(transport, wanted_stream, offset + part.length, size - part.length, filters)
        if more.length == 0:
            break
        part = _joined(part, more)
    return part


def _stepped_back(
    transport: WhmcsTransport, wanted_stream: WhmcsStream, offset: int, size: int, total: int, filters: dict[str, Any]
) -> Part:
    """The part before `offset`, once more: rows that slid over the boundary stand there now."""
    return _filled(transport, wanted_stream, max(0, offset - size + 1), size, total, filters)


def _part(
    transport: WhmcsTransport, wanted_stream: WhmcsStream, offset: int, limit: int, filters: dict[str, Any]
) -> Part:
    try:
        page = transport.page(wanted_stream.action, offset, limit, **filters)
        return Part(offset, page.values, page.received, page.total)
    except UnreadablePage:
        if limit == 1:
            return _as_xml(transport, wanted_stream, offset, filters)
    half = limit // 2
    low = _part(transport, wanted_stream, offset, half, filters)
    if low.length < half:
        return low
    return _joined(low, _part(transport, wanted_stream, offset + half, limit - half, filters))


def _as_xml(transport: WhmcsTransport, wanted_stream: WhmcsStream, offset: int, filters: dict[str, Any]) -> Part:
    """The one row that JSON cannot carry."""
    row = transport.row_as_xml(wanted_stream.action, offset, **filters)
    if row is not None and not row.is_broken:
        return Part(offset, {key: [value] for key, value in row.values.items()}, 1, row.total)
    nothing: dict[str, list[Any]] = {name: [] for name in wanted_stream.action.keys}
    return Part(offset, nothing, 0, None if row is None else row.total, {offset: _not_encoded(row, wanted_stream)})


def _not_encoded(row: XmlRow | None, wanted_stream: WhmcsStream) -> SetAsideRecord | None:
    """The row set aside by its id, and its owner's where that can be read; None when the id cannot."""
    if row is None or (key := loose_integer(row.values[wanted_stream.action.keys[0]])) is None:
        return None
    owner = loose_integer(row.values[wanted_stream.owner_key])
    return SetAsideRecord(str(key), "text", NOT_ENCODED, None if owner is None else str(owner))


def _joined(low: Part, high: Part) -> Part:
    values = {key: [*low.values[key], *high.values[key]] for key in low.values}
    total = high.total if high.total is not None else low.total
    return Part(low.offset, values, low.received + high.received, total, {**low.unreadable, **high.unreadable})
