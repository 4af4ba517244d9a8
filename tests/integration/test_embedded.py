"""The embedded server is its owner's alone, wherever its home lies."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import embedded
from config.errors import MeStatusError

PROGRAM = """
import sys, pathlib, psycopg
from config.embedded import embedded_url
url = embedded_url(pathlib.Path(sys.argv[1]))
with psycopg.connect(url) as connection:
    print(connection.info.host)
    print(connection.info.user, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder that the server's user can reach, whoever runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="me-status-embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("length", [0, 90], ids=["short", "too long for a socket"])
def test_its_socket_is_closed_to_others(ground, length):
    """The socket's folder has mode 0700, and another user of the machine is not let in."""
    home = ground / ("long" * length)[:length] / "home"
    home.parent.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    environment["TMPDIR"] = str(ground)
    command = [sys.executable, "-c", PROGRAM, str(home)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, cwd=root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        socket_folder = Path(owner.stdout.readline().strip())
        assert "postgres" == owner.stdout.readline().strip()
        assert 0o700 == stat.S_IMODE(socket_folder.stat().st_mode)
        assert (length > 0) == (socket_folder != home / "postgresql")
        rules = (home / "postgresql" / "pg_hba.conf").read_text()
        assert "trust" not in rules
        if os.geteuid() == 0:
            require_shut(socket_folder)
        owner.communicate("")


def require_shut(socket_folder: Path) -> None:
    """Neither the folder nor, were it open, the server lets user `nobody` in."""
    url = f"postgresql://postgres@/postgres?host={socket_folder}"
    program = f"import os, psycopg; os.setuid({pwd.getpwnam('nobody').pw_uid}); psycopg.connect({url!r})"
    for mode, said in ((0o700, "Permission denied"), (0o777, "Peer authentication failed")):
        socket_folder.chmod(mode)
        tried = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert 0 != tried.returncode
        assert said in tried.stderr


def test_a_runtime_folder_of_somebody_elses_is_refused(ground, monkeypatch):
    """A folder that others may write to, or a link, is no place for a socket: said with the remedy."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(ground))
    folder = ground / f"me-status-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(MeStatusError, match="set TMPDIR"):
        embedded.embedded_url(ground / "home")
    folder.rmdir()
    folder.symlink_to(ground)
    with pytest.raises(MeStatusError, match="set TMPDIR"):
        embedded.embedded_url(ground / "home")
