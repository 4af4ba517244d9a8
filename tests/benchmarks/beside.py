"""A stand-in in a process of its own: named by its module, announced in one line of JSON, ended with its input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def started(module: str, *arguments: int) -> Iterator[dict[str, Any]]:
    """Runs `python -m module arguments` for the block; gives what it announces."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


def announce(settings: dict[str, Any]) -> None:
    """In that process: announces it, and waits for the end of the block."""
    sys.stdout.write(json.dumps(settings) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
