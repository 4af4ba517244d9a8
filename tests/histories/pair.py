"""Two PostgreSQL servers, one of which follows the other and takes its place: what is committed, both have."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.crashes import server
from tests.ports import free_port

PATIENCE = 60
COMMON = "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c wal_retrieve_retry_interval=200ms"
FOLLOWING = "select count(*) from pg_stat_replication where state = 'streaming' and sync_state = 'sync'"


class Pair:
    """A primary at `url`, whose commits wait for its standby. After `fail_over` the standby is the primary at `url`.

    An address that moves with the primary, as a cluster's has: connections break, and new ones reach the other server.
    The standby is on `standby_port`.
    """

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self.binaries = binaries
        self.port, self.standby_port = free_port(), free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._primary, self._standby = "first", "second"

    def start(self) -> None:
        """Makes both and waits until one follows the other."""
        self._run("initdb", "-D", self._primary, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._pg_ctl(self._primary, "start", "-o", self._leading())
        self._follow()

    def crash(self) -> None:
        """Ends every process of the primary at once, and starts it again; it recovers from its log."""
        self._pg_ctl(self._primary, "restart", "-m", "immediate")

    def fail_over(self) -> None:
        """The primary is lost with all it has, the standby takes its place, and gets a standby of its own.

        As a cluster's minder would, it first waits until the standby has followed, such as after a crash.
        """
        self._wait_until_followed()
        self._pg_ctl(self._primary, "stop", "-m", "immediate")
        self._pg_ctl(self._standby, "promote")
        self._pg_ctl(self._standby, "restart", "-m", "fast", "-o", self._leading())
        self._primary, self._standby = self._standby, self._primary
        shutil.rmtree(self.folder / self._standby)
        self._follow()

    def stop(self) -> None:
        for one in (self._primary, self._standby):
            self._pg_ctl(one, "stop", "-m", "immediate")

    def _leading(self) -> str:
        return f"-p {self.port} {COMMON} -c synchronous_standby_names=*"

    def _follow(self) -> None:
        """A standby from a copy of the primary."""
        source = f"host=127.0.0.1 port={self.port} user=postgres"
        self._run("pg_basebackup", "-D", self._standby, "-d", source, "-R", "-c", "fast", "--no-sync")
        self._pg_ctl(self._standby, "start", "-o", f"-p {self.standby_port} {COMMON}")
        self._wait_until_followed()

    def _wait_until_followed(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError), psycopg.connect(self.url) as connection:
                if connection.execute(FOLLOWING).fetchone() == (1,):
                    return
            time.sleep(0.05)
        raise TimeoutError(f"no standby follows the primary after {PATIENCE} s; see {self.folder}")

    def _pg_ctl(self, data: str, action: str, *words: str) -> None:
        self._run("pg_ctl", "-w", "-D", data, "-l", f"{data}.log", action, *words)

    def _run(self, program: str, *words: str) -> None:
        server.run(self.folder, self.binaries / program, *words)


@contextmanager
def running() -> Iterator[Pair]:
    """A fresh pair of the embedded server's version, gone at the end of the block."""
    with server.home() as folder:
        pair = Pair(folder, server.embedded())
        pair.start()
        yield pair
        pair.stop()
