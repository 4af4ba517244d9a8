"""The generated invoices of WHMCS (whmcs-api 7.3) and the plans they are for."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from jobs.sandbox.population.people import company_name, family_name, given_name
from jobs.sandbox.population.persons import Persons
from jobs.sandbox.tables import Row

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


class Invoices:
    """The invoices of one population, and the plans and billing dates they follow."""

    def __init__(self, population: Persons) -> None:
        self._population = population
        self._dates = tuple(_invoice_dates(population.start, cycle) for cycle in range(CYCLES))
        self._payer = self._payer_of(0)

    def next_due_on(self, draw: int) -> date:
        """When the services of the person with this number are next due: within 30 days after the start."""
        ahead = NEWEST_DUE_AHEAD - (draw >> 8) % CYCLES
        return self._population.start + timedelta(days=ahead if ahead > 0 else ahead + CYCLES)

    def row(self, key: int, person: int, ordinal: int) -> Row:
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
            plan=plan_of(draw, 0),
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


def plan_of(draw: int, ordinal: int) -> Plan:
    """The plan of a person's service: the first is internet or a SIM, further ones go with it."""
    if ordinal == 0:
        return PLANS[(NET_FIRST, SIM_FIRST)[draw & 1][(draw >> 3) & 3]]
    return PLANS[(3, 4, 5)[(draw + ordinal) % 3]]


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
