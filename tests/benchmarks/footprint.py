"""What docs/scaling.md computes from: bytes per row, and processor time per request, per row and per customer.

`python -m tests.benchmarks.footprint [CUSTOMERS]` prints them (100,000 customers take some minutes). Processor time is
that of this process alone: sources answer from another process, PostgreSQL has its own.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from zoneinfo import ZoneInfo

import orjson
import psycopg
from rich.console import Console

from config import schedule
from config.database import LiveDatabase
from config.settings import GivenSettings
from jobs.progress import silent
from jobs.runs.rate_limit import WHMCS_LEASES, Leases
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.reading import Part, Reading
from jobs.sources.whmcs.rows import whmcs_streams
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.refresh import rebuild
from materializer.units import At
from tests.benchmarks.bench import opened
from tests.benchmarks.ground import NOW, Ground, filled

PAGE_ROWS = 250
INVOICE = {
    "id": 1, "userid": 1, "firstname": "Hanako", "lastname": "Sato", "companyname": "", "invoicenum": "2026-1",
    "date": "2026-11-01", "duedate": "2026-11-30", "datepaid": "0000-00-00 00:00:00", "last_capture_attempt": "",
    "subtotal": "3000.00", "credit": "0.00", "tax": "300.00", "tax2": "0.00", "total": "3300.00", "taxrate": "10.000",
    "taxrate2": "0.000", "status": "Unpaid", "paymentmethod": "stripe", "paymethodid": None, "notes": "",
    "created_at": "2026-11-01 03:00:12", "updated_at": "2026-11-01 03:00:12", "currencycode": "JPY",
}  # fmt: skip
CARD = {
    "id": 3, "type": "CreditCard", "description": "", "gateway_name": "stripe", "contact_type": "Client",
    "contact_id": 1, "card_last_four": "4242", "expiry_date": "12/29", "card_type": "Visa", "last_updated": "",
}  # fmt: skip

TRANSITIONS = """insert into status_transition (
    customer_id, entity, entity_id, field, old_value, new_value, observed_at, run_id, is_pending
)
select me_status.customer_id, 'invoice', invoice.invoice_id::text, 'status', 'Unpaid', 'Paid', now(), 1, false
from me_status join snapshot.invoice on invoice.client_id = me_status.whmcs_client_id"""


def main(customers: int) -> None:
    """Prints every figure, one per line."""
    with opened("small", Console(stderr=True)) as bench, filled(bench, customers) as ground:
        began = time.perf_counter()
        _say("rebuild, processor time per customer", _cpu(lambda: _rebuild(ground)) / customers * 1e6, "us")
        _say("rebuild in one thread, with the server's part", (time.perf_counter() - began) / customers * 1e6, "us")
        ground.execute("insert into pipeline.refresh_mark select account_id, now() from snapshot.account")
        ground.execute(TRANSITIONS)
        ground.vacuum()
        ground.refresh()
        ground.vacuum()
        _tell_sizes(ground.url)
        _tell_slots(ground.database)
        _tell_requests()


def _rebuild(ground: Ground) -> None:
    rebuild.rebuild(ground.database, ground.rules, At(1, NOW))


def _tell_sizes(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "select format('%I.%I', schemaname, relname), n_live_tup, pg_table_size(relid), pg_indexes_size(relid)"
            " from pg_stat_user_tables where n_live_tup > 1000 order by 1"
        ).fetchall()
        (document,) = connection.execute("select avg(octet_length(document::text)) from me_status").fetchone() or (0,)
    for name, rows, table, indexes in found:
        _say(f"{name}, {rows:,} rows: bytes per row, its indexes", table / rows, f"+ {indexes / rows:.0f}")
    _say("document as served, mean bytes", float(document), "")


def _tell_slots(database: LiveDatabase) -> None:
    leases = Leases(database.engine, WHMCS_LEASES, 4)
    took = []
    for _ in range(2000):
        began = time.perf_counter()
        with leases.held():
            pass
        took.append(time.perf_counter() - began)
    _say("a lease taken and given back, median", statistics.median(took) * 1e3, "ms")


def _tell_requests() -> None:
    page = {"result": "success", "totalresults": 10**6, "invoices": {"invoice": [INVOICE] * PAGE_ROWS}}
    cards = {"result": "success", "clientid": 1, "paymethods": [CARD]}
    wanted_stream = whmcs_streams(ZoneInfo("Asia/Tokyo"))["invoice"]
    with _answering(orjson.dumps(cards)) as transport:
        used = _cpu(lambda: [None for _ in transport.in_parallel(_cards_of(transport), range(2000))])
        _say("GetPayMethods, processor time per call", used / 2000 * 1e3, "ms")
    with _answering(orjson.dumps(page)) as transport:
        reading = Reading(wanted_stream, SpooledRows(wanted_stream.stream), silent().start("pages"))

        def read() -> None:
            for number in range(400):
                read = transport.page(wanted_stream.action, 0, PAGE_ROWS)
                ids = list(range(number * PAGE_ROWS, (number + 1) * PAGE_ROWS))
                reading.take(Part(0, read.values | {"id": ids}, read.received, read.total))
            reading.parse()

        _say(f"page of {PAGE_ROWS} invoices asked for, decoded, parsed, processor time", _cpu(read) / 400 * 1e3, "ms")
        reading.spool.close()


def _cards_of(transport: WhmcsTransport) -> Callable[[int], object]:
    return lambda client: transport.call("GetPayMethods", clientid=client)


@contextmanager
def _answering(body: bytes) -> Iterator[WhmcsTransport]:
    ours, theirs = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=_serve, args=(body, theirs), daemon=True)
    server.start()
    settings = GivenSettings(whmcs_url=f"http://127.0.0.1:{ours.recv()}", whmcs_identifier="i", whmcs_secret="s")
    transport = WhmcsTransport(settings, schedule.load())
    try:
        yield transport
    finally:
        transport.close()
        server.kill()


def _serve(body: bytes, pipe: Pipe) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
                )
                await reader.readexactly(length)
                writer.write(answer)
        except asyncio.IncompleteReadError:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(converse, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def _cpu(work: Callable[[], object]) -> float:
    """Seconds of this process's processor time that the work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _say(what: str, figure: float, unit: str) -> None:
    sys.stdout.write(f"{what}: {figure:,.2f} {unit}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
