"""A made-up WHMCS install over real HTTP, a database of its own, and the product's runs between the two."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text

from config import tables
from config.settings import GivenSettings
from jobs.program import Program
from jobs.runs.ledger import RunOptions
from jobs.runs.run import Report, by_hand
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from jobs.sandbox.server import StandIn
from jobs.sandbox.whmcs import WhmcsInstall, label
from materializer.snapshot.streams import STREAMS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TOKYO = ZoneInfo("Asia/Tokyo")
START = datetime(2026, 11, 1, 3, tzinfo=UTC)
TABLES = {
    "client": "clients",
    "service": "services",
    "invoice": "invoices",
    "cancellation": "cancellations",
    "pay_method": "pay_methods",
}
"""The streams and where the install keeps their rows."""
LISTS = ("GetClients ", "GetClientsProducts", "GetInvoices", "GetCancelledPackages", "GetPayMethods")
"""What the labels of the lists' requests begin with."""
PEOPLE = Population(customers=30, seed=1, start=date(2026, 11, 1), zone=TOKYO)
Rows = dict[str, list[tuple[Any, ...]]]


class World:
    """One install, and `sync` as `me-status run sync-whmcs` does it at the install's clock.

    `requests` are the labels of those the stand-in has seen, `most_at_once` how many it had in hand at the same time.
    `spoil` may rewrite the body of an answer, given the request's label. `pulls`, `limits`, `link` replace what the
    schedule and the mapping say.
    """

    def __init__(self, engine: Engine, people: Population = PEOPLE) -> None:
        self.engine = engine
        self.install = WhmcsInstall(SimulatedClock(START), zone=TOKYO, tables=people.whmcs_tables())
        self.requests: list[str] = []
        self.most_at_once = 0
        self.spoil: Callable[[str, bytes], bytes] | None = None
        self._at_once = 0
        self._lock = Lock()
        self.standin = StandIn(self._watched(self.install.app()), self.install.clock)
        self.settings: dict[str, Any] = {
            "whmcs_url": self.standin.url,
            "whmcs_identifier": self.install.identifier,
            "whmcs_secret": self.install.secret,
            "whmcs_timezone": "Asia/Tokyo",
        }
        self.pulls: dict[str, Any] = {"page_size": 12}
        self.limits: dict[str, Any] = {"timeout_seconds": 5.0}
        self.link: dict[str, Any] = {}

    def close(self) -> None:
        self.standin.close()

    # What people and time do to the install.

    def later(self, **delta: float) -> datetime:
        """Moves the clock on and returns the new instant."""
        self.install.clock.advance_to(self.install.clock.now() + timedelta(**delta))
        return self.install.clock.now()

    def quirk(self, **switches: Any) -> None:
        """Turns quirks on (or off)."""
        for name, value in switches.items():
            setattr(self.install.quirks, name, value)

    def well(self) -> None:
        """Ends every fault and quirk."""
        self.install.faults.clear()
        self.install.quirks = type(self.install.quirks)()
        self.install.after_page = None
        self.spoil = None

    def keys(self, stream: str) -> list[int]:
        """The ids the install holds."""
        return list(self.install.tables[TABLES[stream]].keys())

    def empty(self, *streams: str) -> None:
        """Deletes every row of some streams."""
        for stream in streams:
            self.delete(stream, *self.keys(stream))

    def delete(self, stream: str, *keys: int) -> None:
        """Deletes rows; with a client go its pay methods."""
        if stream == "client":
            self.delete("pay_method", *(
                row["id"] for row in list(self.install.tables["pay_methods"].rows()) if row["clientid"] in keys
            ))  # fmt: skip
        for key in keys:
            self.install.delete(TABLES[stream], key)

    def claim_clients(self) -> None:
        """Gives every client a customer, so that somebody can be notified of what happens to it."""
        with self.engine.begin() as connection:
            for client in self.keys("client"):
                connection.execute(
                    text(
                        "insert into snapshot.account (account_id, is_customer, eligibility_status,"
                        " verification_status, whmcs_client_id) values (:id, true, 'eligible', 'verified', :client)"
                    ),
                    {"id": f"001{client:012d}AAA", "client": client},
                )

    # What the product does.

    @property
    def program(self) -> Program:
        settings = GivenSettings(**self.settings)
        loaded = tables.load(settings)
        plan, mapping = loaded.schedule, loaded.mapping
        changes: dict[str, Any] = {
            "whmcs": plan.whmcs.model_copy(update=self.pulls),
            "limits": plan.limits.model_copy(update=self.limits),
        }
        mapping = mapping.model_copy(update={"link": mapping.link.model_copy(update=self.link)})
        return Program(settings, replace(loaded, schedule=plan.model_copy(update=changes), mapping=mapping))

    def sync(self, **options: Any) -> Report:
        """One run of sync-whmcs, such as `sync(full=True)`."""
        return by_hand(self.engine, self.program, "sync-whmcs", RunOptions(**options), self.install.clock.now())[0]

    def refresh(self) -> Report:
        return by_hand(self.engine, self.program, "refresh", RunOptions(), self.install.clock.now())[0]

    # What is in the tables then.

    def values(self, query: str) -> list[Any]:
        """The rows of a query; those of one column as plain values."""
        with self.engine.connect() as connection:
            rows = connection.execute(text(query)).all()
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]

    def snapshot(self) -> Rows:
        """Every row of every WHMCS stream, in order of the key."""
        return {
            name: self.values(
                f"select row({', '.join(STREAMS[name].columns)})::text from {STREAMS[name].table}"
                f" order by {STREAMS[name].key}"
            )
            for name in TABLES
        }

    def kept(self, stream: str) -> list[int]:
        """The ids in the snapshot."""
        return self.values(f"select {STREAMS[stream].key} from {STREAMS[stream].table} order by 1")

    @property
    def lost(self) -> dict[str, list[int]]:
        """Ids the install holds and the snapshot does not, or the other way round, by stream."""
        apart = {name: sorted({*self.keys(name)} ^ {*self.kept(name)}) for name in TABLES}
        return {name: keys for name, keys in apart.items() if keys}

    @property
    def transitions(self) -> list[tuple[str, str, str | None, str | None]]:
        return self.values(
            "select entity, entity_id, old_value, new_value from status_transition order by transition_id"
        )

    @property
    def set_aside(self) -> list[tuple[str, str]]:
        """Stream and record of everything set aside at present."""
        return self.values("select stream, record_id from pipeline.set_aside_record order by 1, 2")

    @property
    def error(self) -> str | None:
        """What `status` says the source answered last."""
        found: str | None = self.values("select error from pipeline.source_state where source = 'whmcs'")[0]
        return found

    def asked(self, pattern: str) -> list[str]:
        """The requests seen so far that the pattern is found in."""
        return [request for request in self.requests if re.search(pattern, request)]

    # The layer that watches.

    def _watched(self, app: WSGIApplication) -> WSGIApplication:
        def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            asked = label(environ)
            with self._lock:
                self.requests.append(asked)
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
            try:
                return self._answered(app, environ, start_response, asked)
            finally:
                with self._lock:
                    self._at_once -= 1

        return watched

    def _answered(
        self, app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, asked: str
    ) -> Iterable[bytes]:
        if self.spoil is None:
            return app(environ, start_response)
        answer: dict[str, Any] = {}

        def keep(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            answer.update(status=status, headers=headers)
            return lambda _: None

        body = self.spoil(asked, b"".join(app(environ, keep)))
        headers = [pair for pair in answer["headers"] if pair[0].lower() != "content-length"]
        start_response(answer["status"], [*headers, ("Content-Length", str(len(body)))])
        return [body]


def moved(report: Report) -> dict[str, int]:
    """How many rows of all streams a run added, changed and removed, and how many it set aside; zeros left out."""
    sums: Counter[str] = Counter()
    for name in TABLES:
        counts = report.counts.get(name, {})
        sums.update({kind: counts.get(kind, 0) for kind in ("added", "changed", "removed", "set_aside")})
    return {kind: count for kind, count in sums.items() if count}
