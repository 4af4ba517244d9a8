"""What a WHMCS install holds, and what staff, customers and its cron do to it.

Rows live under the WHMCS names of reference section 7 as plain values: integer ids, Decimal money, dates, naive
datetimes in the server's zone, None for an empty date.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.tables import Row, Table
from jobs.sandbox.whmcs.lookup import Lookup
from jobs.sandbox.whmcs.quirks import Quirks

Cancellation = Literal["Immediate", "End of Billing Period"]
OWNERS = {
    "clients": "id",
    "invoices": "userid",
    "services": "clientid",
    "pay_methods": "clientid",
    "cancellations": "relid",
    "orders": "userid",
    "tickets": "userid",
}
"""The tables, and which of their fields names the client (the service, for a cancellation request)."""
POISONED = {
    "clients": "companyname",
    "invoices": "notes",
    "services": "domain",
    "pay_methods": "description",
    "cancellations": "reason",
}
CURRENCIES: tuple[Row, ...] = (
    {"id": 1, "code": "JPY", "prefix": "¥", "suffix": " JPY", "format": 1, "rate": "1.00000"},
    {"id": 2, "code": "EUR", "prefix": "€", "suffix": " EUR", "format": 3, "rate": "0.00610"},
)
"""An install's currencies, the base one first; `install.currencies` may be changed."""
BROKEN_TEXT = "Caf\udce9\x0b"
"""A text whose bytes are not UTF-8 (0xE9 alone) and which holds a control character, as stored data may (Q9)."""


def _offer(owner: str) -> str:
    return "keys_of_service" if owner == "relid" else "keys_of_client"


