"""The generated rows of WHMCS, under the field names of whmcs-api 7, as plain Python values in server-local time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from jobs.sandbox.population.invoices import Invoices, plan_of
from jobs.sandbox.population.people import company_name, email, family_name, given_name
from jobs.sandbox.population.persons import Persons
from jobs.sandbox.population.salesforce import account_number
from jobs.sandbox.tables import Row

ACCOUNT_ID_FIELD = 3
ACCOUNT_NUMBER_FIELD = 4


class WhmcsPeople:
    """Rows of one population; each method gives the row of one position."""

    def __init__(self, population: Persons) -> None:
        self._population = population
        self._start = population.start
        self.invoices = Invoices(population)
        self._months = tuple(_expiry(population.start, months) for months in range(-30, 60))
        self._last_month = datetime.combine(population.start - timedelta(days=30), time(10, 1))

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

    def service(self, key: int, person: int, ordinal: int) -> Row:
        """The first is internet or a SIM, further ones go with it (7.5)."""
        draw = self._population.draw(person, 1)
        plan = plan_of(draw, ordinal)
        status = self._service_status(person, ordinal, draw)
        client = self._population.client_id(person)
        due_on = self.invoices.next_due_on(draw)
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

    def _service_status(self, person: int, ordinal: int, draw: int) -> str:
        kind = self._population.kind(person)
        if kind == "left":
            return ("Cancelled", "Terminated")[ordinal & 1]
        if kind == "ordering":
            return "Pending"
        if kind == "suspended":
            return "Suspended"
        return "Terminated" if ordinal > 0 and (draw >> 30) % 12 == 0 else "Active"

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


def _expiry(start: date, months: int) -> str:
    month = start.year * 12 + start.month - 1 + months
    return f"{month % 12 + 1:02d}/{month // 12 % 100:02d}"
