"""The Salesforce stand-in: one made-up org, its records, users and sessions, and the steps of a scenario.

Speaks what /services answers speak (salesforce-api 2 to 7), so that the real client library works against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from threading import RLock
from typing import TYPE_CHECKING, Any

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.faults import Faults
from jobs.sandbox.salesforce.access import Access
from jobs.sandbox.salesforce.ids import new_id, to_18
from jobs.sandbox.salesforce.schema import Field, SObject, standard_objects
from jobs.sandbox.salesforce.stamps import StampIndex
from jobs.sandbox.salesforce.writes import Transaction
from jobs.sandbox.server import StandIn
from jobs.sandbox.tables import Row, Table

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ORGANIZATION_ID = to_18("00DSd0000000001")
RECYCLE_BIN = timedelta(days=15)
AFTER_EMPTYING = timedelta(days=1)


class SalesforceOrg(Access):
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
        self._open: list[Transaction] = []
        self._bin: dict[tuple[str, str], datetime] = {}
        self._hidden_fields: set[tuple[str, str]] = set()
        self._hidden_rows: dict[str, Callable[[str], bool]] = {}
        self._add_organization()

    def app(self) -> WSGIApplication:
        """The WSGI app; each call gives a fresh set of cursors and bulk jobs."""
        from jobs.sandbox.salesforce.http import app

        return app(self)

    def stamp(self) -> datetime:
        """Now in whole seconds, as every system stamp is (salesforce-api 9.1)."""
        return self.clock.now().replace(microsecond=0)

    # Scenario steps: each of these is a transaction of its own.

    def open_transaction(self) -> Transaction:
        """A transaction that stays invisible until its `commit()`; its stamps are those of the writing (H1)."""
        with self.lock:
            transaction = Transaction(self)
            self._open.append(transaction)
            return transaction

    def insert(self, sobject: str, **fields: Any) -> str:
        with self.open_transaction() as step:
            return step.insert(sobject, **fields)

    def update(self, sobject: str, record_id: str, **fields: Any) -> None:
        with self.open_transaction() as step:
            step.update(sobject, record_id, **fields)

    def touch(self, sobject: str, record_id: str) -> None:
        """Moves SystemModstamp and nothing else (H14)."""
        with self.open_transaction() as step:
            step.touch(sobject, record_id)

    def set_formula(self, sobject: str, record_id: str, **fields: Any) -> None:
        """Changes a formula result: no stamp moves, and describe calls the field calculated (H15)."""
        for name in fields:
            self.schema[sobject].set_calculated(name, calculated=True)
        with self.open_transaction() as step:
            step.set_formula(sobject, record_id, **fields)

    def delete(self, sobject: str, record_id: str) -> None:
        with self.open_transaction() as step:
            step.delete(sobject, record_id)

    def undelete(self, sobject: str, record_id: str) -> None:
        with self.open_transaction() as step:
            step.undelete(sobject, record_id)

    def hard_delete(self, sobject: str, record_id: str) -> None:
        with self.open_transaction() as step:
            step.hard_delete(sobject, record_id)

    def merge(self, winner: str, loser: str) -> None:
        """Two Accounts become one (H24)."""
        with self.open_transaction() as step:
            step.merge(winner, loser)

    def mass_update(self, sobject: str, record_ids: Iterable[str], **fields: Any) -> int:
        """Many records in one second (H5). Returns how many."""
        with self.open_transaction() as step:
            return step.mass_update(sobject, list(record_ids), **fields)

    def rename_picklist(self, sobject: str, field: str, old: str, new: str, *, stamp_all: bool = True) -> None:
        """An admin renames a value: holders get the new one; SystemModstamp moves on all rows (13), or on theirs."""
        with self.open_transaction() as step:
            for row in list(self.tables[sobject].rows()):
                if row.get(field) == old:
                    step.touch(sobject, row["Id"], **{field: new})
                elif stamp_all:
                    step.touch(sobject, row["Id"])

    def track_history(self, enabled: bool = True) -> None:
        """From now on a change of a status field of an Account writes an AccountHistory row."""
        self.tracks_history = enabled

    def empty_bin(self) -> None:
        """Empties the Recycle Bin; queryAll shows its rows for about one more day (H17)."""
        with self.lock:
            gone_at = self.clock.now() + AFTER_EMPTYING
            self._bin = {key: min(at, gone_at) for key, at in self._bin.items()}

    def hide_field(self, sobject: str, field: str, *, hidden: bool = True) -> None:
        """Field-level security: the field is missing in describe and INVALID_FIELD in queries (H21)."""
        (self._hidden_fields.add if hidden else self._hidden_fields.discard)((sobject, field))

    def hide_rows(self, sobject: str, hides: Callable[[str], bool] | Iterable[str] | None) -> None:
        """Sharing: rows whose Id `hides` says (or holds) are silently absent (H20). None shows all again."""
        if hides is None:
            self._hidden_rows.pop(sobject, None)
        else:
            self._hidden_rows[sobject] = hides if callable(hides) else frozenset(map(to_18, hides)).__contains__

    def add_field(self, sobject: str, field: Field) -> None:
        self.schema[sobject].with_field(field)

    def remove_field(self, sobject: str, field: str) -> None:
        """The field is deleted from the org. Raises KeyError when there is none."""
        del self.schema[sobject].fields[field]

    def remove_object(self, sobject: str) -> None:
        """The object is switched off, as Orders may be: INVALID_TYPE."""
        del self.schema[sobject]

    # What requests and transactions see.

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
        """Candidates for a window of SystemModstamp, ascending by Id: all of its rows, and perhaps some others."""
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

    def apply(self, transaction: Transaction, rows: dict[tuple[str, str], Row | None]) -> None:
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


def serve(org: SalesforceOrg, port: int = 0) -> StandIn:
    """The org on a loopback port (0: any free one), until the stand-in is closed."""
    return StandIn(org.app(), org.clock, port=port)
