"""Two schedulers, cron and the API at once, as processes of their own on one database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from http.client import HTTPConnection
from importlib.resources import files
from pathlib import Path

import jwt
import msgspec
import psycopg
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from jobs.sandbox import salesforce, whmcs
from jobs.sandbox.clock import WallClock
from jobs.sandbox.population import Population
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.whmcs import WhmcsInstall
from readapi.openapi import status_schema
from tests.end_to_end.stage import TOKYO, environment
from tests.integration.test_serve import connected
from tests.ports import free_port

JOBS = ("sync-salesforce", "sync-whmcs", "refresh")
KEY = "k" * 40
COMMAND = Path(sys.executable).with_name("me-status")
DOUBLES = """
select customer_id, type, source_id from notification group by customer_id, type, source_id having count(*) > 1
"""


@dataclass
class House:
    """Both sources, a database, and commands as processes."""

    environment: dict[str, str]
    folder: Path
    install: WhmcsInstall
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [COMMAND, *words], env=self.environment, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT
            )
        self.processes.append(process)
        return process

    def run(self, *words: str) -> int:
        return self.start(*words).wait(120)

    def rows(self, question: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            return list(connection.execute(question))  # type: ignore[arg-type]

    def until(self, holds: Callable[[], object], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-3000:]
            time.sleep(0.1)

    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """Sources that live by the clock on the wall, and a schedule on which every job is due each minute."""
    clock = WallClock()
    people = Population(60, 3, datetime.now(TOKYO).date(), TOKYO)
    org = SalesforceOrg(clock, tables=people.salesforce_tables())
    install = WhmcsInstall(clock, zone=TOKYO, tables=people.whmcs_tables())
    packaged = files("config").joinpath("schedule.toml").read_text()
    timing = "".join(f"[jobs.{job}]\nevery = 1\n\n" for job in JOBS)
    head, rest = packaged.split("[jobs.sync-salesforce]")[0], packaged[packaged.index("[freshness_minutes]") :]
    (tmp_path / "schedule.toml").write_text(head + timing + rest)
    with salesforce.serve(org) as crm, whmcs.serve(install) as billing:
        given = {name: value for name, value in os.environ.items() if not name.startswith("ME_STATUS_")}
        given |= environment(org, install, crm.url, billing.url) | {"DATABASE_URL": database_url}
        given |= {"ME_STATUS_SCHEDULE": str(tmp_path / "schedule.toml"), "ME_STATUS_JWT_KEY": KEY}
        given |= {"ME_STATUS_JWT_ISSUER": "portal", "ME_STATUS_JWT_AUDIENCE": "me-status"}
        house = House(given, tmp_path, install)
        yield house
        for process in house.processes:
            process.kill()
            process.wait(10)


@contextmanager
def readers(house: House, port: int) -> Iterator[list[str]]:
    """Two readers of the API; collects every answer that is not whole, and that there were some."""
    faults: list[str] = []
    read: list[int] = []
    over = threading.Event()
    server = house.start("serve", "--port", str(port))
    connected(port, server).close()
    threads = [threading.Thread(target=_read, args=(house, port, over, faults, read), daemon=True) for _ in "ab"]
    for thread in threads:
        thread.start()
    try:
        yield faults
    finally:
        over.set()
        for thread in threads:
            thread.join()
    server.send_signal(signal.SIGTERM)
    assert 0 == server.wait(30)
    assert len(read) > 100, faults[:3]


def _read(house: House, port: int, over: threading.Event, faults: list[str], read: list[int]) -> None:
    validator = Draft202012Validator(status_schema(), format_checker=FormatChecker())
    try:
        while not over.is_set():
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            customers = [str(customer) for (customer,) in house.rows("select customer_id from me_status limit 30")]
            for customer in customers:
                connection.request("GET", "/api/me/status", headers={"Authorization": f"Bearer {_token(customer)}"})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    faults.append(f"{customer}: {answer.status} {body.decode()}")
                    continue
                read.append(len(body))
                faults.extend(
                    f"{customer}: {error.message}" for error in validator.iter_errors(msgspec.json.decode(body))
                )
            connection.close()
            time.sleep(0.05)
    except Exception as error:  # noqa: BLE001, reported by the test
        faults.append(repr(error))


def _token(customer: str) -> str:
    claims = {"sub": customer, "iss": "portal", "aud": "me-status", "exp": datetime.now(UTC) + timedelta(hours=1)}
    return jwt.encode(claims, KEY, algorithm="HS256")


def under_way(house: House) -> list[tuple[object, ...]]:
    return house.rows("select 1 from job_run where job = 'sync-whmcs' and outcome = 'running'")


def finished(house: House) -> bool:
    return len(house.rows("select distinct job from job_run where outcome = 'succeeded' and due_at is not null")) == 3


def test_two_schedulers_cron_and_the_api_do_each_other_no_harm(house: House) -> None:
    """One run per slot, nobody notified twice, every answer whole; SIGTERM lets the current run finish and exits 0."""
    with readers(house, free_port()) as faults:
        schedulers = [house.start("schedule") for _ in range(2)]
        cron = [house.start("run", job, "--slot") for job in JOBS * 2]
        house.until(lambda: finished(house))
        rebuilds = [house.start("rebuild"), house.start("run", "refresh"), house.start("run", "refresh")]
        assert [0] * 9 == [process.wait(120) for process in cron + rebuilds], house.log()
        house.install.faults.add("slow", "GetClients ", times=1, seconds=5.0)
        house.until(lambda: under_way(house))
        for scheduler in schedulers:
            scheduler.send_signal(signal.SIGTERM)
        assert [0, 0] == [scheduler.wait(60) for scheduler in schedulers], house.log()
    assert [] == faults
    assert {("succeeded",)} == set(house.rows("select outcome from job_run")), house.log()
    assert [] == house.rows("select 1 from job_run where due_at is not null group by job, due_at having count(*) > 1")
    assert [] == house.rows(DOUBLES)
    assert house.rows("select 1 from notification limit 1")
    for body, digest in house.rows("select document::text, content_hash from me_status"):
        assert digest == blake2b(str(body).encode(), digest_size=16).hexdigest()
    assert 0 == house.run("run", "all")
    assert 0 == house.run("rebuild", "--dry-run")
    assert ", 0 would change, 0 new, 0 gone" in house.log()
