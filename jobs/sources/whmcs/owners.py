"""Everything of some clients, for hinted readings: a call per client and list, side by side (whmcs-api 7).

A client that cannot be read now is left out, and so is what is known of it; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from jobs.sources.columns import loose_integer
from jobs.sources.errors import ProtocolError
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.answers import NoSuchRecord, UnreadablePage
from jobs.sources.whmcs.pages import Page
from jobs.sources.whmcs.rows import WhmcsStream
from jobs.sources.whmcs.sweep import Part, Reading, sweep
from jobs.sources.whmcs.transport import WhmcsTransport

FILTER = {"invoice": ("userid", "userid"), "service": ("clientid", "clientid")}
"""By stream: the parameter that asks for one client's rows, and the key of a row that names its client."""
Details = Callable[[int], dict[str, Any] | None]
"""The answer of GetClientsDetails; None for no such client. Raises SourceError."""


def read_lists(transport: WhmcsTransport, reading: Reading, clients: Sequence[int], page_size: int) -> list[int]:
    """Reads the stream's rows of each client into `reading`; the clients of whom it has all.

    Raises ProtocolError when the installation ignores the filter: then rows of others came (Q27).
    """
    parameter, _ = FILTER[reading.wanted_stream.stream.name]

    def first_page(client: int) -> Page | None:
        try:
            return transport.page(reading.wanted_stream.action, 0, page_size, **{parameter: client})
        except NoSuchRecord:
            return Page({key: [] for key in reading.wanted_stream.action.keys}, 0, 0)
        except UnreadablePage:
            return None

    read = []
    for client, page in transport.in_parallel(first_page, clients):
        if page is not None and page.received >= (page.total or 0):
            _require_own(reading.wanted_stream, client, page)
            reading.take(Part(0, page.values, page.received, page.total))
            read.append(client)
        elif _read_many(transport, reading, client, page_size):
            read.append(client)
    return read


def read_details(
    transport: WhmcsTransport, reading: Reading, clients: Sequence[int], details: Details
) -> dict[int, dict[str, Any]]:
    """Reads the clients themselves into `reading`; the answer about each one that there is."""
    answers: dict[int, dict[str, Any]] = {}
    for client, answer in transport.in_parallel(details, clients):
        if answer is None:
            continue
        described = answer.get("client")
        source = described if isinstance(described, dict) else answer
        if loose_integer(source.get("id")) not in (None, client):
            raise ProtocolError(f"WHMCS: GetClientsDetails: asked for client {client}, the answer is of another")
        answers[client] = answer
        row = {key: [source.get(key)] for key in reading.wanted_stream.action.keys} | {"id": [client]}
        reading.take(Part(0, row, 1, None))
    return answers


def newest_requests(transport: WhmcsTransport, wanted_stream: WhmcsStream, page_size: int) -> Iterator[Page]:
    """Cancellation requests at both ends of their list, which keeps no order: the new ones stand at one of them."""
    try:
        head = transport.page(wanted_stream.action, 0, page_size)
        yield head
        if (total := head.total or 0) > page_size:
            yield transport.page(wanted_stream.action, max(page_size, total - page_size), page_size)
    except UnreadablePage:
        return  # the next sweep bisects it


def _read_many(transport: WhmcsTransport, reading: Reading, client: int, page_size: int) -> bool:
    """Reads a list of several pages, or one with a row that cannot be encoded; whether all of it came."""
    parameter, _ = FILTER[reading.wanted_stream.stream.name]
    own = Reading(reading.wanted_stream, SpooledRows(reading.wanted_stream.stream), reading.bar)
    with own.spool:
        verdict = sweep(transport, own, page_size, **{parameter: client})
        own.parse()
        for part in own.spool.windows(page_size):
            owners = set(part["client_id"].to_pylist())
            if owners - {client}:
                raise _ignored(reading.wanted_stream)
            reading.add(part)
        reading.set_aside |= own.set_aside
    return verdict.why is None and not own.unreadable


def _require_own(wanted_stream: WhmcsStream, client: int, page: Page) -> None:
    _, key = FILTER[wanted_stream.stream.name]
    if any(loose_integer(owner) not in (None, client) for owner in page.values[key]):
        raise _ignored(wanted_stream)


def _ignored(wanted_stream: WhmcsStream) -> ProtocolError:
    return ProtocolError(
        f"WHMCS: {wanted_stream.action.name}: asked for one client, it answered with others; "
        "see what stands before WHMCS and drops parameters"
    )
