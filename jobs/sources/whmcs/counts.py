"""WHMCS asked for totals: clients, services and cancellations by one number each, invoices by status; 12 calls at most.

New rows are recognised by their ids, above the highest of the snapshot, and left out. WHMCS does not say what changed
since the last pull, so a row that went from one status to another meanwhile looks like one that was missed.
"""

from __future__ import annotations

from jobs.sources.columns import loose_integer
from jobs.sources.counts import Counted, SourceCounts
from jobs.sources.whmcs.answers import UnreadablePage
from jobs.sources.whmcs.pages import Page
from jobs.sources.whmcs.rows import WhmcsStream
from jobs.sources.whmcs.sweep import BEYOND
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot.streams import INVOICE_STATUSES

ALL = "all"
NEWEST = 100
"""Rows looked at for new ids."""


def count(transport: WhmcsTransport, wanted: WhmcsStream, highest: int | None, known: int) -> SourceCounts:
    """The stream's rows with ids up to `highest`, of which the snapshot has `known` in all. Raises SourceError."""
    if wanted.stream.name == "invoice":
        pages = {status: _newest(transport, wanted, status=status) for status in sorted(INVOICE_STATUSES)}
    elif wanted.is_ordered:
        pages = {ALL: _newest(transport, wanted)}
    else:
        pages = {ALL: _tail(transport, wanted, known)}
    new = {bucket: _above(page, highest) for bucket, page in pages.items()}
    uncertain = sum(NEWEST for bucket, page in pages.items() if new[bucket] >= NEWEST or _is_unread(page))
    return SourceCounts(
        {bucket: Counted((page.total or 0) - new[bucket]) for bucket, page in pages.items()}, uncertain=uncertain
    )


def _newest(transport: WhmcsTransport, wanted: WhmcsStream, **filters: str) -> Page:
    """The newest rows; where one of them cannot be encoded, the empty page behind the list's end, for its total."""
    try:
        return transport.page(wanted.action, 0, NEWEST, **dict(wanted.newest_first), **filters)
    except UnreadablePage:
        return transport.page(wanted.action, BEYOND, NEWEST, **filters)


def _is_unread(page: Page) -> bool:
    return page.received == 0 and bool(page.total)


def _tail(transport: WhmcsTransport, wanted: WhmcsStream, known: int) -> Page:
    """Where an unsorted list most likely grows; asked once more only when it has grown beyond that."""
    try:
        page = transport.page(wanted.action, max(0, known - NEWEST // 2), NEWEST)
    except UnreadablePage:
        return transport.page(wanted.action, BEYOND, NEWEST)
    if page.total is not None and page.total > known + NEWEST // 2:
        page = transport.page(wanted.action, page.total - NEWEST, NEWEST)
    return page


def _above(page: Page, highest: int | None) -> int:
    ids = (loose_integer(value) for value in next(iter(page.values.values()), []))
    return sum(key is not None and key > (highest or 0) for key in ids)
