"""Two sources whose customers change all the time, and of each customer's lists every state with when it held.

A list is what is read by itself: all orders of a customer, all invoices of its client, what is still to pay of them.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from jobs.sandbox.clock import WallClock
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.whmcs import WhmcsInstall
from tests.integration.truth import reference_records as reference

ZONE = ZoneInfo("Asia/Tokyo")
LISTS = ("account", "order", "case", "service", "invoice", "balance", "pay_method")
SOBJECTS = {"account": "Account", "order": "Order", "case": "Case"}
TABLES = {"service": "services", "invoice": "invoices", "pay_method": "pay_methods"}
Records = list[dict[str, Any]]


@dataclass
class Customer:
    """An account and its client, and what they own that never changes hands."""

    account: str
    client: int
    orders: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    services: list[int] = field(default_factory=list)


@dataclass
class States:
    """Of one customer's list all states in order, each from `began` (it may hold from then) and `holds` (it does)."""

    began: list[float] = field(default_factory=list)
    holds: list[float] = field(default_factory=list)
    records: list[Records] = field(default_factory=list)

    def between(self, low: float, high: float) -> range:
        """The states that may have held at some instant from `low` to `high`."""
        first = max(bisect_right(self.holds, low) - 1, 0)
        return range(first, bisect_right(self.began, high))


