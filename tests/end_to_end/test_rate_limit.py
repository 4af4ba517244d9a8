"""A pull spread over a cluster: faster with more workers, never beyond the configured rate limit."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from jobs.runs.rate_limit import Leases
from tests.end_to_end import cluster
from tests.end_to_end.cluster import Cluster
from tests.whmcs_world import World

POLITE = 4


@pytest.fixture
def world(engine: Engine, database_url: str) -> Iterator[World]:
    """An install whose every answer takes 50 ms."""
    world = World(engine)
    world.settings |= {"database_url": database_url}
    world.pulls |= {"concurrency": POLITE, "page_size": 6}
    world.install.faults.add("slow", times=None, seconds=0.05)
    yield world
    world.close()


@pytest.fixture
def crew(world: World, database_url: str, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster without workers yet, which the install's runs use."""
    pytest.importorskip("distributed", reason="distributed is not installed; it comes with me-status[dask]")
    given = {name.upper(): str(value) for name, value in world.settings.items()}
    with cluster.started(tmp_path, given) as crew:
        world.settings["me_status_executor"] = crew.address
        yield crew


def test_workers_speed_a_pull_up_to_the_rate_limit_and_never_beyond(
    world: World, crew: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """`whmcs.concurrency` holds over all workers together (issue 5), and they make use of it."""
    seconds, at_once = {}, {}
    for workers in (1, 5):
        crew.add_workers(workers - len(crew.workers), threads=1)
        crew.wait_for(workers)
        world.most_at_once, took = 0, []
        for _ in range(3):  # workers connect and log in with their first request
            began = time.monotonic()
            report = world.sync(full=True)
            took.append(time.monotonic() - began)
            assert report.outcome == "succeeded", report.error
        seconds[workers], at_once[workers] = min(took), world.most_at_once
    with capsys.disabled():
        faster = seconds[1] / seconds[5]
        sys.stdout.write(f"\npull with 50 ms of latency: 5 workers {faster:.1f} times the speed of 1, {at_once}\n")
    assert {1: 1, 5: POLITE} == at_once


def test_slots_are_shared_by_everybody_on_the_database(engine: Engine) -> None:
    """Two processes' worth of threads together never hold more leases than there are."""
    lock, held, most = threading.Lock(), 0, 0
    processes = [Leases(engine, "test", 3) for _ in range(2)]

    def request(number: int) -> None:
        nonlocal held, most
        with processes[number % 2].held():
            with lock:
                held += 1
                most = max(most, held)
            time.sleep(0.01)
            with lock:
                held -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(request, range(40)))
    assert most == 3


def test_a_worker_that_dies_gives_its_slot_back(engine: Engine, database_url: str) -> None:
    """A lease belongs to a session and ends with it."""
    leases = Leases(engine, "test", 1)
    dying = psycopg.connect(database_url, autocommit=True)
    dying.execute("select pg_advisory_lock(hashtext('test'), 1)")
    threading.Timer(0.1, dying.close).start()
    with leases.held():
        assert dying.closed
