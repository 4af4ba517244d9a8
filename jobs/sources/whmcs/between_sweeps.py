"""What has probably changed since the last sweep: new rows, and invoices that are unpaid or were (whmcs-api 8).

Whatever else changed is found by the next sweep.
"""

from __future__ import annotations

from collections.abc import Iterator

from jobs.sources.columns import loose_integer
from jobs.sources.known import KnownRows
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.answers import NoSuchRecord, UnreadablePage
from jobs.sources.whmcs.installation import Installation
from jobs.sources.whmcs.pages import Page
from jobs.sources.whmcs.reading import Part, Reading
from jobs.sources.whmcs.rows import WhmcsStream
from jobs.sources.whmcs.sweep import sweep


def read_changed(installation: Installation, reading: Reading, known: KnownRows) -> bool:
    """Reads what has probably changed into `reading`. False when a sweep would cost less. Raises SourceError."""
    wanted_stream = reading.wanted_stream
    pages = _newest if wanted_stream.is_ordered else _tail
    for page in pages(installation, wanted_stream, known):
        reading.take(Part(0, page.values, page.received, page.total))
    return wanted_stream.stream.name != "invoice" or _follow_unpaid(installation, reading, known)


def _newest(installation: Installation, wanted_stream: WhmcsStream, known: KnownRows) -> Iterator[Page]:
    """Pages of the newest records first, until one holds an id known already."""
    offset, before = 0, dict[str, list[object]]()
    newest_first = dict(wanted_stream.newest_first)
    while True:
        try:
            page = installation.transport.page(wanted_stream.action, offset, installation.page_size, **newest_first)
        except UnreadablePage:
            return  # the next sweep bisects it
        if page.values == before:
            return  # the page before, once more
        yield page
        before = page.values
        ids = [loose_integer(value) for value in next(iter(page.values.values()), [])]
        offset += page.received
        is_known = any(key is not None and key <= (known.highest_id or 0) for key in ids)
        if not ids or offset >= (page.total or 0) or is_known:
            return


def _tail(installation: Installation, wanted_stream: WhmcsStream, known: KnownRows) -> Iterator[Page]:
    """The list's end, where an unsorted list most likely grows."""
    offset = max(0, known.rows - installation.page_size)
    while True:
        try:
            page = installation.transport.page(wanted_stream.action, offset, installation.page_size)
        except UnreadablePage:
            return
        yield page
        offset += page.received
        if page.received == 0 or offset >= (page.total or 0):
            return


def _follow_unpaid(installation: Installation, reading: Reading, known: KnownRows) -> bool:
    """Reads the unpaid invoices and looks up those that left that list. False when a sweep would cost less."""
    left = sorted(known.unpaid - _read_unpaid(installation, reading))
    if 2 * len(left) > known.rows / installation.page_size + 100:
        return False

    def invoice(invoice_id: int) -> Page | None:
        return _invoice(installation, reading.wanted_stream, invoice_id)

    for _, page in installation.transport.in_parallel(invoice, left):
        if page is not None:
            reading.take(Part(0, page.values, page.received, page.total))
    return True


def _read_unpaid(installation: Installation, reading: Reading) -> set[int]:
    """Reads the list of unpaid invoices; the ids on it."""
    unpaid = Reading(reading.wanted_stream, SpooledRows(reading.wanted_stream.stream), reading.bar)
    with unpaid.spool:
        sweep(installation.transport, unpaid, installation.page_size, status="Unpaid")
        unpaid.parse()
        listed_now: set[int] = set()
        for part in unpaid.spool.windows(installation.schedule.limits.window_rows):
            reading.add(part)
            listed_now.update(part["invoice_id"].to_pylist())
    return listed_now


def _invoice(installation: Installation, wanted_stream: WhmcsStream, invoice_id: int) -> Page | None:
    """The invoice as its client's list shows it (GetInvoice names no currency); None when it is not found."""
    transport, newest_first = installation.transport, dict(wanted_stream.newest_first)
    try:
        client = loose_integer(transport.call("GetInvoice", invoiceid=invoice_id).get("userid"))
        page = transport.page(wanted_stream.action, 0, installation.page_size, userid=client, **newest_first)
    except (NoSuchRecord, UnreadablePage):
        return None
    keys = [loose_integer(value) for value in page.values["id"]]
    if invoice_id not in keys:
        return None
    at = keys.index(invoice_id)
    return Page({key: [values[at]] for key, values in page.values.items()}, 1, None)
