"""A Dask cluster on loopback: a scheduler and workers as processes of their own, to be killed at will."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class Cluster:
    """A scheduler with workers. `address` is what ME_STATUS_EXECUTOR takes."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {name: value for name, value in os.environ.items() if "EXECUTOR" not in name} | dict(
            environment
        )
        self._log = (folder / "dask.log").open("ab")
        found = folder / "scheduler.json"
        self._scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(found))
        self.address = "dask://" + _address_in(found).removeprefix("tcp://")
        self.workers: list[subprocess.Popen[bytes]] = []

    def add_workers(self, count: int, threads: int = 2) -> None:
        """Starts workers; what is to be done waits until they have come."""
        url = self.address.replace("dask://", "tcp://")
        for _ in range(count):
            words = ("--nthreads", str(threads), "--no-nanny", "--local-directory", str(self._folder))
            self.workers.append(self._start("worker", url, *words))

    def wait_for(self, count: int) -> None:
        """Waits until so many workers have come and read the program."""
        from distributed import Client

        with Client(self.address.replace("dask://", "tcp://"), set_as_default=False) as client:
            client.wait_for_workers(count, timeout=60)
            client.run(exec, "import jobs.runs.rate_limit")

    def close(self) -> None:
        for process in (*self.workers, self._scheduler):
            process.kill()
            process.wait()
        self._log.close()

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1", "--no-dashboard"],
            env=self._environment, cwd=self._folder, stdout=self._log, stderr=self._log,
        )  # fmt: skip


@contextmanager
def started(folder: Path, environment: Mapping[str, str]) -> Iterator[Cluster]:
    """A scheduler without workers; everything is killed at the end."""
    cluster = Cluster(folder, environment)
    try:
        yield cluster
    finally:
        cluster.close()


def _address_in(file: Path) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if file.exists() and file.stat().st_size:
            return str(json.loads(file.read_text())["address"])
        time.sleep(0.05)
    raise TimeoutError("no Dask scheduler started; see dask.log")
