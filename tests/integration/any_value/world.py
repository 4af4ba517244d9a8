"""Two small sources whose records can be spoilt on the wire, and the product between them and its API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from config import tables
from config.settings import GivenSettings
from jobs.commands import status
from jobs.program import Program
from jobs.runs.ledger import RunOptions
from jobs.runs.run import Report, by_hand
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.salesforce import SalesforceOrg, app
from jobs.sandbox.server import StandIn
from jobs.sandbox.whmcs import WhmcsInstall

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

START = datetime(2026, 11, 1, 3, tzinfo=UTC)
FIRST_CLIENT = 730_000_001
"""Beyond whatever a value may name by chance."""
FIELDS: dict[str, tuple[str, ...]] = {
    "account": (
        "Id", "IsDeleted", "CreatedDate", "SystemModstamp", "MasterRecordId", "Internet_Eligibility_Status__c",
        "Id_Verification_Status__c", "Internet_Eligibility__c", "Internet_Eligibility_Request_Date_Time__c",
        "Internet_Eligibility_Checked_Date_Time__c", "Internet_Eligibility_Notes__c", "WHMCS_Client_Id__c",
        "Id_Verification_Submitted_Date_Time__c", "Id_Verification_Reviewed_Date_Time__c",
        "Id_Verification_Rejection_Message__c",
    ),
    "order": (
        "Id", "IsDeleted", "CreatedDate", "SystemModstamp", "AccountId", "Status", "Activation_Status__c",
        "OrderNumber", "EffectiveDate",
    ),
    "case": (
        "Id", "IsDeleted", "CreatedDate", "SystemModstamp", "AccountId", "Status", "IsClosed", "CaseNumber", "Subject",
        "ClosedDate",
    ),
    "client": ("id", "status"),
    "invoice": (
        "id", "userid", "invoicenum", "status", "date", "duedate", "datepaid", "total", "currencycode", "created_at",
    ),
    "balance": ("invoiceid", "userid", "balance", "items"),
    "service": ("id", "clientid", "status", "name", "regdate", "nextduedate"),
    "cancellation": ("id", "relid", "type", "date"),
    "pay_method": ("id", "type", "card_last_four", "expiry_date"),
}  # fmt: skip
"""Every field that is taken from a record, by stream."""
LISTS = {
    "clients": ("client", "client"),
    "invoices": ("invoice", "invoice"),
    "products": ("product", "service"),
    "packages": ("package", "cancellation"),
    "paymethods": (None, "pay_method"),
}


@dataclass(frozen=True)
class Person:
    """The ids of one customer's records. Of invoices, services, pay methods, orders and cases there is a second one."""

    account: str
    order: str
    case: str
    client: int
    invoice: int
    service: int
    cancellation: int
    pay_method: int

    def key(self, stream: str) -> str | int:
        found: str | int = getattr(self, "invoice" if stream == "balance" else stream)
        return found


class World:
    """Both sources with `count` customers who are all alike, and what stands in for values of their records.

    `spoilt`: by stream and id of the record, a field and the JSON text that is sent for it.
    """

    def __init__(self, count: int) -> None:
        self.clock = SimulatedClock(START)
        self.org = SalesforceOrg(self.clock)
        self.install = WhmcsInstall(self.clock, zone=ZoneInfo("UTC"))
        self.spoilt: dict[tuple[str, str | int], tuple[str, str]] = {}
        for at, table in enumerate(("invoices", "services", "pay_methods", "cancellations"), 1):
            self.install.insert(table, {"id": FIRST_CLIENT + at * 10**7, "clientid": 1, "userid": 1, "relid": 1})
        self.people = [self._person(FIRST_CLIENT + number) for number in range(count)]
        self._servers = [
            StandIn(_spoiling(app(self.org), self._salesforce), self.clock),
            StandIn(_spoiling(self.install.app(), self._whmcs), self.clock),
        ]

    def close(self) -> None:
        for server in self._servers:
            server.close()

    def _person(self, client: int) -> Person:
        account = self.org.insert(
            "Account",
            Name="Kanto Denki",
            Internet_Eligibility_Status__c="Eligible",
            Id_Verification_Status__c="Verified",
            WHMCS_Client_Id__c=str(client),
        )
        add = self.install
        add.add_client(id=client)
        orders, cases, invoices, services, methods = zip(
            *(self._records(account, client, total) for total in ("100.00", "20.00")), strict=True
        )
        request = add.add_cancellation(services[0])
        return Person(account, orders[0], cases[0], client, invoices[0], services[0], request, methods[0])

    def _records(self, account: str, client: int, total: str) -> tuple[str, str, int, int, int]:
        due = date(2026, 11, 4)
        return (
            self.org.insert(
                "Order",
                AccountId=account,
                EffectiveDate=date(2026, 11, 1),
                Status="Approved",
                Activation_Status__c="Pending",
            ),
            self.org.insert("Case", AccountId=account, Status="New", Subject="Router"),
            self.install.add_invoice(client, total=total, duedate=due),
            self.install.add_service(client),
            self.install.add_pay_method(client),
        )

    # What stands on the wire.

    def _salesforce(self, answer: Any) -> None:
        for record in answer.get("records", ()):
            stream = record.get("attributes", {}).get("type", "").lower()
            self._spoil(stream, record.get("Id"), record)

    def _whmcs(self, answer: Any) -> None:
        for container, (item, stream) in LISTS.items():
            held = answer.get(container)
            rows = held.get(item, ()) if item and isinstance(held, dict) else held
            for row in rows if isinstance(rows, list) else ():
                self._spoil(stream, int(row["id"]), row)
        if "invoiceid" in answer:
            self._spoil("balance", int(answer["invoiceid"]), answer)

    def _spoil(self, stream: str, key: Any, record: dict[str, Any]) -> None:
        if (found := self.spoilt.get((stream, key))) is not None and found[0] in record:
            record[found[0]] = Raw(found[1])