class Records:
    """The tables of an install, with writers that stamp the server's local time and never give an id twice."""

    def __init__(self, clock: SimulatedClock, zone: ZoneInfo, tables: dict[str, Table[int]] | None = None) -> None:
        self.clock = clock
        self.zone = zone
        self.quirks = Quirks()
        self.tables: dict[str, Table[int]] = {name: Table() for name in OWNERS} | (tables or {})
        self.lookups = {name: Lookup(self.tables[name], owner, _offer(owner)) for name, owner in OWNERS.items()}
        self.currencies = [dict(currency) for currency in CURRENCIES]
        self.last_cron_at: datetime | None = None

    def currency_of(self, client: Row) -> Row:
        """The client's currency; the first one when it names none that exists."""
        return next((one for one in self.currencies if one["id"] == client.get("currency")), self.currencies[0])

    def local_now(self) -> datetime:
        """The server's clock: naive, in its zone, whole seconds, skew included."""
        local = (self.clock.now() + self.quirks.clock_skew).astimezone(self.zone)
        return local.replace(tzinfo=None, microsecond=0)

    def today(self) -> date:
        return self.local_now().date()

    def insert(self, table: str, row: Row) -> int:
        """Adds a row under its own id, or under the next one. Returns the id."""
        with self.tables[table].lock:
            key = int(row.get("id") or self.lookups[table].last_key() + 1)
            self.tables[table].put(key, row | {"id": key})
            return key

    def delete(self, table: str, key: int) -> None:
        """Takes a row away for good, as a deletion in the admin area does. Raises KeyError when there is none."""
        self.tables[table].remove(key)

    def poison(self, table: str, key: int) -> None:
        """Spoils a text of the row, so that every JSON page with it fails (Q9)."""
        self.tables[table].change(key, **{POISONED[table]: BROKEN_TEXT})

    def add_client(self, **fields: Any) -> int:
        """A client, Active unless said otherwise. `customfields` is {field id: value}."""
        given = {"firstname": "Ana", "lastname": "Client", "email": "ana@example.org", "currency": 1}
        return self.insert("clients", given | {"status": "Active", "datecreated": self.today(), **fields})

    def update_client(self, client_id: int, **fields: Any) -> None:
        self.tables["clients"].change(client_id, **fields)

    def add_service(self, client_id: int, **fields: Any) -> int:
        """A service, Active and due in a month unless said otherwise."""
        due = self.today() + timedelta(days=30)
        given = {"status": "Active", "regdate": self.today(), "nextduedate": due, "name": "Internet 100"}
        return self.insert("services", {**given, "recurringamount": Decimal("20.00"), **fields, "clientid": client_id})

    def set_service_status(self, service_id: int, status: str) -> None:
        """Any word: the API returns what is stored."""
        self.tables["services"].change(service_id, status=status)

    def add_invoice(
        self, client_id: int, *, total: Decimal | str = "20.00", duedate: date | None = None, **fields: Any
    ) -> int:
        """An invoice of today, Unpaid and due in two weeks unless said otherwise."""
        now = self.local_now()
        due = duedate or now.date() + timedelta(days=14)
        given = {"status": "Unpaid", "date": now.date(), "duedate": due, "created_at": now, "updated_at": now}
        return self.insert("invoices", {**given, "total": Decimal(total), **fields, "userid": client_id})

    def pay_invoice(self, invoice_id: int) -> None:
        self.set_invoice_status(invoice_id, "Paid", datepaid=self.local_now())

    def set_invoice_status(self, invoice_id: int, status: str, **fields: Any) -> None:
        """Sets the word, the stamp that goes with it, and updated_at."""
        now = self.local_now()
        stamp = {"Refunded": "date_refunded", "Cancelled": "date_cancelled"}.get(status)
        stamped = {stamp: now} if stamp else {}
        self.tables["invoices"].change(invoice_id, **{**stamped, "status": status, "updated_at": now, **fields})

    def add_cancellation(
        self, service_id: int, kind: Cancellation = "End of Billing Period", reason: str = "", **fields: Any
    ) -> int:
        """One per service (7.9). Raises ValueError while the service has another."""
        if self.lookups["cancellations"].rows_of(service_id):
            raise ValueError(f"service {service_id}: Existing Cancellation Request Exists; withdraw it first")
        row = {"relid": service_id, "type": kind, "reason": reason, "date": self.local_now(), **fields}
        return self.insert("cancellations", row)

    def withdraw_cancellation(self, service_id: int) -> None:
        """Takes the service's request away. Raises KeyError when there is none."""
        requests = self.lookups["cancellations"].rows_of(service_id)
        if not requests:
            raise KeyError(service_id)
        for request in requests:
            self.delete("cancellations", request["id"])

    def add_pay_method(self, client_id: int, **fields: Any) -> int:
        """A card kept at the gateway unless `type` says otherwise; `expiry_date` is a date or the text MM/YY."""
        given = {"type": "RemoteCreditCard", "expiry_date": "12/29", "card_last_four": "1111"}
        return self.insert("pay_methods", {**given, "last_updated": self.local_now(), **fields, "clientid": client_id})

    def remove_pay_method(self, pay_method_id: int) -> None:
        self.delete("pay_methods", pay_method_id)

    def run_daily_cron(self) -> list[int]:
        """Ends the services whose cancellation is due: Immediate ones now, the others on their next due date (7.9).

        Returns the ids of the services ended. Their requests stay or go as `quirks.completed_requests_stay` says.
        """
        self.last_cron_at = self.local_now()
        requests = list(self.tables["cancellations"].rows())
        due = [request for request in requests if self._is_due(request)]
        for request in due:
            self.set_service_status(request["relid"], self.quirks.ended_status)
            if not self.quirks.completed_requests_stay:
                self.delete("cancellations", request["id"])
        return [request["relid"] for request in due]

    def _is_due(self, request: Row) -> bool:
        service = self.tables["services"].get(request["relid"])
        if service is None or service.get("status") not in ("Active", "Suspended"):
            return False
        due = service.get("nextduedate")
        return request["type"] == "Immediate" or (due is not None and due <= self.today())
