"""GET /api/me/status against a bare WSGI function that does the same one-row select on the same server."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import psycopg
from sqlalchemy import text

from config.database import connect
from tests.benchmarks.api_servers import CONNECTIONS, bare_on_the_faster, drive, ours, requests_file
from tests.benchmarks.bench import Bench, settings_for
from tests.benchmarks.measured import Measured, at_least, at_most, of_rounds

WORK = "api-status"
AGAINST = "a bare WSGI function, one-row select"
STATEMENTS = Path(__file__).with_name("status_rows.sql")
BOUND = (
    "What bounds it: Python, for the token, rate and turn of the customer, ages, headers and metrics, half of the "
    "server's time; and the statement, which finds how old each section is, wherever few ask at the same time"
)
NEVER = 4_000_000_000
MOST_PER_SECOND = 12_000
LONGEST_MS = 10
WORKERS = 10


def run(bench: Bench) -> list[Measured]:
    """Random customers: each request under a token never seen before; then the same tokens again and again; then the
    latencies at 80 and at 50 % of the throughput just seen; then ten workers on the cores of one."""
    with bench.database() as url:
        customers = bench.sized(1_000_000)
        bench.say(f"{customers:,} rows of me_status")
        fill(url, customers)
        chosen = random.Random(5)  # the same customers in every run
        with ExitStack() as stack:
            repeated = stack.enter_context(sent(chosen, customers, bench.pick(full=10_000, small=5_000, tiny=500)))
            our_port = stack.enter_context(ours(url))
            bare_port, server = stack.enter_context(bare_on_the_faster(bench, url, repeated))
            compared = _Compared(our_port, bare_port, bench.pick(full=5, small=3), bench.pick(full=5, small=5))
            files = (sent(chosen, customers, compared.seconds * MOST_PER_SECOND) for _ in range(compared.rounds))
            rows = [compared.new_tokens(files, server), *compared.repeating(repeated)]
            return rows if bench.scale == "tiny" else [*rows, compared.crowded(url, repeated)]


@dataclass(frozen=True)
class _Compared:
    """The two servers, by turns: so many rounds of so many seconds each."""

    our_port: int
    bare_port: int
    seconds: int
    rounds: int

    def new_tokens(self, files: Iterable[AbstractContextManager[Path]], server: str) -> Measured:
        """A file of its own for each round, so that no token is ever seen twice."""
        pairs = []
        for file in files:
            with file as fresh:
                pairs.append((self._full(self.our_port, fresh), self._full(self.bare_port, fresh)))
        note = f"each token verified anew. The bare function is on {server}. {BOUND}"
        return of_rounds(WORK, AGAINST, pairs, "requests/s", at_least(0.8), note)

    def repeating(self, requests: Path) -> Iterator[Measured]:
        """Throughput, then latencies at a share of it; each round asks for a share of what it has just seen."""
        self._full(self.our_port, requests)
        speeds, tails, calm = [], [], []
        for _ in range(self.rounds):
            our, bare = self._full(self.our_port, requests), self._full(self.bare_port, requests)
            speeds.append((our, bare))
            tails.append(
                (self._p99(self.our_port, requests, 0.8 * our), self._p99(self.bare_port, requests, 0.8 * bare))
            )
            calm.append((self._p99(self.our_port, requests, 0.5 * our), LONGEST_MS))
        note = "tokens that come again, as a portal's do: remembered until they expire or the keys change."
        yield of_rounds(WORK, f"{AGAINST}; tokens repeat", speeds, "requests/s", at_least(0.9), note)
        note = (
            "requests due at even distances over 64 connections, timed from when each was due. What bounds it: what "
            "asks, what answers and the database's server take turns at two cores"
        )
        yield of_rounds(WORK, "p99 at 80 % load: the bare function's at 80 % of its own", tails, "ms", at_most(1), note)
        yield of_rounds(WORK, f"p99 at 50 % load: {LONGEST_MS} ms", calm, "ms", at_most(1), note)

    def crowded(self, url: str, requests: Path) -> Measured:
        """Ten workers against the one."""
        with ours(url, WORKERS) as port:
            drive(port, requests, seconds=WORKERS * 3, connections=64)  # while they start
            pairs = [
                (self._full(port, requests, 64), self._full(self.our_port, requests, 64)) for _ in range(self.rounds)
            ]
        note = (
            "tokens repeat; 64 connections, each worker with its own memory of tokens. What bounds it: ten workers "
            "share two cores, and fewer customers are asked for together, so that each statement answers fewer"
        )
        return of_rounds(WORK, f"itself with one worker; {WORKERS} workers", pairs, "requests/s", at_least(1), note)

    def _full(self, port: int, requests: Path, connections: int = CONNECTIONS) -> float:
        """Requests per second as fast as they go."""
        return drive(port, requests, seconds=self.seconds, connections=connections).require_only(200).per_second

    def _p99(self, port: int, requests: Path, rate: float) -> float:
        """Milliseconds."""
        driven = drive(port, requests, seconds=self.seconds, rate=rate, connections=64)
        return driven.require_only(200).p99 * 1000


@contextmanager
def sent(chosen: random.Random, customers: int, requests: int) -> Iterator[Path]:
    """A file of requests of random customers. Tokens of one file are unlike any of another: their `exp` differs."""
    ids = [customer_id(chosen.randint(1, customers)) for _ in range(requests)]
    with requests_file(ids, tokens_expire_at=NEVER + chosen.randint(1, 10**8)) as path:
        yield path


def fill(url: str, customers: int) -> None:
    """Rows as the refresh leaves them, vacuumed as they are after a while."""
    engine = connect(settings_for(url))
    with engine.begin() as connection:
        for statement in STATEMENTS.read_text().split(";\n"):
            if statement.strip():
                values = {"customers": customers, "document": document()}
                connection.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})
    engine.dispose()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def customer_id(number: int) -> str:
    """The id of the number-th customer of status_rows.sql."""
    return f"001{number:012d}AAA"


def document() -> str:
    """A document of a customer with a task and four events, 1.3 kB; CUSTOMER stands for the id."""
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(0))
    event = {"type": "invoice_paid", "title": "Invoice paid", "description": "Invoice 2026-100001", "date": made}
    task = {"id": "invoice", "type": "invoice_due", "priority": "high", "title": "Pay your invoice", "detail": made * 6}
    stats = {"activeSubscriptions": 2, "unpaidInvoices": 1, "overdueInvoices": 0, "amountDue": "3300.00"}
    return orjson.dumps(
        {
            "customerId": "CUSTOMER",
            "summary": {"stats": stats, "nextInvoice": None, "recentActivity": [event] * 6},
            "internetEligibility": {"status": "eligible", "eligibility": "10G", "requestedAt": made, "notes": None},
            "residenceCardVerification": {"status": "verified", "submittedAt": made, "reviewedAt": made},
            "paymentMethods": {"totalCount": 1},
            "billing": {"state": "linked"},
            "tasks": [task],
        }
    ).decode()
