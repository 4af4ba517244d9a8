"""The generated rows of WHMCS, under the field names of whmcs-api 7, as plain Python values in server-local time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from jobs.sandbox.population_people import company_name, email, family_name, given_name
from jobs.sandbox.population_salesforce import account_number
from jobs.sandbox.tables import Row

if TYPE_CHECKING:
    from jobs.sandbox.population import Population

ACCOUNT_ID_FIELD = 3
ACCOUNT_NUMBER_FIELD = 4
CYCLES = 30
MONTHS = 12
NEWEST_DUE_AHEAD = 14
NOTHING = Decimal("0.00")
NO_RATE = Decimal("0.000")
TAX_RATE = Decimal("10.000")


class Plan(NamedTuple):
    """What is sold: product id, name, group, and the monthly price in JPY before tax, the tax, and with it."""

    pid: int
    name: str
    group: str
    net: Decimal
    tax: Decimal
    gross: Decimal


PLANS = tuple(
    Plan(pid, name, group, Decimal(f"{net}.00"), Decimal(f"{net // 10}.00"), Decimal(f"{net + net // 10}.00"))
    for pid, (name, group, net) in enumerate(
        (
            ("Hikari 1G", "Internet", 5000),
            ("Hikari 10G", "Internet", 6500),
            ("SIM 5GB", "Mobile", 1500),
            ("SIM 20GB", "Mobile", 3000),
            ("Hikari Denwa", "Telephone", 500),
            ("Wi-Fi router rental", "Internet", 300),
        ),
        start=1,
    )
)
SIM_FIRST = (2, 3, 2, 3)
NET_FIRST = (0, 0, 0, 1)
NEWEST_OTHERWISE = {990: "Payment Pending", 991: "Collections", 992: "Draft", 993: "Draft"}


class InvoiceDates(NamedTuple):
    """When an invoice of one cycle and month was made, is due, and would have been paid."""

    made_on: date
    due_on: date
    paid_at: datetime
    made_at: datetime


class Payer(NamedTuple):
    """What the invoices of one person have in common; kept from one invoice to the next."""

    person: int
    client_id: int | None
    given_name: str
    family_name: str
    company_name: str
    newest: int
    dates: tuple[InvoiceDates, ...]
    plan: Plan
    share: int
    unpaid_share: int


class WhmcsPeople:
    """Rows of one population; each method gives the row of one position."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._start = population.start
        self._dates = tuple(_invoice_dates(population.start, cycle) for cycle in range(CYCLES))
        self._months = tuple(_expiry(population.start, months) for months in range(-30, 60))
        self._last_month = datetime.combine(population.start - timedelta(days=30), time(10, 1))
        self._payer = self._payer_of(0)

    def client(self, key: int, person: int, _: int) -> Row:
        """Eight list fields (7.1), and the details of 7.2 that hold something."""
        draw = self._population.draw(person, 1)
        account = self._population.account_id(person)
        if account is not None and draw % 20 == 0:
            account = account[:15]
        return {
            "id": key,
            "firstname": given_name(draw),
            "lastname": family_name(draw),
            "companyname": company_name(draw),
            "email": email(draw, person),
            "datecreated": self._start - timedelta(days=2 + draw % 900),
            "groupid": 0,
            "status": "Closed" if self._population.kind(person) == "left" else "Active",
            "country": "JP",
            "currency": 1,
            "currency_code": "JPY",
            "customfields": [
                {"id": ACCOUNT_ID_FIELD, "value": account or ""},
                {"id": ACCOUNT_NUMBER_FIELD, "value": self._account_number(person)},
            ],
        }

    def invoice(self, key: int, person: int, ordinal: int) -> Row:
        """Monthly, the newest last; amounts by the person's plan (7.3)."""
        payer = self._payer
        if payer.person != person:
            payer = self._payer = self._payer_of(person)
        behind = payer.newest - ordinal
        dates = payer.dates[behind]
        status = self._invoice_status(payer, behind)
        plan = payer.plan
        return {
            "id": key,
            "userid": payer.client_id,
            "firstname": payer.given_name,
            "lastname": payer.family_name,
            "companyname": payer.company_name,
            "invoicenum": "",
            "date": dates.made_on,
            "duedate": dates.due_on,
            "datepaid": dates.paid_at if status in ("Paid", "Refunded") else None,
            "last_capture_attempt": dates.paid_at if status == "Paid" else None,
            "date_refunded": dates.paid_at if status == "Refunded" else None,
            "date_cancelled": dates.paid_at if status == "Cancelled" else None,
            "subtotal": plan.net,
            "credit": NOTHING,
            "tax": plan.tax,
            "tax2": NOTHING,
            "total": plan.gross,
            "taxrate": TAX_RATE,
            "taxrate2": NO_RATE,
            "status": status,
            "paymentmethod": "stripe",
            "paymethodid": None,
            "notes": "",
            "created_at": dates.made_at,
            "updated_at": dates.paid_at if status == "Paid" else dates.made_at,
            "currencycode": "JPY",
            "currencyprefix": "¥",
            "currencysuffix": " JPY",
        }

    def service(self, key: int, person: int, ordinal: int) -> Row:
        """The first is internet or a SIM, further ones go with it (7.5)."""
        draw = self._population.draw(person, 1)
        plan = self._plan(draw, ordinal)
        status = self._service_status(person, ordinal, draw)
        client = self._population.client_id(person)
        due_on = self._dates[(draw >> 8) % CYCLES][0].due_on
        return {
            "id": key,
            "qty": 1,
            "clientid": client,
            "orderid": key + 20_000,
            "ordernumber": str(4_000_000_000 + key),
            "pid": plan.pid,
            "regdate": self._start - timedelta(days=30 + (draw >> 12) % 800),
            "nextduedate": None if status in ("Cancelled", "Terminated", "Completed") else due_on,
            "name": plan.name,
            "translated_name": plan.name,
            "groupname": plan.group,
            "translated_groupname": plan.group,
            "domain": "",
            "dedicatedip": "",
            "serverid": 0,
            "servername": "",
            "serverip": None,
            "serverhostname": None,
            "suspensionreason": "Overdue on Payment" if status == "Suspended" else "",
            "firstpaymentamount": plan.gross,
            "recurringamount": plan.gross,
            "paymentmethod": "stripe",
            "paymentmethodname": "Card",
            "billingcycle": "Monthly",
            "status": status,
            "username": "",
            "password": f"pw-{draw % 1_000_000}",
            "subscriptionid": "",
            "promoid": 0,
            "overideautosuspend": "",
            "overidesuspenduntil": None,
            "ns1": "",
            "ns2": "",
            "assignedips": "",
            "notes": "",
            "diskusage": 0,
            "disklimit": 0,
            "bwusage": 0,
            "bwlimit": 0,
            "lastupdate": None,
            "customfields": [],
            "configoptions": [],
        }

    def pay_method(self, key: int, person: int, ordinal: int) -> Row:
        """One in eight is a bank account; of the cards 2 % end this month and 4 % have ended (7.6)."""
        draw = self._population.draw(person, 40 + ordinal)
        is_bank = draw % 8 == 0
        row: Row = {
            "id": key,
            "clientid": self._population.client_id(person),
            "type": "RemoteBankAccount" if is_bank else ("RemoteCreditCard", "CreditCard")[draw % 5 // 4],
            "description": "Bank account" if is_bank else "Card",
            "gateway_name": "stripe",
            "contact_type": "Client",
            "contact_id": self._population.client_id(person),
            "remote_token": f"tok_{draw:015x}",
            "last_updated": self._last_month,
        }
        if is_bank:
            return row | {"bank_name": ("Example Bank", "Mizuho Example", "Yucho Example")[draw % 3]}
        return row | {
            "card_last_four": f"{draw % 9973:04d}",
            "expiry_date": self._card_ends(draw >> 8),
            "start_date": "",
            "issue_number": "",
            "card_type": ("Visa", "JCB", "Mastercard")[draw % 3],
        }

    def cancellation(self, key: int, person: int, _: int) -> Row:
        """Of the first service; those who left asked earlier than those who are leaving (7.9)."""
        draw = self._population.draw(person, 50)
        days_ago = (60 if self._population.kind(person) == "left" else 2) + draw % 8
        return {
            "id": key,
            "relid": 5001 + self._population.layouts["service"].before(person),
            "date": datetime.combine(self._start - timedelta(days=days_ago), time(draw % 24, draw % 60)),
            "reason": "Moving & closing",
            "type": "End of Billing Period",
            "created_at": None,
            "updated_at": None,
        }

    def _payer_of(self, person: int) -> Payer:
        population = self._population
        draw = population.draw(person, 1)
        cycle = (draw >> 8) % CYCLES
        ahead = NEWEST_DUE_AHEAD - cycle
        is_suspended = population.kind(person) == "suspended"
        return Payer(
            person=person,
            client_id=population.client_id(person),
            given_name=given_name(draw),
            family_name=family_name(draw),
            company_name=company_name(draw),
            newest=population.layouts["invoice"].count(person) - 1,
            dates=self._dates[cycle],
            plan=self._plan(draw, 0),
            share=0 if is_suspended else (draw >> 24) % 1000,
            unpaid_share=300 if ahead > 7 else 120 if ahead >= 0 else 45,
        )

    def _invoice_status(self, payer: Payer, behind: int) -> str:
        share = payer.share
        if behind > 2:
            return ("Cancelled", "Refunded")[share & 1] if 0 < share < 20 else "Paid"
        if share < (6 if behind else payer.unpaid_share):
            return "Unpaid"
        return "Paid" if behind else NEWEST_OTHERWISE.get(share, "Paid")

    def _service_status(self, person: int, ordinal: int, draw: int) -> str:
        kind = self._population.kind(person)
        if kind == "left":
            return ("Cancelled", "Terminated")[ordinal & 1]
        if kind == "ordering":
            return "Pending"
        if kind == "suspended":
            return "Suspended"
        return "Terminated" if ordinal > 0 and (draw >> 30) % 12 == 0 else "Active"

    def _plan(self, draw: int, ordinal: int) -> Plan:
        if ordinal == 0:
            return PLANS[(NET_FIRST, SIM_FIRST)[draw & 1][(draw >> 3) & 3]]
        return PLANS[(3, 4, 5)[(draw + ordinal) % 3]]

    def _card_ends(self, draw: int) -> str:
        share = draw % 100
        if share < 2:
            return self._months[30]
        if share < 6:
            return self._months[draw // 100 % 30]
        return self._months[32 + draw // 100 % 50]

    def _account_number(self, person: int) -> str:
        layout = self._population.layouts["account"]
        return account_number(layout.before(person)) if layout.count(person) else ""


def _invoice_dates(start: date, cycle: int) -> tuple[InvoiceDates, ...]:
    newest = start + timedelta(days=NEWEST_DUE_AHEAD - cycle)
    return tuple(_dates_before(newest, start, behind) for behind in range(MONTHS))


def _dates_before(newest: date, start: date, behind: int) -> InvoiceDates:
    months = newest.year * 12 + newest.month - 1 - behind
    due_on = date(months // 12, months % 12 + 1, newest.day if behind == 0 else min(newest.day, 28))
    made_on = due_on - timedelta(days=14)
    paid_on = min(due_on - timedelta(days=3), start - timedelta(days=1))
    return InvoiceDates(
        made_on=made_on,
        due_on=due_on,
        paid_at=max(datetime.combine(paid_on, time(3, 10)), datetime.combine(made_on, time(9, 0))),
        made_at=datetime.combine(made_on, time(6, 0, 3)),
    )


def _expiry(start: date, months: int) -> str:
    month = start.year * 12 + start.month - 1 + months
    return f"{month % 12 + 1:02d}/{month // 12 % 100:02d}"
