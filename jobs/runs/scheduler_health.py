"""`schedule --health PORT`: liveness, readiness and metrics of the scheduler; on loopback unless a host is given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest

from config import logs
from config.health import KINDS, Reason
from jobs import migrate
from jobs.runs import health
from jobs.runs.scheduler import Scheduler

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@contextmanager
def served(scheduler: Scheduler, host: str, port: int) -> Iterator[int]:
    """Answers on the address while the block runs; the port, which 0 lets the system choose."""
    server = ThreadingHTTPServer((host, port), _handler(scheduler))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    logs.get("schedule").info("health answered", host=host, port=server.server_port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _handler(scheduler: Scheduler) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers = {"/healthz": _live, "/readyz": _ready, "/metrics": _metrics}
            found = answers.get(self.path)
            status, kind, body = (404, "text/plain", b"nothing here\n") if found is None else found(scheduler)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes are not logged."""

    return Handler


def _live(scheduler: Scheduler) -> tuple[int, str, bytes]:
    return 200, "application/json", b'{"status":"ok"}\n'


def _ready(scheduler: Scheduler) -> tuple[int, str, bytes]:
    reasons = verdict(scheduler)
    body = {"status": "not healthy" if reasons else "healthy", "reasons": [vars(reason) for reason in reasons]}
    return 503 if reasons else 200, "application/json", json.dumps(body).encode() + b"\n"


def verdict(scheduler: Scheduler) -> list[Reason]:
    """The verdict of `status`; where the ledger is away, that alone."""
    try:
        with scheduler.engine.connect() as connection:
            return health.verdict(connection, scheduler.program, datetime.now(UTC))
    except Exception as error:  # noqa: BLE001, it is the answer
        reason = f"the ledger cannot be reached: {logs.describe(error)}"
        return [Reason("ledger-away", "database", reason, "see that the database is up and DATABASE_URL is right")]


def _metrics(scheduler: Scheduler) -> tuple[int, str, bytes]:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    reasons = verdict(scheduler)
    _gauge(registry, "me_status_healthy", "1 when `me-status status` would say healthy.", not reasons)
    kinds = Gauge("me_status_unhealthy_reasons", "Reasons why it is not healthy.", ["kind"], registry=registry)
    for kind in (*KINDS, "ledger-away"):
        kinds.labels(kind).set(sum(reason.kind == kind for reason in reasons))
    silent = scheduler.silent_seconds()
    _gauge(registry, "me_status_scheduler_ledger_silent_seconds", "Seconds since the ledger was last reached.", silent)
    started = scheduler.started_at.timestamp()
    _gauge(registry, "me_status_scheduler_started_timestamp_seconds", "When this scheduler started.", started)
    if (slot := scheduler.next_slot()) is not None:
        _gauge(registry, "me_status_scheduler_next_slot_timestamp_seconds", "The next slot.", slot.timestamp())
    built = Gauge("me_status_build_info", "The schema this program was written for.", ["schema"], registry=registry)
    built.labels(migrate.head()).set(1)
    return 200, CONTENT_TYPE, generate_latest(registry)


def _gauge(registry: CollectorRegistry, name: str, does: str, value: float) -> None:
    Gauge(name, does, registry=registry).set(value)
