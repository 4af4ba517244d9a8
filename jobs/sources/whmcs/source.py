"""Pulls of WHMCS streams: full sweeps, hints between them, pay methods on a rota (whmcs-api 4, 7, 8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from config.fields import FieldMapping
from config.schedule import Schedule
from config.settings import Settings
from jobs.progress import Progress, silent
from jobs.sources.columns import loose_integer
from jobs.sources.errors import ProtocolError, TransientError
from jobs.sources.known import NOTHING, Known
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.answers import NoSuchRecord, UnreadablePage, listed
from jobs.sources.whmcs.confirm import confirmer
from jobs.sources.whmcs.details import reference_of
from jobs.sources.whmcs.pages import Page
from jobs.sources.whmcs.rota import is_turn, whose_turn
from jobs.sources.whmcs.rows import Recorded, recordings
from jobs.sources.whmcs.sweep import Gathered, Stretch, newest, read_whole, sweep
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot.pulls import Pulled, RefusedRecord, StreamState

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
    transport = transport or WhmcsTransport(settings, schedule)
    source = WhmcsSource(transport, settings, mapping, schedule, progress or silent())
    source.check("GetClients")
    return source


class WhmcsSource:
    """A WHMCS installation. `pull` reads one stream; pull `client` before `pay_method`, whose rota learns from it."""

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
        self._recordings = recordings(settings.whmcs_zone)
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
        known: Known = NOTHING,
        now: datetime | None = None,
    ) -> Pulled:
        """Reads one stream: all of it, or hints of what changed, or some clients' pay methods.

        Everything is read at the baseline, when asked, when the last sweep is too old, and when the stream is small.
        `now` is compared with `state`; without it the server's clock is. Raises SourceError.
        """
        moment = now or self.transport.server_time or datetime.now(UTC)
        if stream_name == "pay_method":
            return self._pay_methods(state, full, known, moment)
        recorded = self._recordings[stream_name]
        if full or self._is_sweep_due(state, moment) or self._is_small(recorded, known):
            return self._sweep(recorded, state, known, moment, again=not self._is_large(known))
        return self._hints(recorded, state, known, moment)

    def _is_sweep_due(self, state: StreamState | None, now: datetime) -> bool:
        if state is None or state.full_at is None:
            return True
        return now - state.full_at >= timedelta(minutes=self._schedule.whmcs.sweep_every_minutes)

    def _is_small(self, recorded: Recorded, known: Known) -> bool:
        """Whether the list is short, or has shrunk: then a sweep is the cheaper or the only honest answer."""
        try:
            total = self.transport.page(recorded.action, 0, 1).total
        except UnreadablePage:
            return True
        return total is None or total <= self._schedule.whmcs.sweep_always_below_rows or total < known.rows

    def _is_large(self, known: Known) -> bool:
        return known.rows > self._schedule.whmcs.sweep_always_below_rows

    # Sweeps --------------------------------------------------------------------------------------------------------

    def _sweep(
        self, recorded: Recorded, state: StreamState | None, known: Known, now: datetime, *, again: bool
    ) -> Pulled:
        started, size = self.transport.server_time, self._schedule.whmcs.page_size
        gathered = self._gathered(recorded)
        try:
            why = read_whole(self.transport, gathered, size)
            if why is not None and again:
                gathered.spool.close()
                gathered = self._gathered(recorded)
                why = read_whole(self.transport, gathered, size)
            return self._swept(gathered, why, started, state, known, now)
        except BaseException:
            gathered.spool.close()
            raise

    def _swept(
        self,
        gathered: Gathered,
        why: str | None,
        started: datetime | None,
        state: StreamState | None,
        known: Known,
        now: datetime,
    ) -> Pulled:
        name = gathered.recorded.stream.name
        if name == "client":
            gathered.spool = self._with_references(gathered, state, known, now)
        return self._pulled(gathered, "full", why, started)

    def _pulled(self, gathered: Gathered, extent: Any, why: str | None, started: datetime | None) -> Pulled:
        gathered.parse()
        gathered.task.finish()
        recorded = gathered.recorded
        return Pulled(
            stream=recorded.stream,
            spool=gathered.spool,
            extent=extent,
            is_complete=why is None,
            why_incomplete=why,
            refused=gathered.all_refused(),
            fields=tuple(column.key for column in recorded.columns),
            source_time=started or self.transport.server_time,
            confirm_gone=confirmer(self.transport, recorded, self._schedule),
        )

    def _gathered(self, recorded: Recorded) -> Gathered:
        task = self._progress.start(f"WHMCS {recorded.action.name}")
        return Gathered(recorded, SpooledRows(recorded.stream), task)

    # Hints ---------------------------------------------------------------------------------------------------------

    def _hints(self, recorded: Recorded, state: StreamState | None, known: Known, now: datetime) -> Pulled:
        started = self.transport.server_time
        gathered = self._gathered(recorded)
        try:
            pages = self._newest(recorded, known) if recorded.is_ordered else self._tail(recorded, known)
            for page in pages:
                gathered.take(Stretch(0, page.values, page.received, page.total))
            if recorded.stream.name == "invoice" and not self._follow_unpaid(gathered, known):
                gathered.spool.close()
                return self._sweep(recorded, state, known, now, again=False)
            gathered.parse()
            if recorded.stream.name == "client":
                gathered.spool = self._with_references(gathered, state, known, now)
            return self._pulled(gathered, "partial", None, started)
        except BaseException:
            gathered.spool.close()
            raise

    def _newest(self, recorded: Recorded, known: Known) -> Iterator[Page]:
        return newest(self.transport, recorded, self._schedule.whmcs.page_size, known.highest_id)

    def _tail(self, recorded: Recorded, known: Known) -> Iterator[Page]:
        """The list's end, where an unsorted list most likely grows."""
        size = self._schedule.whmcs.page_size
        offset = max(0, known.rows - size)
        while True:
            try:
                page = self.transport.page(recorded.action, offset, size)
            except UnreadablePage:
                return
            yield page
            offset += page.received
            if page.received == 0 or offset >= (page.total or 0):
                return

    def _follow_unpaid(self, gathered: Gathered, known: Known) -> bool:
        """Reads the unpaid invoices and looks up those that left that list. False when a sweep would cost less."""
        unpaid = Gathered(gathered.recorded, SpooledRows(gathered.recorded.stream), gathered.task)
        with unpaid.spool:
            sweep(self.transport, unpaid, self._schedule.whmcs.page_size, status="Unpaid")
            unpaid.parse()
            listed_now: set[int] = set()
            for part in unpaid.spool.windows(self._schedule.limits.window_rows):
                gathered.add(part)
                listed_now.update(part["invoice_id"].to_pylist())
        left = sorted(known.unpaid - listed_now)
        if 2 * len(left) > known.rows / self._schedule.whmcs.page_size + 100:
            return False
        for _, page in self.transport.in_parallel(self._invoice, left):
            if page is not None:
                gathered.take(Stretch(0, page.values, page.received, page.total))
        return True

    def _invoice(self, invoice_id: int) -> Page | None:
        """The invoice as its client's list shows it (GetInvoice names no currency); None when it is not found."""
        recorded = self._recordings["invoice"]
        try:
            client = loose_integer(self.transport.call("GetInvoice", invoiceid=invoice_id).get("userid"))
            newest_first = dict(recorded.newest_first)
            size = self._schedule.whmcs.page_size
            page = self.transport.page(recorded.action, 0, size, userid=client, **newest_first)
        except (NoSuchRecord, UnreadablePage):
            return None
        keys = [loose_integer(value) for value in page.values["id"]]
        if invoice_id not in keys:
            return None
        at = keys.index(invoice_id)
        return Page({key: [values[at]] for key, values in page.values.items()}, 1, None)

    # Clients -------------------------------------------------------------------------------------------------------

    def _with_references(
        self, gathered: Gathered, state: StreamState | None, known: Known, now: datetime
    ) -> SpooledRows:
        """The clients, remembered for the rota; with what their custom field holds when the link stands there."""
        gathered.parse()
        link = self._mapping.link
        filled = SpooledRows(gathered.recorded.stream)
        for part in gathered.spool.windows(10_000):
            keys = part["client_id"].to_pylist()
            self._clients.update(keys)
            if link.held_by == "client":
                references = self._references(gathered, keys, state, known, now)
                column = pa.array([references.get(key) for key in keys], pa.string())
                part = part.set_column(part.schema.get_field_index("account_reference"), "account_reference", column)
            filled.add(part)
        gathered.spool.close()
        return filled

    def _references(
        self, gathered: Gathered, keys: list[int], state: StreamState | None, known: Known, now: datetime
    ) -> dict[int, str | None]:
        period = timedelta(hours=self._schedule.whmcs.pay_methods_every_hours)
        since = state.synced_at if state else None
        references = {key: known.references.get(key) for key in keys}
        due = [key for key in keys if key not in known.references or is_turn(key, since, now, period)]
        for key, answer in self.transport.in_parallel(self._details, due):
            if isinstance(answer, RefusedRecord):
                gathered.refused[answer.record_id] = answer
            elif answer is not None:
                references[key] = reference_of(answer, self._mapping.link)
        return references

    def _details(self, client_id: int) -> dict[str, Any] | RefusedRecord | None:
        return self._of_client("GetClientsDetails", client_id, "customfields")

    def _of_client(self, action: str, client_id: int, part: str) -> dict[str, Any] | RefusedRecord | None:
        """The client's answer; None for no such client. One client's failure is no other's, unless many fail."""
        try:
            return self.transport.call(action, clientid=client_id)
        except NoSuchRecord:
            return None
        except (UnreadablePage, ProtocolError):
            return RefusedRecord(f"client {client_id}", part, f"{action} of this client cannot be read")
        except TransientError:
            self._failing += 1
            if self._failing >= FAILING_CLIENTS:
                raise
            return RefusedRecord(f"client {client_id}", part, f"{action} of this client fails again and again")

    # Pay methods ---------------------------------------------------------------------------------------------------

    def _pay_methods(self, state: StreamState | None, full: bool, known: Known, now: datetime) -> Pulled:
        listed_clients = {client for client, _ in known.rota}
        new = [] if len(known.rota) < known.clients else sorted(self._clients - listed_clients)
        rota = [(client, None) for client in new] + list(known.rota)
        since = state.synced_at if state and not full else None
        period = timedelta(hours=self._schedule.whmcs.pay_methods_every_hours)
        turn = whose_turn(rota, known.clients, since, now, period)
        gathered = self._gathered(self._recordings["pay_method"])
        gathered.task.expect(len(turn))
        started = self.transport.server_time
        read: list[int] = []
        try:
            for client, values in self.transport.in_parallel(self._pay_methods_of, turn):
                if isinstance(values, RefusedRecord):
                    gathered.refused[values.record_id] = values
                    continue
                read.append(client)
                gathered.take(Stretch(0, values, len(values["id"]), None))
            return self._read_clients(gathered, read, started)
        except BaseException:
            gathered.spool.close()
            raise

    def _read_clients(self, gathered: Gathered, read: list[int], started: datetime | None) -> Pulled:
        pulled = self._pulled(gathered, "clients", None, started)
        return Pulled(**{**vars(pulled), "clients": tuple(read)})

    def _pay_methods_of(self, client_id: int) -> dict[str, list[Any]] | RefusedRecord:
        recorded = self._recordings["pay_method"]
        answer = self._of_client("GetPayMethods", client_id, "paymethods")
        if isinstance(answer, RefusedRecord):
            return answer
        if answer is None:
            answer = {"paymethods": []}
        echoed = loose_integer(answer.get("clientid"))
        rows = listed(answer, "paymethods", "paymethod")
        if rows is None or echoed not in (None, client_id):
            return RefusedRecord(
                f"client {client_id}", "paymethods", "the answer does not hold the client's pay methods"
            )
        return {key: [row.get(key) for row in rows] for key in recorded.action.keys} | {
            "clientid": [client_id] * len(rows)
        }
