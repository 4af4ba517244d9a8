"""Folders for the life of a process, in the temporary folder; the next start of any sweeps those of dead ones.

A lock on a file inside says that the owner lives: the kernel lets go of it however a process ends, in a container or
not, and no process id can be mistaken for another's.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "me-status-scratch-"
LOCK = "in-use"


class Scratch:
    """A new empty folder of this user's, closed to all others."""

    def __init__(self, purpose: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-"))
        self._lock = os.open(self.path / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Removes the folder; a second time does nothing."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


@contextmanager
def folder(purpose: str) -> Iterator[Path]:
    """A new folder, gone at the end of the block."""
    scratch = Scratch(purpose)
    try:
        yield scratch.path
    finally:
        scratch.close()


def sweep() -> int:
    """Removes the folders of this user's dead processes, and says how many those were."""
    return sum(_swept(found) for found in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))


def _swept(found: Path) -> bool:
    """Whether the folder was left by a dead process; one whose lock is not there yet is about to be used."""
    try:
        if found.lstat().st_uid != os.getuid() or found.is_symlink():
            return False
        lock = os.open(found / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(found, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
