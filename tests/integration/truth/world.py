"""Two sources in memory: what people do in them, and what a pull of them hands over, faults included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from materializer.snapshot.pulls import StreamState
from tests.integration.truth.deliveries import MALFORMED, SALESFORCE, Delivery

ELIGIBILITY = (None, "Pending", "Eligible", "Ineligible", "Eligible", "Perhaps")
VERIFICATION = (None, "Submitted", "Verified", "Rejected", "Verified", "Perhaps")
ORDER_STATUS = ("Draft", "Submitted", "Approved", "Approved", "Activated", "Completed", "Cancelled", "On Hold")
ACTIVATION = (None, "Scheduled", "Activated", "Failed", "Activated", "Perhaps")
INVOICE_STATUS = ("Unpaid", "Paid", "Unpaid", "Cancelled", "Draft", "Payment Pending", "Refunded", "Strange")
SERVICE_STATUS = ("Active", "Pending", "Suspended", "Cancelled", "Terminated", "Active", "Completed", "Strange")
DUE_IN = (3, 7, 8, 0, -1, -40, 20, 35, 6, 1)
OVERLAP, FULL_EVERY, SWEEP_EVERY = timedelta(minutes=10), timedelta(hours=24), timedelta(minutes=60)

Record = dict[str, Any]


class World:
    """Both sources. `link`: whether accounts name clients or clients name accounts."""

    def __init__(self, now: datetime, zone: ZoneInfo, server_zone: ZoneInfo, link: str) -> None:
        self.now = now
        self.zone = zone
        self.server_zone = server_zone
        self.link = link
        self.salesforce: dict[str, dict[str, Record]] = {name: {} for name in SALESFORCE}
        self.whmcs: dict[str, dict[int, Record]] = {
            name: {} for name in ("client", "service", "invoice", "cancellation", "pay_method")
        }
        self.made = 0

    # Salesforce -------------------------------------------------------------------------------------------------------

    def _stamped(self) -> str:
        return self.now.replace(microsecond=0).isoformat()

    def _insert(self, stream: str, prefix: str, **values: Any) -> Record:
        self.made += 1
        key = f"{prefix}{self.made:012}AAA"
        system = {"IsDeleted": False, "MasterRecordId": None}
        stamps = {"CreatedDate": self._stamped(), "SystemModstamp": self._stamped()}
        self.salesforce[stream][key] = {"Id": key, **system, **stamps, **values}
        return self.salesforce[stream][key]

    def _touch(self, record: Record, **values: Any) -> None:
        record.update(values, SystemModstamp=self._stamped())

    def _alive(self, stream: str, pick: int, *, is_deleted: bool = False) -> Record | None:
        found = [row for row in self.salesforce[stream].values() if row["IsDeleted"] is is_deleted]
        return found[pick % len(found)] if found else None

    def account(self, pick: int, value: int) -> None:
        """A new account, with statuses of any kind."""
        alive = [row for row in self.salesforce["account"].values() if not row["IsDeleted"]]
        if len(alive) < 6:
            self._insert(
                "account",
                "001",
                Internet_Eligibility_Status__c=ELIGIBILITY[value % 6],
                Id_Verification_Status__c=VERIFICATION[pick % 6],
                WHMCS_Client_Id__c=None,
            )

    def eligibility(self, pick: int, value: int) -> None:
        """Another word, the dates with it."""
        if account := self._alive("account", pick):
            notes = 'línea, "quoted"\nsecond line \\ end' if value % 3 else None
            word = ELIGIBILITY[value % 6]
            self._touch(
                account,
                Internet_Eligibility_Status__c=word,
                Internet_Eligibility_Checked_Date_Time__c=self._stamped() if word else None,
                Internet_Eligibility_Notes__c=notes,
            )

    def verification(self, pick: int, value: int) -> None:
        if account := self._alive("account", pick):
            self._touch(
                account,
                Id_Verification_Status__c=VERIFICATION[value % 6],
                Id_Verification_Submitted_Date_Time__c=self._stamped(),
            )

    def linked(self, pick: int, value: int) -> None:
        """The link is set, set twice, to nobody, or taken away."""
        account = self._alive("account", pick)
        clients = list(self.whmcs["client"])
        if account is None or not clients:
            return
        client = clients[value % len(clients)]
        if self.link == "client":
            self.whmcs["client"][client]["reference"] = None if value % 5 == 4 else account["Id"]
            return
        spelt: list[Any] = [str(client), f" {client} ", float(client), client, None, "none", str(client + 900)]
        self._touch(account, WHMCS_Client_Id__c=spelt[value % 7])

    def deleted_account(self, pick: int, value: int) -> None:
        """An account goes: into the bin, out of it, or without a trace."""
        if value % 3 == 0 and (binned := self._alive("account", pick, is_deleted=True)):
            self._touch(binned, IsDeleted=False, MasterRecordId=None)
        elif account := self._alive("account", pick):
            if value % 4 == 1:
                del self.salesforce["account"][account["Id"]]
            else:
                self._touch(account, IsDeleted=True)

    def merged(self, pick: int, value: int) -> None:
        """Two accounts become one; what hung on the loser hangs on the winner."""
        loser, winner = self._alive("account", pick), self._alive("account", pick + 1 + value % 3)
        if loser is None or winner is None or loser is winner:
            return
        self._touch(loser, IsDeleted=True, MasterRecordId=winner["Id"])
        self._touch(winner)
        for stream in ("order", "case"):
            for row in self.salesforce[stream].values():
                if row["AccountId"] == loser["Id"]:
                    self._touch(row, AccountId=winner["Id"])

    def order(self, pick: int, value: int) -> None:
        if account := self._alive("account", pick):
            self._insert(
                "order",
                "801",
                AccountId=account["Id"],
                OrderNumber=f"{self.made:08}" if value % 4 else None,
                Status=ORDER_STATUS[value % 8],
                Activation_Status__c=ACTIVATION[value % 3],
                EffectiveDate=self._day(value),
            )

    def order_walks(self, pick: int, value: int) -> None:
        """Its status moves, or its activation, or both at once; or it goes, or to another account."""
        order = self._alive("order", pick)
        if order is None:
            return
        kind = value % 8
        if kind in (0, 1, 2, 6):
            self._touch(order, Status=ORDER_STATUS[(value // 8 + kind) % 8])
        if kind in (2, 3, 4):
            self._touch(order, Activation_Status__c=ACTIVATION[(value // 8 + kind) % 6])
        if kind == 5 and (account := self._alive("account", value)):
            self._touch(order, AccountId=account["Id"])
        if kind == 7:
            self._touch(order, IsDeleted=True)

    def case(self, pick: int, value: int) -> None:
        """Opened, closed, opened again, or deleted."""
        case = self._alive("case", pick)
        if case is None or value % 3 == 0:
            if account := self._alive("account", pick):
                self._insert(
                    "case",
                    "500",
                    AccountId=account["Id"],
                    CaseNumber=f"{self.made:08}",
                    Subject="Where, is my router?",
                    Status="New",
                    IsClosed=False,
                    ClosedDate=None,
                )
        elif value % 7 == 1:
            self._touch(case, IsDeleted=True)
        else:
            is_closed = not case["IsClosed"]
            closed_at = self._stamped() if is_closed else None
            self._touch(case, IsClosed=is_closed, Status="Closed" if is_closed else "New", ClosedDate=closed_at)

    def garbled(self, pick: int, value: int) -> None:
        """A record gets a value that decides nothing and that nobody can read, or a good one again."""
        stream = SALESFORCE[value % 3]
        field = {
            "account": "Internet_Eligibility_Request_Date_Time__c",
            "order": "EffectiveDate",
            "case": "CreatedDate",
        }[stream]
        if record := self._alive(stream, pick):
            if "~was" in record:
                self._touch(record, **{field: record.pop("~was")})
            else:
                self._touch(record, **{field: "soon", "~was": record.get(field)})

    # WHMCS ------------------------------------------------------------------------------------------------------------

    def _day(self, days: int) -> str:
        return (self.now.astimezone(self.zone).date() + timedelta(days=days)).isoformat()

    def _server_time(self) -> str:
        return self.now.astimezone(self.server_zone).replace(tzinfo=None, microsecond=0).isoformat(sep=" ")

    def _add(self, stream: str, **values: Any) -> None:
        self.made += 1
        self.whmcs[stream][self.made] = {"id": self.made, **values}

    def _one(self, stream: str, pick: int) -> Record | None:
        found = list(self.whmcs[stream].values())
        return found[pick % len(found)] if found else None

    def client(self, pick: int, value: int) -> None:
        """A new one (linked at once, often), or one goes with all it has."""
        client = self._one("client", pick)
        if client is not None and value % 5 == 0:
            self._drop_client(client["id"])
        elif len(self.whmcs["client"]) < 6:
            self._add("client", status="Active", reference=None)
            account = self._alive("account", pick)
            if account is not None and value % 3:
                self._link(account, self.made)

    def _link(self, account: Record, client: int) -> None:
        if self.link == "client":
            self.whmcs["client"][client]["reference"] = account["Id"]
        else:
            self._touch(account, WHMCS_Client_Id__c=str(client))

    def _drop_client(self, client: int) -> None:
        del self.whmcs["client"][client]
        for stream, owner in (("invoice", "userid"), ("service", "clientid"), ("pay_method", "clientid")):
            for key in [key for key, row in self.whmcs[stream].items() if row[owner] == client]:
                del self.whmcs[stream][key]

    def invoice(self, pick: int, value: int) -> None:
        """A new invoice, due sooner or later; sometimes a dozen old paid ones."""
        client = self._one("client", pick)
        if client is None or len(self.whmcs["invoice"]) > 60:
            return
        for number in range(12 if value % 16 == 15 else 1):
            is_old = value % 16 == 15
            self._add(
                "invoice",
                userid=client["id"],
                invoicenum=f"INV-{self.made}" if value % 3 else "",
                status="Paid" if is_old else INVOICE_STATUS[(value // 4) % 3],
                date=self._day(-number),
                duedate=self._day(DUE_IN[value % 10]) if value % 11 else "0000-00-00",
                datepaid=self._server_time() if is_old or (value // 4) % 3 == 1 else "0000-00-00 00:00:00",
                total=("3300.00", "0.10", "1250", "980.50")[value % 4],
                currencycode="USD" if value % 13 == 12 else "JPY",
                created_at=self._server_time() if value % 2 else None,
            )

    def invoice_changes(self, pick: int, value: int) -> None:
        """Paid, cancelled, opened again, of unknown status; its due date moves; it goes; its total is garbled."""
        invoice = self._one("invoice", pick)
        if invoice is None:
            return
        kind = value % 8
        if kind < 4:
            status = INVOICE_STATUS[(value // 8 + kind) % 8]
            invoice["status"] = status
            invoice["datepaid"] = self._server_time() if status == "Paid" else "0000-00-00 00:00:00"
        elif kind < 6:
            invoice["duedate"] = self._day(DUE_IN[(value // 8 + kind) % 10])
        elif kind == 6:
            is_garbled = invoice.pop(MALFORMED, None)
            invoice["total"] = "100.00" if is_garbled else "a lot"
            if not is_garbled:
                invoice[MALFORMED] = True
        elif value % 3 == 0:
            del self.whmcs["invoice"][invoice["id"]]
        elif MALFORMED not in invoice:
            invoice["total"], invoice["currencycode"] = ("", "JPY") if value % 2 else ("77.00", "")

    def service(self, pick: int, value: int) -> None:
        """A new one, or another status, or it goes."""
        service, client = self._one("service", pick), self._one("client", pick)
        if client is None:
            return
        if service is None or value % 4 == 0:
            status = SERVICE_STATUS[(value // 4) % 8]
            name = "Home Internet" if value % 3 else ""
            self._add("service", clientid=client["id"], status=status, name=name, regdate=self._day(-5))
        elif value % 13 == 1:
            del self.whmcs["service"][service["id"]]
        else:
            service["status"] = SERVICE_STATUS[(value // 4) % 8]

    def cancellation(self, pick: int, value: int) -> None:
        """Asked for, or withdrawn."""
        request, service = self._one("cancellation", pick), self._one("service", pick)
        if request is not None and value % 3 == 0:
            del self.whmcs["cancellation"][request["id"]]
        elif service is not None:
            self._add("cancellation", relid=service["id"], type="Immediate", date=self._server_time())

    def card(self, pick: int, value: int) -> None:
        """Stored, about to expire or not (or a bank account); replaced; removed."""
        card, client = self._one("pay_method", pick), self._one("client", pick)
        if client is None:
            return
        end = self.now.astimezone(self.zone).date() + timedelta(days=(0, 31, 62, 400, -40)[value % 5])
        expiry = None if value % 7 == 6 else end.strftime("%m/%y")
        if card is None or value % 3 == 0:
            self._add("pay_method", clientid=client["id"], type="CreditCard", card_last_four="4242", expiry_date=expiry)
        elif value % 3 == 1:
            card["expiry_date"] = expiry
        else:
            del self.whmcs["pay_method"][card["id"]]

    # Pulls ------------------------------------------------------------------------------------------------------------

    def pull(self, stream: str, state: StreamState | None, *, full: bool, fault: str) -> Delivery:
        """What a pull of the stream hands over now; `fault`: none, incomplete, omitted or unconfirmed."""
        if stream in SALESFORCE:
            delivery = self._pull_salesforce(stream, state, full)
        elif stream == "pay_method":
            delivery = self._pull_cards(state, full)
        else:
            delivery = self._pull_whmcs(stream, state, full)
        is_its_own_look_up = stream == "pay_method"
        can_confirm = is_its_own_look_up or fault != "unconfirmed"
        delivery = replace(delivery, source_time=self.now, can_confirm=can_confirm)
        if fault == "incomplete" and stream != "pay_method":
            return replace(delivery, is_complete=False, records=delivery.records[1:])
        if fault == "omitted" and delivery.extent == "full":
            return replace(delivery, records=delivery.records[1:])
        return delivery

    def _pull_salesforce(self, stream: str, state: StreamState | None, full: bool) -> Delivery:
        rows = list(self.salesforce[stream].values())
        alive = [row for row in rows if not row["IsDeleted"]]
        stamps = [moment(row) for row in rows]
        masters = {row["Id"]: row["MasterRecordId"] for row in rows if row["MasterRecordId"]}
        if full or state is None or None in (state.cursor_at, state.full_at) or self._is_past(state, FULL_EVERY):
            cursor = max([moment(row) for row in alive], default=state.cursor_at if state else None)
            known = frozenset(row["Id"] for row in alive)
            return Delivery(stream, "full", alive, cursor_at=cursor, alive=known, masters=masters)
        assert state.cursor_at is not None
        since = state.cursor_at - OVERLAP
        gone = [row["Id"] for row in rows if row["IsDeleted"] and moment(row) >= since]
        return Delivery(
            stream,
            "partial",
            [row for row in alive if moment(row) >= since],
            deleted=tuple(gone),
            merged={key: masters[key] for key in gone if key in masters},
            cursor_at=max([*stamps, state.cursor_at]),
        )

    def _is_past(self, state: StreamState, period: timedelta) -> bool:
        return state.full_at is None or self.now - state.full_at >= period

    def _pull_whmcs(self, stream: str, state: StreamState | None, full: bool) -> Delivery:
        """A sweep when one is due; between sweeps hints: the records with even numbers."""
        rows = list(self.whmcs[stream].values())
        if full or state is None or self._is_past(state, SWEEP_EVERY):
            return Delivery(stream, "full", rows, alive=frozenset(self.whmcs[stream]))
        return Delivery(stream, "partial", [row for row in rows if row["id"] % 2 == 0])

    def _pull_cards(self, state: StreamState | None, full: bool) -> Delivery:
        """All clients' when asked or at first; else those whose turn it is."""
        turn = self.now.hour % 2
        clients = [key for key in self.whmcs["client"] if full or state is None or key % 2 == turn]
        rows = [row for row in self.whmcs["pay_method"].values() if row["clientid"] in clients]
        alive = frozenset(self.whmcs["pay_method"])
        return Delivery("pay_method", "owners", rows, clients=tuple(clients), alive=alive)


def moment(row: Record) -> datetime:
    """The stamp of a Salesforce record."""
    return datetime.fromisoformat(row["SystemModstamp"])


SALESFORCE_EVENTS: dict[str, Callable[[World, int, int], None]] = {
    event.__name__: event
    for event in (
        World.eligibility,
        World.verification,
        World.order,
        World.order_walks,
        World.account,
        World.linked,
        World.deleted_account,
        World.merged,
        World.case,
        World.garbled,
    )
}
WHMCS_EVENTS: dict[str, Callable[[World, int, int], None]] = {
    event.__name__: event
    for event in (
        World.invoice,
        World.invoice_changes,
        World.service,
        World.cancellation,
        World.card,
        World.client,
    )
}
