"""Many connections while everything fails that can: nothing is answered wrongly, nothing is lost, and it ends well.

ME_STATUS_LOAD_SECONDS=300 and ME_STATUS_LOAD_CONNECTIONS=64 make the long form; CI plays a short one. Figures are
printed, and none of them is held to a number of seconds.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from threading import Event, Lock, Thread
from typing import Any

import httpx
import psutil
import pytest

from tests.integration.api.conftest import Rows, token_for
from tests.integration.api.serving import Served, Wire, answer_of, bearer, serving

SECONDS = float(os.environ.get("ME_STATUS_LOAD_SECONDS", "15"))
CONNECTIONS = int(os.environ.get("ME_STATUS_LOAD_CONNECTIONS", "16"))
CUSTOMERS = 32
BEARABLE = {200, 429, 503}


class Load:
    """Threads that ask without pause and note what came."""

    def __init__(self, served: Served) -> None:
        self._url = f"http://127.0.0.1:{served.port}"
        self._over = Event()
        self._lock = Lock()
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        self.lost = 0
        self.longest: dict[str, float] = {}
        asking = [Thread(target=self._ask, args=(number,), daemon=True) for number in range(CONNECTIONS)]
        self._threads = [*asking, Thread(target=self._ask, args=(None,), daemon=True)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Waits for the last answers."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int | None) -> None:
        with httpx.Client(base_url=self._url, timeout=60, trust_env=False) as client:
            turn = number or 0
            while not self._over.is_set():
                customer = Rows.customer_id(turn % CUSTOMERS)
                turn += 1
                begun = time.perf_counter()
                if number is None:
                    self._note("/healthz", begun, client, None, {})
                    self._over.wait(0.05)
                else:
                    self._note("/api/me/status", begun, client, customer, bearer(token_for(customer)))

    def _note(self, path: str, begun: float, client: httpx.Client, customer: str | None, headers: Any) -> None:
        try:
            answer = client.get(path, headers=headers)
        except httpx.TransportError:
            with self._lock:
                self.lost += 1
            return
        with self._lock:
            self.longest[path] = max(self.longest.get(path, 0.0), time.perf_counter() - begun)
            self.statuses[answer.status_code] += 1
            if answer.status_code not in BEARABLE or (path == "/healthz" and answer.status_code != 200):
                self.wrong.append(f"{path} answered {answer.status_code}")
            elif answer.status_code == 503 and "Retry-After" not in answer.headers:
                self.wrong.append(f"{path} answered 503 without Retry-After")
            elif customer and answer.status_code == 200 and answer.json()["customerId"] != customer:
                self.wrong.append(f"{path} answered another customer's document")


def test_nothing_is_wrong_or_lost_while_everything_fails(database_url, rows: Rows, tmp_path, record_property):
    """The database is cut, restored, held and released, slow bodies hang on, and a worker is killed."""
    rows.run()
    for number in range(CUSTOMERS):
        rows.customer(rows.customer_id(number))
    wire = Wire(database_url)
    wire.restore()
    with serving(tmp_path, DATABASE_URL=wire.url, ME_STATUS_REQUESTS_PER_MINUTE="0") as served:
        load = Load(served)
        drips = [_slow_body(served) for _ in range(8)]
        for fault in (wire.cut, wire.restore, wire.hold, wire.release):
            time.sleep(SECONDS / 5)
            fault()
        time.sleep(SECONDS / 5)
        load.stop()
        assert {408} == {answer_of(drip)[0] for drip in drips}
        record_property("figure", f"load with faults, {CONNECTIONS} connections, {SECONDS:.0f} s: {_figures(load)}")
        assert [] == load.wrong
        assert 0 == load.lost
        assert load.statuses[200] > 0
        assert load.statuses[503] > 0
        _require_recovered(served)
        _kill_a_worker(served)
        _require_recovered(served)


def _slow_body(served: Served) -> Any:
    token = token_for(Rows.customer_id(0))
    head = f"POST /api/notifications/read-all HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    return served.raw(head.encode() + b"Content-Length: 99\r\n\r\n")


def _figures(load: Load) -> str:
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(load.statuses.items()))
    waits = ", ".join(f"{path} {seconds:.2f} s" for path, seconds in load.longest.items())
    return f"{statuses}; wrong {len(load.wrong)}, lost {load.lost}; longest wait: {waits}"


def _require_recovered(served: Served) -> None:
    headers = bearer(token_for(Rows.customer_id(1)))
    for _ in range(600):
        try:
            if served.client.get("/api/me/status", headers=headers).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("it does not recover by itself")


def _kill_a_worker(served: Served) -> None:
    workers = psutil.Process(served.process.pid).children(recursive=True)
    worker = max(workers, key=lambda child: child.create_time())
    os.kill(worker.pid, signal.SIGKILL)
