"""What is still to pay of unpaid invoices, asked one by one: no list shows it (whmcs-api 7.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from jobs.sources.columns import loose_integer
from jobs.sources.errors import ProtocolError, TransientError
from jobs.sources.known import KnownRows
from jobs.sources.spool import closed_on_failure
from jobs.sources.whmcs.answers import NoSuchRecord, UnreadablePage
from jobs.sources.whmcs.installation import Installation
from jobs.sources.whmcs.one_by_one import OneByOne
from jobs.sources.whmcs.reading import Part, Reading
from jobs.sources.whmcs.round_robin import due_clients
from jobs.sources.whmcs.rows import WhmcsStream
from materializer.snapshot.pulls import Pulled, SetAsideRecord, StreamState

MOST_BALANCES = 5000
"""So many invoices are asked for in one pull; those that remain come first in the next."""


class Balances:
    """Reads balances of an installation."""

    def __init__(self, installation: Installation, wanted_stream: WhmcsStream, one_by_one: OneByOne) -> None:
        self._installation = installation
        self._wanted_stream = wanted_stream
        self._one_by_one = one_by_one

    def pull(self, state: StreamState | None, full: bool, known: KnownRows, now: datetime) -> Pulled:
        """Reads those of new and changed invoices, and of the others in a round robin. Raises SourceError."""
        since = state.synced_at if state and not full else None
        period = timedelta(hours=self._installation.schedule.whmcs.balances_every_hours)
        turn = due_clients(known.readings, len(known.readings), since, now, period)
        reading = self._installation.started(self._wanted_stream)
        reading.bar.expect(len(turn))
        started = self._installation.transport.server_time
        with closed_on_failure(reading):
            self.take(reading, turn[:MOST_BALANCES], known)
            pulled = self._installation.pulled(reading, "partial", started)
            return replace(pulled, set_aside=tuple(_owned(record, known.references) for record in pulled.set_aside))

    def take(self, reading: Reading, invoices: Sequence[int], known: KnownRows) -> None:
        """Takes the invoices' balances in; what cannot be read is set aside."""
        for invoice_id, answer in self._installation.transport.in_parallel(self._balance_of, invoices):
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
            answer = self._installation.transport.call("GetInvoice", invoiceid=invoice_id)
        except NoSuchRecord:
            return None
        except (UnreadablePage, ProtocolError):
            return "the answer about this invoice cannot be read"
        except TransientError:
            if not self._one_by_one.tolerates_failure():
                raise
            return None
        echoed = loose_integer(answer.get("invoiceid"))
        return answer if echoed in (None, invoice_id) else "the answer is about another invoice"


def _owned(record: SetAsideRecord, clients: Mapping[int, str | None]) -> SetAsideRecord:
    """The record with the client that the snapshot knows of its invoice, where the answer does not name one."""
    return replace(record, owner=record.owner or clients.get(loose_integer(record.record_id) or 0))
