"""A made-up Salesforce org over real HTTP, a database of its own, and the product's runs between the two."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from sqlalchemy import Engine, text

from config import tables
from config.settings import GivenSettings
from jobs.program import Program
from jobs.runs.ledger import RunOptions
from jobs.runs.run import Report, by_hand
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from jobs.sandbox.salesforce import SalesforceOrg, app
from jobs.sandbox.server import StandIn

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

START = datetime(2026, 11, 1, 9, 0, 0, tzinfo=UTC)
ELIGIBILITY, VERIFICATION = "Internet_Eligibility_Status__c", "Id_Verification_Status__c"
Headers = dict[str, str]


class World:
    """One org with a few customers, and `sync` as `me-status run sync-salesforce` does it at the org's clock.

    `requests` are those the stand-in has seen, as `METHOD /path?query`; `sent_headers` theirs. `change_answer` may
    rewrite the headers of answers, `meanwhile` does something before a request is answered.
    """

    def __init__(self, engine: Engine, people: Population | None = None) -> None:
        self.engine = engine
        self.org = SalesforceOrg(SimulatedClock(START), tables=people.salesforce_tables() if people else None)
        self.requests: list[str] = []
        self.sent_headers: list[Headers] = []
        self.change_answer: Callable[[str, Headers], Headers] = lambda _, headers: headers
        self.meanwhile: Callable[[str], None] = lambda _: None
        self.standin = StandIn(self._recording(app(self.org)), self.org.clock)
        self.settings: dict[str, Any] = {
            "salesforce_consumer_key": self.org.consumer_key,
            "salesforce_consumer_secret": self.org.consumer_secret,
        }
        self.pulls: dict[str, Any] = {"page_size": 200}
        self.limits: dict[str, Any] = {"timeout_seconds": 2.0}
        self.mapping: dict[str, Any] = {}

    def close(self) -> None:
        self.standin.close()

    # What people and time do to the org.

    def later(self, **delta: float) -> datetime:
        """Moves the clock on and returns the new instant."""
        self.org.clock.advance_to(self.org.clock.now() + timedelta(**delta))
        return self.org.clock.now()

    def accounts(self, count: int, **fields: Any) -> list[str]:
        """Adds accounts, pending and submitted unless `fields` say otherwise. Returns their ids."""
        default = {"Name": "Kanto Denki", ELIGIBILITY: "Pending", VERIFICATION: "Submitted"} | fields
        return [self.org.insert("Account", **default) for _ in range(count)]

    def order(self, account: str, **fields: Any) -> str:
        """Adds an order. Returns its id."""
        return self.org.insert("Order", **{"AccountId": account, "EffectiveDate": date(2026, 11, 1)} | fields)

    # What the product does.

    @property
    def program(self) -> Program:
        settings = GivenSettings(salesforce_instance_url=self.standin.url, **self.settings)
        loaded = tables.load(settings)
        plan = loaded.schedule
        plan = plan.model_copy(
            update={
                "salesforce": plan.salesforce.model_copy(update=self.pulls),
                "limits": plan.limits.model_copy(update=self.limits),
            }
        )
        mapping = loaded.mapping.model_copy(update=self.mapping)
        return Program(settings, replace(loaded, schedule=plan, mapping=mapping))

    def sync(self, **options: Any) -> Report:
        """One run of sync-salesforce, such as `sync(full=True)`."""
        return by_hand(self.engine, self.program, "sync-salesforce", RunOptions(**options), self.org.clock.now())[0]

    def refresh(self) -> Report:
        return by_hand(self.engine, self.program, "refresh", RunOptions(), self.org.clock.now())[0]

    # What is in the tables then.

    def values(self, query: str) -> list[Any]:
        """The rows of a query; those of one column as plain values."""
        with self.engine.connect() as connection:
            rows = connection.execute(text(query)).all()
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    @property
    def transitions(self) -> list[tuple[str, str, str | None, str | None]]:
        """All of them, oldest first: id, field, old and new value."""
        return self.values(
            "select entity_id, field, old_value, new_value from status_transition order by transition_id"
        )

    @property
    def notifications(self) -> list[tuple[str, str]]:
        """All of them, oldest first: customer and type."""
        return self.values("select customer_id, type from notification order by created_at, type")

    def cursor(self, stream: str = "account") -> datetime | None:
        """The stream's cursor; None without one."""
        found: list[datetime] = self.values(f"select cursor_at from pipeline.stream_state where stream = '{stream}'")
        return found[0] if found else None

    def statuses(self) -> dict[str, tuple[str, str]]:
        """Eligibility and verification of every account in the snapshot, by id."""
        rows = self.values("select account_id, eligibility_status, verification_status from snapshot.account")
        return {account: (eligibility, verification) for account, eligibility, verification in rows}

    def lost(self) -> list[str]:
        """Ids whose record in the snapshot is not what the org holds: missing, left over or different."""
        return sorted(
            key
            for held, kept in ((_held(self.org, name), self._kept(name)) for name in _COMPARED)
            for key in held.keys() | kept.keys()
            if held.get(key) != kept.get(key)
        )

    def _kept(self, sobject: str) -> dict[str, tuple[Any, ...]]:
        table, columns, _ = _COMPARED[sobject]
        return {row[0]: tuple(row[1:]) for row in self.values(f'select {", ".join(columns)} from snapshot."{table}"')}

    def _recording(self, app: WSGIApplication) -> WSGIApplication:
        def recorded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            query = unquote_plus(environ.get("QUERY_STRING", ""))
            asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}" + (f"?{query}" if query else "")
            self.requests.append(asked)
            self.sent_headers.append(
                {name[5:].replace("_", "-").title(): value for name, value in environ.items() if name[:5] == "HTTP_"}
            )

            self.meanwhile(asked)

            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
                return start_response(status, list(self.change_answer(asked, dict(headers)).items()), *more)

            return app(environ, start)

        return recorded

    def asked(self, pattern: str) -> list[str]:
        """The requests seen so far that the pattern is found in."""
        return [request for request in self.requests if re.search(pattern, request)]


_COMPARED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "Account": (
        "account",
        ("account_id", "eligibility_word", "verification_word", "whmcs_client_id", "eligibility_notes"),
        (ELIGIBILITY, VERIFICATION, "WHMCS_Client_Id__c", "Internet_Eligibility_Notes__c"),
    ),
    "Order": (
        "order",
        ("order_id", "account_id", "status", "activation_status", "order_number"),
        ("AccountId", "Status", "Activation_Status__c", "OrderNumber"),
    ),
    "Case": (
        "case",
        ("case_id", "account_id", "status", "is_closed", "subject"),
        ("AccountId", "Status", "IsClosed", "Subject"),
    ),
}
"""Of each object the snapshot's table, the columns compared, and the fields they hold, behind the id."""


def _held(org: SalesforceOrg, sobject: str) -> dict[str, tuple[Any, ...]]:
    rows = (org.row(sobject, key, deleted=False) for key in org.keys(sobject, deleted=False))
    return {row["Id"]: tuple(_value(row, name) for name in _COMPARED[sobject][2]) for row in rows if row is not None}


def _value(row: Mapping[str, Any], name: str) -> Any:
    value = row.get(name)
    return int(value) if name == "WHMCS_Client_Id__c" and value else value
