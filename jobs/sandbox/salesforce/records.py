"""The records of the made-up org: what requests and transactions see of them, and how writes reach them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from threading import RLock
from typing import Protocol

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.faults import Faults
from jobs.sandbox.salesforce.access import Access
from jobs.sandbox.salesforce.ids import new_id, to_18
from jobs.sandbox.salesforce.schema import Field, SObject, standard_objects
from jobs.sandbox.salesforce.stamps import StampIndex
from jobs.sandbox.tables import Row, Table

ORGANIZATION_ID = to_18("00DSd0000000001")
RECYCLE_BIN = timedelta(days=15)


class Open(Protocol):
    """A transaction that has not ended."""

    opened_at: datetime


class Records(Access):
    """The state of the org. Everything may be changed between requests; safe from several threads.

    Switches: `page_cap` (most rows a query page holds), `short_page_share` (share of pages cut short at random),
    `bulk_polls` (polls a bulk job stays InProgress), `bulk_page_rows`, `tracks_history`, `api_total`.
    """

    def __init__(self, clock: SimulatedClock, *, tables: dict[str, Table[str]] | None = None, seed: int = 0) -> None:
        super().__init__(clock)
        self.lock = RLock()
        self.faults = Faults()
        self.random = Random(seed)
        self.schema: dict[str, SObject] = standard_objects()
        self.tables: dict[str, Table[str]] = {name: Table[str]() for name in self.schema}
        self.tables.update(tables or {})
        self.page_cap = 2000
        self.short_page_share = 0.0
        self.bulk_polls = 1
        self.bulk_page_rows = 50_000
        self.tracks_history = False
        self.bulk_warnings: list[str] = []
        self.hard_deleted: list[tuple[str, str, datetime]] = []
        self._stamps = {name: StampIndex(table) for name, table in self.tables.items()}
        self._numbers: dict[str, int] = {}
        self._serials: dict[str, int] = {}
        self._open: list[Open] = []
        self._bin: dict[tuple[str, str], datetime] = {}
        self._hidden_fields: set[tuple[str, str]] = set()
        self._hidden_rows: dict[str, Callable[[str], bool]] = {}
        self._add_organization()

    def stamp(self) -> datetime:
        """Now in whole seconds, as every system stamp is (salesforce-api 9.1)."""
        return self.clock.now().replace(microsecond=0)

    def visible_fields(self, sobject: str) -> list[Field]:
        """The fields the integration user may see, in describe order."""
        fields = self.schema[sobject].fields.values()
        return [field for field in fields if (sobject, field.name) not in self._hidden_fields]

    def row(self, sobject: str, record_id: str, *, deleted: bool) -> Row | None:
        """The record as the integration user sees it; soft-deleted ones only when `deleted`."""
        row = self.tables[sobject].get(record_id)
        if row is None or (row.get("IsDeleted") and not deleted):
            return None
        hides = self._hidden_rows.get(sobject)
        return None if hides is not None and hides(record_id) else row

    def keys(self, sobject: str, *, deleted: bool, since: str | None = None) -> Iterator[str]:
        """Every visible Id (from `since` on), ascending, without reading the rows."""
        gone = set() if deleted else self._stamps[sobject].deleted_keys()
        hides = self._hidden_rows.get(sobject) or (lambda _: False)
        keys = self.tables[sobject].keys(since)
        return (key for key in keys if key not in gone and not hides(key))

    def keys_stamped(self, sobject: str, low: datetime | None, high: datetime | None) -> list[str]:
        """Candidates for a range of SystemModstamp, ascending by Id: all of its rows, and perhaps some others."""
        return sorted(self._stamps[sobject].keys_between(low, high))

    def ids_where(self, sobject: str, field: str, value: str) -> list[str]:
        """Ids of the records whose field has exactly this value. Reads the whole table."""
        return [row["Id"] for row in self.tables[sobject].rows() if row.get(field) == value]

    def covered_until(self) -> datetime:
        """The latestDateCovered of get-updated: behind every open transaction, in whole minutes (salesforce-api 4)."""
        with self.lock:
            return min([self.stamp(), *(step.opened_at for step in self._open)]).replace(second=0)

    def next_id(self, sobject: str) -> str:
        """An unused Id of this object."""
        with self.lock:
            while True:
                self._numbers[sobject] = self._numbers.get(sobject, 0) + 1
                record_id = new_id(self.schema[sobject].prefix, self._numbers[sobject])
                if record_id not in self.tables[sobject]:
                    return record_id

    def new_record_defaults(self, sobject: str) -> Row:
        """What the platform fills in on creation."""
        with self.lock:
            self._serials[sobject] = self._serials.get(sobject, 0) + 1
            number = f"{self._serials[sobject]:08d}"
        if sobject == "Order":
            return {"OrderNumber": number, "Status": "Draft", "StatusCode": "Draft"}
        if sobject == "Case":
            return {"CaseNumber": number, "Status": "New", "IsClosed": False, "IsEscalated": False}
        return {}

    def apply(self, transaction: Open, rows: dict[tuple[str, str], Row | None]) -> None:
        """Ends a transaction: its rows become visible together (None: gone for good)."""
        with self.lock:
            if transaction in self._open:
                self._open.remove(transaction)
            for (sobject, record_id), row in rows.items():
                self._store(sobject, record_id, row)

    def purge(self) -> None:
        """Drops what has left the Recycle Bin by now."""
        with self.lock:
            for (sobject, record_id), at in list(self._bin.items()):
                if at <= self.clock.now():
                    self._store(sobject, record_id, None)

    def _store(self, sobject: str, record_id: str, row: Row | None) -> None:
        if row is None:
            self._bin.pop((sobject, record_id), None)
            if record_id in self.tables[sobject]:
                self.tables[sobject].remove(record_id)
                self.hard_deleted.append((sobject, record_id, self.stamp()))
            return
        self.tables[sobject].put(record_id, row)
        if row.get("IsDeleted"):
            self._bin.setdefault((sobject, record_id), self.clock.now() + RECYCLE_BIN)
        else:
            self._bin.pop((sobject, record_id), None)

    def _add_organization(self) -> None:
        stamp = self.stamp()
        stamps = {"CreatedDate": stamp, "LastModifiedDate": stamp, "SystemModstamp": stamp}
        if len(self.tables["Organization"]) == 0:
            row = {"Id": ORGANIZATION_ID, "Name": "Demo Org", "InstanceName": "SD0", "IsSandbox": True} | stamps
            self.tables["Organization"].put(ORGANIZATION_ID, row)
