"""Pulls of WHMCS streams: full sweeps, hints between them, pay methods on a readings (whmcs-api 4, 7, 8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from config.fields import FieldMapping
from config.schedule import Schedule
from config.settings import Settings
from jobs.progress import Progress, silent
from jobs.sources.columns import loose_integer
from jobs.sources.errors import ProtocolError, TransientError
from jobs.sources.known import NOTHING, KnownRows
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs import owners
from jobs.sources.whmcs.answers import NoSuchRecord, UnreadablePage, listed
from jobs.sources.whmcs.confirm import confirmer
from jobs.sources.whmcs.details import reference_of
from jobs.sources.whmcs.pages import Page
from jobs.sources.whmcs.round_robin import due_clients, is_turn, until_late
from jobs.sources.whmcs.rows import WhmcsStream, whmcs_streams
from jobs.sources.whmcs.sweep import Part, Reading, newest, read_whole, sweep
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot.pulls import Pulled, SetAsideRecord, StreamState

MOST_BALANCES = 5000
"""So many invoices are asked for in one pull; those that remain come first in the next."""
FAILING_CLIENTS = 3
"""So many clients may fail one by one before the source is taken to be down."""


def connect(
    settings: Settings,
    mapping: FieldMapping,
    schedule: Schedule,
    progress: Progress | None = None,
    transport: WhmcsTransport | None = None,
) -> WhmcsSource:
    """Checks the address and the credentials by asking for one client. Raises SourceError."""
    source = unchecked(settings, mapping, schedule, transport or WhmcsTransport(settings, schedule), progress)
    source.check("GetClients")
    return source


def unchecked(
    settings: Settings,
    mapping: FieldMapping,
    schedule: Schedule,
    transport: WhmcsTransport,
    progress: Progress | None = None,
) -> WhmcsSource:
    """A source whose first call shows whether it can be reached."""
    return WhmcsSource(transport, settings, mapping, schedule, progress or silent())


class WhmcsSource:
    """A WHMCS installation. `pull` reads one stream; pull `client` before `pay_method`, which learns from it."""

    def __init__(
        self,
        transport: WhmcsTransport,
        settings: Settings,
        mapping: FieldMapping,
        schedule: Schedule,
        progress: Progress,
    ) -> None:
        self.transport = transport
        self._mapping = mapping
        self._schedule = schedule
        self._progress = progress
        self._streams = whmcs_streams(settings.whmcs_zone)
        self._clients: set[int] = set()
        self._failing = 0

    def close(self) -> None:
        """Ends the connections."""
        self.transport.close()

    def check(self, action: str, **parameters: Any) -> None:
        """Calls an action for one row. Raises SourceError: refused, not allowed, unreachable."""
        try:
            self.transport.call(action, limitnum=1, **parameters)
        except (NoSuchRecord, UnreadablePage):
            return

    def pull(
        self,
        stream_name: str,
        state: StreamState | None,
        *,
        full: bool = False,
        known: KnownRows = NOTHING,
        now: datetime | None = None,
    ) -> Pulled:
        """Reads one stream: all of it, or hints of what changed, or some clients' pay methods.

        Everything is read at the baseline, when asked, when the last sweep is too old, and when the stream is small.
        `now` is compared with `state`; without it the server's clock is. Raises SourceError.
        """
        moment = now or self.transport.server_time or datetime.now(UTC)
        if stream_name == "pay_method":
            return self._pay_methods(state, full, known, moment)
        if stream_name == "balance":
            return self._balances(state, full, known, moment)
        wanted_stream = self._streams[stream_name]
        if full or self._is_sweep_due(state, moment) or self._is_small(wanted_stream, known):
            return self._sweep(wanted_stream, state, known, moment, again=not self._is_large(known))
        return self._hints(wanted_stream, state, known, moment)

    def _is_sweep_due(self, state: StreamState | None, now: datetime) -> bool:
        if state is None or state.full_at is None:
            return True
        return now - state.full_at >= timedelta(minutes=self._schedule.whmcs.sweep_every_minutes)

    def _is_small(self, wanted_stream: WhmcsStream, known: KnownRows) -> bool:
        """Whether the list is short, or has shrunk: then a sweep is the cheaper or the only honest answer."""
        try:
            total = self.transport.page(wanted_stream.action, 0, 1).total
        except UnreadablePage:
            return True
        return total is None or total <= self._schedule.whmcs.sweep_always_below_rows or total < known.rows

    def _is_large(self, known: KnownRows) -> bool:
        return known.rows > self._schedule.whmcs.sweep_always_below_rows

    # Sweeps --------------------------------------------------------------------------------------------------------

    def _sweep(
        self, wanted_stream: WhmcsStream, state: StreamState | None, known: KnownRows, now: datetime, *, again: bool
    ) -> Pulled:
        started, size = self.transport.server_time, self._schedule.whmcs.page_size
        reading = self._reading(wanted_stream)
        try:
            why = read_whole(self.transport, reading, size)
            if why is not None and again:
                reading.spool.close()
                reading = self._reading(wanted_stream)
                why = read_whole(self.transport, reading, size)
            return self._swept(reading, why, started, state, known, now)
        except BaseException:
            reading.spool.close()
            raise

    def _swept(
        self,
        reading: Reading,
        why: str | None,
        started: datetime | None,
        state: StreamState | None,
        known: KnownRows,
        now: datetime,
    ) -> Pulled:
        name = reading.wanted_stream.stream.name
        if name == "client":
            reading.spool = self._with_references(reading, state, known, now)
        pulled = self._pulled(reading, "full", why, started)
        return replace(pulled, suspects=known.unpaid) if name == "invoice" else pulled

    def _pulled(self, reading: Reading, extent: Any, why: str | None, started: datetime | None) -> Pulled:
        reading.parse()
        reading.bar.finish()
        wanted_stream = reading.wanted_stream
        return Pulled(
            stream=wanted_stream.stream,
            spool=reading.spool,
            extent=extent,
            is_complete=why is None,
            why_incomplete=why,
            set_aside=reading.all_refused(),
            unreadable=tuple(reading.nulled),
            fields=tuple(column.key for column in wanted_stream.columns),
            source_time=started or self.transport.server_time,
            confirm_gone=confirmer(self.transport, wanted_stream, self._schedule),
        )

    def _reading(self, wanted_stream: WhmcsStream) -> Reading:
        bar = self._progress.start(f"WHMCS {wanted_stream.action.name}")
        return Reading(wanted_stream, SpooledRows(wanted_stream.stream), bar)

    # Hints ---------------------------------------------------------------------------------------------------------

    def _hints(self, wanted_stream: WhmcsStream, state: StreamState | None, known: KnownRows, now: datetime) -> Pulled:
        started = self.transport.server_time
        reading = self._reading(wanted_stream)
        try:
            pages = self._newest(wanted_stream, known) if wanted_stream.is_ordered else self._tail(wanted_stream, known)
            for page in pages:
                reading.take(Part(0, page.values, page.received, page.total))
            if wanted_stream.stream.name == "invoice" and not self._follow_unpaid(reading, known):
                reading.spool.close()
                return self._sweep(wanted_stream, state, known, now, again=False)
            reading.parse()
            if wanted_stream.stream.name == "client":
                reading.spool = self._with_references(reading, state, known, now)
            return self._pulled(reading, "partial", None, started)
        except BaseException:
            reading.spool.close()
            raise

    def _newest(self, wanted_stream: WhmcsStream, known: KnownRows) -> Iterator[Page]:
        return newest(self.transport, wanted_stream, self._schedule.whmcs.page_size, known.highest_id)

    def _tail(self, wanted_stream: WhmcsStream, known: KnownRows) -> Iterator[Page]:
        """The list's end, where an unsorted list most likely grows."""
        size = self._schedule.whmcs.page_size
        offset = max(0, known.rows - size)
        while True:
            try:
                page = self.transport.page(wanted_stream.action, offset, size)
            except UnreadablePage:
                return
            yield page
            offset += page.received
            if page.received == 0 or offset >= (page.total or 0):
                return

    def _follow_unpaid(self, reading: Reading, known: KnownRows) -> bool:
        """Reads the unpaid invoices and looks up those that left that list. False when a sweep would cost less."""
        unpaid = Reading(reading.wanted_stream, SpooledRows(reading.wanted_stream.stream), reading.bar)
        with unpaid.spool:
            sweep(self.transport, unpaid, self._schedule.whmcs.page_size, status="Unpaid")
            unpaid.parse()
            listed_now: set[int] = set()
            for part in unpaid.spool.windows(self._schedule.limits.window_rows):
                reading.add(part)
                listed_now.update(part["invoice_id"].to_pylist())
        left = sorted(known.unpaid - listed_now)
        if 2 * len(left) > known.rows / self._schedule.whmcs.page_size + 100:
            return False
        for _, page in self.transport.in_parallel(self._invoice, left):
            if page is not None:
                reading.take(Part(0, page.values, page.received, page.total))
        return True

    def _invoice(self, invoice_id: int) -> Page | None:
        """The invoice as its client's list shows it (GetInvoice names no currency); None when it is not found."""
        wanted_stream = self._streams["invoice"]
        try:
            client = loose_integer(self.transport.call("GetInvoice", invoiceid=invoice_id).get("userid"))
            newest_first = dict(wanted_stream.newest_first)
            size = self._schedule.whmcs.page_size
            page = self.transport.page(wanted_stream.action, 0, size, userid=client, **newest_first)
        except (NoSuchRecord, UnreadablePage):
            return None
        keys = [loose_integer(value) for value in page.values["id"]]
        if invoice_id not in keys:
            return None
        at = keys.index(invoice_id)
        return Page({key: [values[at]] for key, values in page.values.items()}, 1, None)

    # Clients -------------------------------------------------------------------------------------------------------

    def _with_references(
        self, reading: Reading, state: StreamState | None, known: KnownRows, now: datetime
    ) -> SpooledRows:
        """The clients, remembered for the round robin; with their custom field when it holds the link."""
        reading.parse()
        link = self._mapping.link
        filled = SpooledRows(reading.wanted_stream.stream)
        for part in reading.spool.windows(10_000):
            keys = part["client_id"].to_pylist()
            self._clients.update(keys)
            if link.held_by == "client":
                part = _referring(part, self._references(reading, keys, state, known, now))
            filled.add(part)
        reading.spool.close()
        return filled

    def _references(
        self, reading: Reading, keys: list[int], state: StreamState | None, known: KnownRows, now: datetime
    ) -> dict[int, str | None]:
        period = timedelta(hours=self._schedule.whmcs.pay_methods_every_hours)
        since = state.synced_at if state else None
        references = {key: known.references.get(key) for key in keys}
        due = [key for key in keys if key not in known.references or is_turn(key, since, now, period)]
        for key, answer in self.transport.in_parallel(self._details, due):
            if isinstance(answer, SetAsideRecord):
                reading.set_aside[answer.record_id] = answer
            elif answer is not None:
                references[key] = reference_of(answer, self._mapping.link)
        return references

    def _details(self, client_id: int) -> dict[str, Any] | SetAsideRecord | None:
        return self._of_client("GetClientsDetails", client_id, "customfields")

    def _of_client(self, action: str, client_id: int, part: str) -> dict[str, Any] | SetAsideRecord | None:
        """The client's answer; None for no such client. One client's failure is no other's, unless many fail."""
        try:
            return self.transport.call(action, clientid=client_id)
        except NoSuchRecord:
            return None
        except (UnreadablePage, ProtocolError):
            return SetAsideRecord(
                f"client {client_id}", part, f"{action} of this client cannot be read", str(client_id)
            )
        except TransientError:
            self._failing += 1
            if self._failing >= FAILING_CLIENTS:
                raise
            return SetAsideRecord(
                f"client {client_id}", part, f"{action} of this client fails again and again", str(client_id)
            )

    # Balances ------------------------------------------------------------------------------------------------------

    def _balances(self, state: StreamState | None, full: bool, known: KnownRows, now: datetime) -> Pulled:
        """What is still to pay of unpaid invoices: of new and changed ones, and of the others in a round robin."""
        since = state.synced_at if state and not full else None
        period = timedelta(hours=self._schedule.whmcs.balances_every_hours)
        turn = due_clients(known.readings, len(known.readings), since, now, period)
        reading = self._reading(self._streams["balance"])
        reading.bar.expect(len(turn))
        started = self.transport.server_time
        try:
            self._take_balances(reading, turn[:MOST_BALANCES], known)
            pulled = self._pulled(reading, "partial", None, started)
            return replace(pulled, set_aside=tuple(_owned(record, known.references) for record in pulled.set_aside))
        except BaseException:
            reading.spool.close()
            raise

    def _take_balances(self, reading: Reading, invoices: Sequence[int], known: KnownRows) -> None:
        for invoice_id, answer in self.transport.in_parallel(self._balance_of, invoices):
            if isinstance(answer, str):
                owner = known.references.get(invoice_id)
                record = SetAsideRecord(str(invoice_id), "GetInvoice", answer, owner)
                reading.set_aside[record.record_id] = record
            elif answer is not None:
                values = {key: [answer.get(key)] for key in reading.wanted_stream.action.keys}
                reading.take(Part(0, values | {"invoiceid": [invoice_id]}, 1, None))

    def _balance_of(self, invoice_id: int) -> dict[str, Any] | str | None:
        """GetInvoice's answer; why it cannot be read; None when there is no such invoice, or no answer this time."""
        try:
            answer = self.transport.call("GetInvoice", invoiceid=invoice_id)
        except NoSuchRecord:
            return None
        except (UnreadablePage, ProtocolError):
            return "the answer about this invoice cannot be read"
        except TransientError:
            self._failing += 1
            if self._failing >= FAILING_CLIENTS:
                raise
            return None
        echoed = loose_integer(answer.get("invoiceid"))
        return answer if echoed in (None, invoice_id) else "the answer is about another invoice"

    # Some clients --------------------------------------------------------------------------------------------------

    def pull_owners(self, stream_name: str, clients: Sequence[int], known: KnownRows = NOTHING) -> Pulled:
        """Reads everything of the clients, for hinted readings; of cancellations, which name none, the newest.

        Balances are those of the invoices in `known.references`. `owners` of the pull are the clients read whole.
        Raises SourceError: nothing of it may then be applied.
        """
        wanted_stream = self._streams[stream_name]
        reading, started = self._reading(wanted_stream), self.transport.server_time
        try:
            read = self._read_owners(reading, clients, known)
            pulled = self._pulled(reading, "partial" if read is None else "owners", None, started)
            whose = clients if stream_name == "balance" else read or ()
            return replace(pulled, owners=tuple(whose), is_hinted=True)
        except BaseException:
            reading.spool.close()
            raise

    def _read_owners(self, reading: Reading, clients: Sequence[int], known: KnownRows) -> list[int] | None:
        """The clients read whole; None for a stream that names no clients."""
        size = self._schedule.whmcs.page_size
        name = reading.wanted_stream.stream.name
        if name == "cancellation":
            for page in owners.newest_requests(self.transport, reading.wanted_stream, size):
                reading.take(Part(0, page.values, page.received, page.total))
            return None
        if name == "balance":
            self._take_balances(reading, list(known.references), known)
            return None
        if name == "pay_method":
            return self._take_pay_methods(reading, clients)
        if name != "client":
            return owners.read_lists(self.transport, reading, clients, size)
        return self._take_details(reading, clients)

    def _take_details(self, reading: Reading, clients: Sequence[int]) -> list[int]:
        """A client of whom WHMCS says that there is none is read whole, too."""
        failed: set[int] = set()

        def details(client: int) -> dict[str, Any] | None:
            answer = self._details(client)
            if isinstance(answer, SetAsideRecord):
                failed.add(client)
                return None
            return answer

        answers = owners.read_details(self.transport, reading, clients, details)
        reading.parse()
        if self._mapping.link.held_by == "client":
            references = {client: reference_of(answer, self._mapping.link) for client, answer in answers.items()}
            filled = SpooledRows(reading.wanted_stream.stream)
            for part in reading.spool.windows(10_000):
                filled.add(_referring(part, references))
            reading.spool.close()
            reading.spool = filled
        return [client for client in clients if client not in failed]

    # Pay methods ---------------------------------------------------------------------------------------------------

    def _pay_methods(self, state: StreamState | None, full: bool, known: KnownRows, now: datetime) -> Pulled:
        listed_clients = {client for client, _ in known.readings}
        new = [] if len(known.readings) < known.clients else sorted(self._clients - listed_clients)
        readings = [(client, None) for client in new] + list(known.readings)
        since = state.synced_at if state and not full else None
        period = timedelta(hours=self._schedule.whmcs.pay_methods_every_hours)
        turn = due_clients(readings, known.clients, since, now, period)
        reading = self._reading(self._streams["pay_method"])
        reading.bar.expect(len(turn))
        started = self.transport.server_time
        try:
            in_time = turn if full else until_late(turn, timedelta(minutes=self._schedule.whmcs.pay_methods_minutes))
            return self._read_clients(reading, self._take_pay_methods(reading, in_time), started)
        except BaseException:
            reading.spool.close()
            raise

    def _take_pay_methods(self, reading: Reading, clients: Iterable[int]) -> list[int]:
        """The clients whose pay methods were read; what cannot be read is set aside."""
        read: list[int] = []
        for client, values in self.transport.in_parallel(self._pay_methods_of, clients):
            if isinstance(values, SetAsideRecord):
                reading.set_aside[values.record_id] = values
                continue
            read.append(client)
            reading.take(Part(0, values, len(values["id"]), None))
        return read

    def _read_clients(self, reading: Reading, read: list[int], started: datetime | None) -> Pulled:
        return replace(self._pulled(reading, "owners", None, started), owners=tuple(read))

    def _pay_methods_of(self, client_id: int) -> dict[str, list[Any]] | SetAsideRecord:
        wanted_stream = self._streams["pay_method"]
        answer = self._of_client("GetPayMethods", client_id, "paymethods")
        if isinstance(answer, SetAsideRecord):
            return answer
        if answer is None:
            answer = {"paymethods": []}
        echoed = loose_integer(answer.get("clientid"))
        rows = listed(answer, "paymethods", "paymethod")
        if rows is None or echoed not in (None, client_id):
            return SetAsideRecord(
                f"client {client_id}",
                "paymethods",
                "the answer does not hold the client's pay methods",
                str(client_id),
            )
        return {key: [row.get(key) for row in rows] for key in wanted_stream.action.keys} | {
            "clientid": [client_id] * len(rows)
        }


def _owned(record: SetAsideRecord, clients: Mapping[int, str | None]) -> SetAsideRecord:
    """The record with the client that the snapshot knows of its invoice, where the answer does not name one."""
    return replace(record, owner=record.owner or clients.get(loose_integer(record.record_id) or 0))


def _referring(clients: pa.Table, references: Mapping[int, str | None]) -> pa.Table:
    """The clients with what their custom field says of their account."""
    column = pa.array([references.get(key) for key in clients["client_id"].to_pylist()], pa.string())
    return clients.set_column(clients.schema.get_field_index("account_reference"), "account_reference", column)
