"""GET /api/me/status against a small aggregator that asks both sources while the caller waits; and a source down."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx
import orjson

from jobs.sandbox.clock import WallClock
from jobs.sandbox.population import Population
from jobs.sandbox.salesforce import SalesforceOrg, app
from jobs.sandbox.server import StandIn
from jobs.sandbox.whmcs import WhmcsInstall
from tests.benchmarks.api_servers import bare, drive, ours
from tests.benchmarks.api_status import fill, sent
from tests.benchmarks.bench import Bench
from tests.benchmarks.measured import Measured, at_least, of_rounds

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WORK = "api-live"
LATENCY_SECONDS = 0.05
NOTE = (
    "The aggregator has the same server and threads, asks both sources side by side over kept-alive connections, and "
    "makes the seven calls the document needs: three queries of Salesforce, four actions of WHMCS, 50 ms each. What "
    "bounds it is the sources' latency times its threads; more threads would spend the sources' quotas sooner."
)


@dataclass
class Link:
    """The way to a source, or to both: 50 ms long, or broken; `asked` holds the path of each request."""

    is_down: bool = False
    asked: list[str] = field(default_factory=list)

    def over(self, app: WSGIApplication) -> WSGIApplication:
        """The app at the far end."""

        def far(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self.asked.append(environ["PATH_INFO"])
            time.sleep(LATENCY_SECONDS)
            if self.is_down:
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return [b""]
            return app(environ, start_response)

        return far


def run(bench: Bench) -> list[Measured]:
    """Throughput with both sources up, then ours with both down."""
    customers = bench.sized(1_000_000)
    with bench.database() as url, standing_in() as (link, given):
        fill(url, customers)
        with ours(url) as our_port, bare("tests.benchmarks.api_live:load", given) as live_port:
            return list(_compared(bench, link, our_port, live_port, customers))


def _compared(bench: Bench, link: Link, our_port: int, live_port: int, customers: int) -> Iterator[Measured]:
    seconds, rounds = bench.pick(full=6, small=3), bench.pick(full=5, small=3)
    with sent(random.Random(6), customers, 20_000) as requests:

        def served(port: int) -> float:
            return drive(port, requests, seconds=seconds).require_only(200).per_second

        served(our_port)
        pairs = [(served(our_port), served(live_port)) for _ in range(rounds)]
        yield of_rounds(WORK, "asking both sources live per request", pairs, "requests/s", at_least(100), NOTE)
        pairs = []
        for _ in range(rounds):
            link.is_down = True
            down = served(our_port)
            drive(live_port, requests, seconds=1).require_only(502)
            link.is_down = False
            pairs.append((down, served(our_port)))
        note = "Ours asks no source while a caller waits; the aggregator answers every request with an error."
        yield of_rounds(WORK, "itself with both sources up, both being down", pairs, "requests/s", at_least(0.9), note)


@contextmanager
def standing_in() -> Iterator[tuple[Link, str]]:
    """Both stand-ins with a hundred customers behind the link; gives what `load` needs to find them, as JSON."""
    link, clock = Link(), WallClock()
    population = Population(100, 1, date(2026, 11, 1), ZoneInfo("Asia/Tokyo"))
    org = SalesforceOrg(clock, tables=population.salesforce_tables())
    install = WhmcsInstall(clock, zone=population.zone, tables=population.whmcs_tables())
    with StandIn(link.over(app(org)), clock) as salesforce, StandIn(link.over(install.app()), clock) as whmcs:
        given = {
            "salesforce": salesforce.url,
            "login": {
                "grant_type": "client_credentials",
                "client_id": org.consumer_key,
                "client_secret": org.consumer_secret,
            },
            "whmcs": whmcs.url,
            "credentials": {"identifier": install.identifier, "secret": install.secret, "responsetype": "json"},
            "account": population.account_id(0),
            "client": population.client_id(0),
        }
        yield link, orjson.dumps(given).decode()


def load(given: str) -> WSGIApplication:
    """The aggregator. It always asks about the same customer: a source's answer costs the same for any."""
    sources = orjson.loads(given)
    client = httpx.Client(trust_env=False, timeout=10, limits=httpx.Limits(max_keepalive_connections=32))
    session = client.post(f"{sources['salesforce']}/services/oauth2/token", data=sources["login"]).raise_for_status()
    headers = {"Authorization": f"Bearer {session.json()['access_token']}"}
    asking = ThreadPoolExecutor(16)

    def query(soql: str) -> Any:
        answer = client.get(f"{sources['salesforce']}/services/data/v62.0/query", params={"q": soql}, headers=headers)
        return answer.raise_for_status().json()["records"]

    def act(action: str, key: str) -> Any:
        data = sources["credentials"] | {"action": action, key: sources["client"]}
        return client.post(f"{sources['whmcs']}/includes/api.php", data=data).raise_for_status().json()

    def of_salesforce() -> Any:
        account = sources["account"]
        return [
            query(f"SELECT Id, CreatedDate FROM Account WHERE Id = '{account}'"),
            query(f"SELECT Id, Status FROM Order WHERE AccountId = '{account}'"),
            query(f"SELECT Id, Status FROM Case WHERE AccountId = '{account}'"),
        ]

    def of_whmcs() -> Any:
        return [
            act("GetClientsDetails", "clientid"),
            act("GetInvoices", "userid"),
            act("GetClientsProducts", "clientid"),
            act("GetPayMethods", "clientid"),
        ]

    def both() -> bytes:
        asked = [asking.submit(source) for source in (of_salesforce, of_whmcs)]
        return orjson.dumps([each.result() for each in asked])

    return _answering(both)


def _answering(read: Callable[[], bytes]) -> WSGIApplication:
    def answer(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            status, body = "200 OK", read()
        except httpx.HTTPError:
            status, body = "502 Bad Gateway", b"{}"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return answer
