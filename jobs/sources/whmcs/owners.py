"""Everything of some clients, for hinted readings: a call per client and list, side by side (whmcs-api 7).

A client that cannot be read now is left out, and so is what is known of it; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobs.sources.columns import loose_integer
from jobs.sources.errors import ProtocolError
from jobs.sources.known import KnownRows
from jobs.sources.spool import SpooledRows, closed_on_failure
from jobs.sources.whmcs.answers import NoSuchRecord, UnreadablePage
from jobs.sources.whmcs.balances import Balances
from jobs.sources.whmcs.details import Details
from jobs.sources.whmcs.installation import Installation
from jobs.sources.whmcs.pages import Page
from jobs.sources.whmcs.pay_methods import PayMethods
from jobs.sources.whmcs.reading import Part, Reading
from jobs.sources.whmcs.rows import WhmcsStream
from jobs.sources.whmcs.sweep import sweep
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot.pulls import Pulled

FILTER = {"invoice": ("userid", "userid"), "service": ("clientid", "clientid")}
"""By stream: the parameter that asks for one client's rows, and the key of a row that names its client."""


class Owners:
    """Reads what some clients own: lists by their filter, all else by the readers it is given."""

    def __init__(
        self, installation: Installation, details: Details, balances: Balances, pay_methods: PayMethods
    ) -> None:
        self._installation = installation
        self._details = details
        self._balances = balances
        self._pay_methods = pay_methods

    def pull(self, wanted_stream: WhmcsStream, clients: Sequence[int], known: KnownRows) -> Pulled:
        """Everything of the clients in the stream. `owners` of the pull are those read whole. Raises SourceError."""
        reading = self._installation.started(wanted_stream)
        started = self._installation.transport.server_time
        with closed_on_failure(reading):
            read = self._read(reading, clients, known)
            pulled = self._installation.pulled(reading, "partial" if read is None else "owners", started)
            whose = clients if wanted_stream.stream.name == "balance" else read or ()
            return replace(pulled, owners=tuple(whose), is_hinted=True)

    def _read(self, reading: Reading, clients: Sequence[int], known: KnownRows) -> list[int] | None:
        """The clients read whole; None for a stream that names no clients."""
        transport, size = self._installation.transport, self._installation.page_size
        match reading.wanted_stream.stream.name:
            case "cancellation":
                for page in _newest_requests(transport, reading.wanted_stream, size):
                    reading.take(Part(0, page.values, page.received, page.total))
                return None
            case "balance":
                self._balances.take(reading, list(known.references), known)
                return None
            case "pay_method":
                return self._pay_methods.take(reading, clients)
            case "client":
                return self._details.take(reading, clients)
            case _:
                return _read_lists(transport, reading, clients, size)


def _read_lists(transport: WhmcsTransport, reading: Reading, clients: Sequence[int], page_size: int) -> list[int]:
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


def _newest_requests(transport: WhmcsTransport, wanted_stream: WhmcsStream, page_size: int) -> Iterator[Page]:
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