class Raw(str):
    """JSON text that is sent as it is."""


def _spoiling(inner: WSGIApplication, change: Callable[[Any], None]) -> WSGIApplication:
    def spoiling(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        answer: dict[str, Any] = {}

        def keep(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            answer.update(status=status, headers=headers)
            return lambda _: None

        body = b"".join(inner(environ, keep))
        if body.startswith(b"{"):
            body = _changed(json.loads(body), change)
        kept = [pair for pair in answer["headers"] if pair[0].lower() != "content-length"]
        start_response(answer["status"], [*kept, ("Content-Length", str(len(body)))])
        return [body]

    return spoiling


def _changed(answer: Any, change: Callable[[Any], None]) -> bytes:
    change(answer)
    raws: list[str] = []
    written = json.dumps(_marked(answer, raws)).encode()
    for at, raw in enumerate(raws):
        written = written.replace(b'"@raw %d@"' % at, raw.encode())
    return written


def _marked(value: Any, raws: list[str]) -> Any:
    """The value with marks where raw texts go."""
    if isinstance(value, Raw):
        raws.append(value)
        return f"@raw {len(raws) - 1}@"
    if isinstance(value, dict):
        return {key: _marked(one, raws) for key, one in value.items()}
    return [_marked(one, raws) for one in value] if isinstance(value, list) else value


class Product:
    """me-status between a world and a database, in two time zones."""

    def __init__(self, engine: Engine, world: World, zones: tuple[str, str]) -> None:
        self.engine = engine
        self.world = world
        settings = GivenSettings(
            salesforce_instance_url=world._servers[0].url,
            salesforce_consumer_key=world.org.consumer_key,
            salesforce_consumer_secret=world.org.consumer_secret,
            whmcs_url=world._servers[1].url,
            whmcs_identifier=world.install.identifier,
            whmcs_secret=world.install.secret,
            me_status_timezone=zones[0],
            whmcs_timezone=zones[1],
        )
        loaded = tables.load(settings)
        gate = loaded.notifications.flood_gate.model_copy(update={"floor": 10**6})
        sent = loaded.notifications.model_copy(update={"flood_gate": gate})
        self.program = Program(settings, replace(loaded, notifications=sent))

    def run(self, *, full: bool = True) -> list[Report]:
        """Both syncs and the refresh, a few minutes after the last."""
        clock = self.world.clock
        clock.advance_to(clock.now() + timedelta(minutes=10))
        options = RunOptions(full=full, accept_shrink=True)
        return by_hand(self.engine, self.program, "all", options, clock.now())

    def state(self) -> dict[str, Any]:
        """What `me-status status --json` prints."""
        with self.engine.connect() as connection:
            return status.gather(connection, self.program, now=self.world.clock.now())

    def set_aside(self) -> list[Mapping[str, Any]]:
        """Everything set aside."""
        with self.engine.connect() as connection:
            return list(connection.execute(text("select * from pipeline.set_aside_record")).mappings())