class Sources:
    """Both stand-ins with `count` customers. One thread changes them."""

    def __init__(self, count: int, dice: Random) -> None:
        clock = WallClock()
        self.org, self.install = SalesforceOrg(clock), WhmcsInstall(clock, zone=ZONE)
        self.customers: list[Customer] = []
        self.states: list[dict[str, States]] = []
        self.changes = 0
        self._dice = dice
        self._invoices: dict[int, int] = {}
        self._part_paid: set[int] = set()
        for _ in range(count):
            self._add()

    def _add(self) -> None:
        client = self.install.add_client()
        account = self.org.insert("Account", Name="Sato", WHMCS_Client_Id__c=str(client))
        one = Customer(account, client)
        self.customers.append(one)
        today = datetime.now(ZONE).date()
        one.orders.append(self.org.insert("Order", AccountId=account, EffectiveDate=today))
        one.cases.append(self.org.insert("Case", AccountId=account, Subject="No signal 0"))
        one.services.append(self.install.add_service(client, name="Internet 0"))
        for _ in range(2):
            self._invoices[self._bill(client, today)] = len(self.customers) - 1
        self.states.append({name: States() for name in LISTS})
        for name in LISTS:
            self._keep(len(self.customers) - 1, name, 0.0, 0.0)

    def _bill(self, client: int, today: date) -> int:
        due = today + timedelta(days=self._dice.choice((-30, -1, 0, 3, 7, 8, 30)))
        total = Decimal(self._dice.randrange(1_000, 9_999_999)).scaleb(-2)
        return self.install.add_invoice(client, total=total, duedate=due)

    # What happens -----------------------------------------------------------------------------------------------------

    def change(self) -> Customer:
        """One change of one customer; whose."""
        self.changes += 1
        number = self._dice.randrange(len(self.customers))
        what = self._dice.choice(CHANGES)
        getattr(self, what)(number, self.customers[number])
        return self.customers[number]

    def eligibility(self, number: int, one: Customer) -> None:
        word = self._dice.choice((None, "Pending", "Eligible", "Ineligible"))
        with self._changing(number, "account"):
            self.org.update(
                "Account", one.account, Internet_Eligibility_Status__c=word, Internet_Eligibility_Notes__c=self._mark
            )

    def verification(self, number: int, one: Customer) -> None:
        word = self._dice.choice((None, "Submitted", "Verified", "Rejected"))
        with self._changing(number, "account"):
            self.org.update(
                "Account", one.account, Id_Verification_Status__c=word, Id_Verification_Rejection_Message__c=self._mark
            )

    def link(self, number: int, one: Customer) -> None:
        """The account names its client no more, or again."""
        account = self.org.row("Account", one.account, deleted=False)
        assert account is not None
        client = None if account["WHMCS_Client_Id__c"] else str(one.client)
        with self._changing(number, "account"):
            self.org.update("Account", one.account, WHMCS_Client_Id__c=client)

    def order(self, number: int, one: Customer) -> None:
        status = self._dice.choice(("Draft", "Approved", "Activated", "Completed", "Cancelled"))
        activation = self._dice.choice((None, "Pending", "Activated", "Failed"))
        with self._changing(number, "order"):
            fields = {"OrderNumber": self._mark, "Status": status, "Activation_Status__c": activation}
            self.org.update("Order", one.orders[0], **fields)

    def case(self, number: int, one: Customer) -> None:
        closes = self._dice.random() < 0.5
        closed_at = self.org.stamp() if closes else None
        with self._changing(number, "case"):
            fields = {"Status": "Closed" if closes else "New", "IsClosed": closes, "ClosedDate": closed_at}
            self.org.update("Case", one.cases[0], Subject=self._mark, **fields)

    def service(self, number: int, one: Customer) -> None:
        with self._changing(number, "service"):
            status = self._dice.choice(("Active", "Suspended"))
            self.install.tables["services"].change(one.services[0], status=status, name=self._mark)

    def card(self, number: int, one: Customer) -> None:
        held = [row["id"] for row in self.install.lookups["pay_methods"].rows_of(one.client)]
        with self._changing(number, "pay_method"):
            if held and (len(held) > 3 or self._dice.random() < 0.5):
                self.install.remove_pay_method(held[0])
            else:
                self.install.add_pay_method(one.client)

    def pays(self, number: int, _: Customer) -> None:
        """An unpaid invoice is paid, a paid one is opened again."""
        if (invoice := self._invoice_of(number)) is None:
            return
        row = self.install.tables["invoices"].get(invoice)
        assert row is not None
        self._part_paid.discard(invoice)
        with self._changing(number, "invoice", "balance"):
            if row["status"] == "Unpaid":
                now = self.install.local_now()
                self.install.set_invoice_status(invoice, "Paid", datepaid=now, balance="0.00")
            else:
                self.install.set_invoice_status(invoice, "Unpaid", datepaid=None, balance=str(row["total"]))

    def pays_a_part(self, number: int, _: Customer) -> None:
        """Only GetInvoice says so."""
        invoice = self._invoice_of(number)
        row = None if invoice is None else self.install.tables["invoices"].get(invoice)
        if invoice is None or row is None or row["status"] != "Unpaid":
            return
        self._part_paid.add(invoice)
        balance = (row["total"] * self._dice.randint(1, 99) / 100).quantize(Decimal("0.01"))
        with self._changing(number, "balance"):
            self.install.tables["invoices"].change(invoice, balance=str(balance))

    def moves(self, number: int, one: Customer) -> None:
        """An invoice goes to another client, unless a part of it is paid: its balance would be known of the old one."""
        invoice, to = self._invoice_of(number), self._dice.randrange(len(self.customers))
        theirs = [owner for owner in self._invoices.values() if owner == to]
        if invoice is None or to == number or invoice in self._part_paid or len(theirs) > 2:
            return
        with self._changing(number, "invoice", "balance"), self._changing(to, "invoice", "balance"):
            self._invoices[invoice] = to
            self.install.tables["invoices"].change(invoice, userid=self.customers[to].client)

    @property
    def _mark(self) -> str:
        """A text that no other change wrote, so that a state tells itself from those before."""
        return f"change {self.changes}"

    def _invoice_of(self, number: int) -> int | None:
        theirs = [invoice for invoice, owner in self._invoices.items() if owner == number]
        return self._dice.choice(theirs) if theirs else None

    # What was, when ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _changing(self, number: int, *lists: str) -> Iterator[None]:
        began = time.time()
        yield
        for name in lists:
            self._keep(number, name, began, time.time())

    def _keep(self, number: int, name: str, began: float, holds: float) -> None:
        states = self.states[number][name]
        states.began.append(began)
        states.holds.append(holds)
        states.records.append(self._read(self.customers[number], name))

    def _read(self, one: Customer, name: str) -> Records:
        if name == "balance":
            rows = self.install.lookups["invoices"].rows_of(one.client)
            return [{"id": row["id"], "balance": Decimal(row.get("balance", row["total"]))} for row in rows]
        if name in SOBJECTS:
            keys = {"account": [one.account], "order": one.orders, "case": one.cases}[name]
            found = (self.org.row(SOBJECTS[name], key, deleted=False) for key in keys)
            return [_as_read(name, row) for row in found if row is not None]
        return [_as_read(name, row) for row in self.install.lookups[TABLES[name]].rows_of(one.client)]


def _as_read(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row of a stand-in as the reference model reads a record of that source."""
    raw = dict.fromkeys(ASKED[name]) | {key: _written(value) for key, value in row.items()}
    if name == "invoice":
        raw |= {"currencycode": raw["currencycode"] or "JPY", "invoicenum": raw["invoicenum"] or ""}
    return reference.read(name, raw, ZONE)


def _written(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


ASKED = {
    "account": (*reference.ACCOUNT.values(), "CreatedDate"),
    "order": ("AccountId", "OrderNumber", "Status", "Activation_Status__c", "EffectiveDate", "CreatedDate"),
    "case": ("AccountId", "CaseNumber", "Subject", "IsClosed", "CreatedDate", "ClosedDate"),
    "service": ("clientid", "status", "name", "regdate"),
    "invoice": ("userid", "invoicenum", "status", "date", "duedate", "datepaid", "total", "currencycode", "created_at"),
    "pay_method": ("clientid", "expiry_date"),
}
"""What the model reads of a record, none where a stand-in's row leaves it out."""
CHANGES = (
    *("eligibility", "verification", "order", "case", "service", "card", "pays", "pays", "pays_a_part", "moves"),
    *("eligibility", "order", "case", "card", "link"),
)
