"""GET /api/me/status against a bare WSGI function that does the same one-row select on the same server."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import orjson
import psycopg
from sqlalchemy import text

from config.database import connect
from tests.benchmarks.api_servers import Driven, bare, drive, ours, requests_file
from tests.benchmarks.bench import Bench, settings_for
from tests.benchmarks.measured import Measured, at_least, at_most, of_rounds

WORK = "api-status"
STATEMENTS = Path(__file__).with_name("status_rows.sql")
LOAD_SHARE = 0.8
NEVER = 4_000_000_000
MOST_PER_SECOND = 9000
FRESH = "each token verified anew. What is left between the two: the token, who it names, freshness, tags and metrics."


def run(bench: Bench) -> list[Measured]:
    """Random customers: each request under a token never seen before; then the same tokens again and again; then the
    latencies at 80 % of the throughput just seen."""
    with bench.database() as url:
        customers = bench.sized(1_000_000)
        bench.say(f"{customers:,} rows of me_status")
        fill(url, customers)
        with ours(url) as our_port, bare("tests.benchmarks.api_bare:load", url) as bare_port:
            return list(_compared(bench, our_port, bare_port, customers))


def _compared(bench: Bench, our_port: int, bare_port: int, customers: int) -> Iterator[Measured]:
    seconds, rounds = bench.pick(full=5, small=3), bench.pick(full=5, small=5, tiny=1)
    chosen = random.Random(5)  # the same customers in every run
    against = "a bare WSGI function, one-row select"
    pairs = []
    for _ in range(rounds):  # a file of its own for each round, so that no token is ever seen twice
        with sent(chosen, customers, int(seconds * MOST_PER_SECOND)) as fresh:
            pairs.append(_pair(our_port, bare_port, fresh, seconds))
    yield of_rounds(WORK, against, [_speeds(pair) for pair in pairs], "requests/s", at_least(0.7), FRESH)
    with sent(chosen, customers, bench.pick(full=10_000, small=5_000, tiny=500)) as repeated:
        drive(our_port, repeated, seconds=seconds)
        pairs = [_pair(our_port, bare_port, repeated, seconds) for _ in range(rounds)]
        note = "tokens that come again, as a portal's do: remembered until they expire or the keys change."
        yield of_rounds(
            WORK, f"{against}; tokens repeat", [_speeds(pair) for pair in pairs], "requests/s", at_least(0.7), note
        )
        yield _latency(our_port, bare_port, repeated, seconds, rounds)


def _latency(our_port: int, bare_port: int, requests: Path, seconds: float, rounds: int) -> Measured:
    """Each round sees what the machine gives at the moment, then asks for 80 % of that, of both sides by turns."""
    ours, theirs = zip(
        *((_loaded(our_port, requests, seconds), _loaded(bare_port, requests, seconds)) for _ in range(rounds)),
        strict=True,
    )
    bares = median(driven.p99 / driven.p50 for driven in theirs)
    note = (
        f"{median(driven.per_second for driven in ours):,.0f} requests/s due at even distances over 64 connections, "
        "timed from when each was due; generator, server and PostgreSQL share the cores. The bare function's own p99 "
        f"at 80 % of its throughput, by turns with ours: {bares:.1f} times its p50"
    )
    pairs = [(driven.p99 * 1000, driven.p50 * 1000) for driven in ours]
    return of_rounds(WORK, "p99 against its own p50 at 80 % load", pairs, "ms", at_most(4), note)


def _loaded(port: int, requests: Path, seconds: float) -> Driven:
    rate = drive(port, requests, seconds=seconds).per_second * LOAD_SHARE
    return drive(port, requests, seconds=seconds, rate=rate, connections=64).require_only(200)


def _pair(our_port: int, bare_port: int, requests: Path, seconds: float) -> tuple[Driven, Driven]:
    one = drive(our_port, requests, seconds=seconds).require_only(200)
    return one, drive(bare_port, requests, seconds=seconds).require_only(200)


def _speeds(pair: tuple[Driven, Driven]) -> tuple[float, float]:
    return pair[0].per_second, pair[1].per_second


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
        connection.execute("vacuum analyze me_status")
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
