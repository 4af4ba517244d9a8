"""The first syncs and refresh of everybody, whole, against decoding the same pages and copying the same rows.

`ME_STATUS_BENCH_CUSTOMERS=3000000` sets the number of customers. Up to a million, the pages of WHMCS are rendered
beforehand; beyond they would not fit into memory, and are written when they are asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import psycopg

from config import fields
from tests.benchmarks.bench import Bench
from tests.benchmarks.measured import Measured, at_most
from tests.benchmarks.sources_standin import started

JOBS = ("sync-salesforce", "sync-whmcs", "refresh")
HELD = 3
"""A first refresh of a real population is held by the flood gate: its documents are written, its news wait."""
PAGE_SIZE = 1000
MOST_RENDERED = 1_000_000
SCHEDULE = f"""[whmcs]
page_size = {PAGE_SIZE}
pay_methods_minutes = 0
[limits]
timeout_seconds = 1800           # the stand-in writes all rows of a bulk job within one request
attempts_seconds = 3600
"""
LISTS = {
    "snapshot.invoice": ("GetInvoices", "invoices", "invoice"),
    "snapshot.client": ("GetClients", "clients", "client"),
    "snapshot.service": ("GetClientsProducts", "products", "product"),
}
OBJECTS = {"snapshot.account": "Account", 'snapshot."order"': "Order", 'snapshot."case"': "Case"}
FILLED = (*LISTS, *OBJECTS, "me_status")
TIMES = 5
NOTE = (
    "three commands, each a process, default settings but pages of 1,000 rows and worker processes; the stand-ins are "
    "one process beside them, and what it takes to write an answer counts as ours, but for WHMCS's lists, whose pages "
    "are rendered beforehand up to 1,000,000 customers. Theirs: one page of each list decoded by orjson, times the "
    "pages, and COPY of all rows into tables like ours with their indexes. Pay methods are left out, as WHMCS gives "
    "them client by client. What bounds it: Salesforce's stand-in, for which most of sync-salesforce waits; and a "
    "stream is pulled, then applied, then the next one is pulled. "
)


@dataclass(frozen=True)
class Part:
    """One command: wall seconds, processor seconds of its process, and the most memory it had resident."""

    job: str
    seconds: float
    cpu: float
    peak_mb: float

    def __str__(self) -> str:
        return f"{self.job} {self.seconds:,.0f} s ({self.cpu:,.0f} s CPU, {self.peak_mb:,.0f} MB)"


def run(bench: Bench) -> list[Measured]:
    """One first sync of both sources and one refresh, and the round after; then what it is measured by."""
    customers = int(os.environ.get("ME_STATUS_BENCH_CUSTOMERS") or bench.sized(1_000_000))
    page_size = PAGE_SIZE if customers <= MOST_RENDERED else 0
    with started(customers, page_size) as leading, bench.database() as url:
        parts = [_command(bench, job, url, leading) for job in JOBS]
        again = [_command(bench, job, url, leading) for job in JOBS]
        decoding, copying, size = _decoding(url, leading), _copying(url), _size(url)
    whole = sum(part.seconds for part in parts)
    said = f"{'; '.join(map(str, parts))}; decoding {decoding:.1f} s, COPY {copying:.1f} s; database {size:,.0f} MB"
    said += f". The next round, nothing changed: {'; '.join(map(str, again))}"
    work = f"first syncs and refresh of {customers:,} customers"
    peak = max(part.peak_mb for part in parts)
    return [
        Measured(
            work, "decoding the pages and COPY of the rows", whole, decoding + copying, "s", at_most(4), NOTE + said
        ),
        Measured(f"{work}: peak memory", "a limit in MB", peak, 1, "MB", at_most(1000), "ru_maxrss of each process"),
    ]


def _command(bench: Bench, job: str, url: str, leading: dict[str, Any]) -> Part:
    schedule = bench.home / "first.toml"
    schedule.write_text(SCHEDULE)
    environment = {name.upper(): str(value) for name, value in leading.items()}
    environment |= {"DATABASE_URL": url, "ME_STATUS_SCHEDULE": str(schedule), "ME_STATUS_EXECUTOR": "processes"}
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs", "run", job, "--json"],
            env={"PATH": os.environ["PATH"], **environment}, stdout=said, stderr=said,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        said.seek(0)
        assert os.waitstatus_to_exitcode(status) in (0, HELD), said.read().decode()
    seconds = time.perf_counter() - began
    part = Part(job, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
    bench.say(f"{part}")
    return part


def _decoding(url: str, leading: dict[str, Any]) -> float:
    """Seconds that decoding every page once takes, from one page of each list and object, decoded some times over."""
    with psycopg.connect(url) as connection, httpx.Client(trust_env=False, timeout=600) as client:
        pages = [*_of_whmcs(client, leading), *_of_salesforce(client, leading)]
        seconds = 0.0
        for table, rows, page in pages:
            counted = connection.execute(f"select count(*) from {table}").fetchone()
            assert counted is not None
            began = time.perf_counter()
            for _ in range(TIMES):
                orjson.loads(page)
            seconds += (time.perf_counter() - began) / TIMES * counted[0] / rows
    return seconds


def _of_whmcs(client: httpx.Client, leading: dict[str, Any]) -> Iterator[tuple[str, int, bytes]]:
    """Of each list the table it fills, the rows of one page, and that page."""
    credentials = {"identifier": leading["whmcs_identifier"], "secret": leading["whmcs_secret"]}
    for table, (action, outer, inner) in LISTS.items():
        form = credentials | {"action": action, "responsetype": "json", "limitnum": "1000"}
        answer = client.post(leading["whmcs_url"] + "/includes/api.php", data=form)
        yield table, len(answer.json()[outer][inner]), answer.content


def _of_salesforce(client: httpx.Client, leading: dict[str, Any]) -> Iterator[tuple[str, int, bytes]]:
    """The same of each object, as a page of a query over the mapped fields."""
    home = leading["salesforce_instance_url"]
    form = {
        "grant_type": "client_credentials",
        "client_id": leading["salesforce_consumer_key"],
        "client_secret": leading["salesforce_consumer_secret"],
    }
    token = client.post(f"{home}/services/oauth2/token", data=form).json()["access_token"]
    mapping = fields.load()
    for table, name in OBJECTS.items():
        names = getattr(mapping, name.lower()).model_dump(exclude_none=True).values()
        query = f"select Id, {', '.join(names)} from {name} order by Id limit 2000"
        answer = client.get(
            f"{home}/services/data/v60.0/query", params={"q": query}, headers={"Authorization": f"Bearer {token}"}
        )
        yield table, len(answer.json()["records"]), answer.content


def _copying(url: str) -> float:
    """Seconds of COPY into tables like those that were filled, their indexes included, one after the other."""
    seconds = 0.0
    with psycopg.connect(url) as connection, tempfile.TemporaryFile() as file:
        for table in FILLED:
            file.seek(0)
            file.truncate()
            with connection.cursor().copy(f"copy {table} to stdout (format binary)") as rows:
                for block in rows:
                    file.write(block)
            file.seek(0)
            began = time.perf_counter()
            connection.execute(f"create table copied (like {table} including all)")
            with connection.cursor().copy("copy copied from stdin (format binary)") as rows:
                while block := file.read(1 << 20):
                    rows.write(block)
            connection.commit()
            seconds += time.perf_counter() - began
            connection.execute("drop table copied")
            connection.commit()
    return seconds


def _size(url: str) -> float:
    """The database's size in MB."""
    with psycopg.connect(url) as connection:
        row = connection.execute("select pg_database_size(current_database())").fetchone()
    assert row is not None
    return float(row[0]) / 2**20
