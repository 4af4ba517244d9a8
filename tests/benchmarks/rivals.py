"""Rivals: from this environment with the extra `bench`, otherwise each from one of its own.

That is made on first use, by pip, in the folder that ME_STATUS_BENCH_RIVALS names, or in the user's cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from tests.benchmarks.bench import Bench

PINNED = {
    "dlt": ("dlt[postgres]==1.31.*",),
    "dbt": ("dbt-core==1.10.*", "dbt-postgres<2"),
}


def python_of(bench: Bench, rival: str) -> Path:
    """The interpreter of the environment that has the rival."""
    if find_spec(rival) is not None:
        return Path(sys.executable)
    folder = Path(os.environ.get("ME_STATUS_BENCH_RIVALS") or platformdirs.user_cache_path("me-status-bench")) / rival
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        bench.say(f"installing {' '.join(PINNED[rival])} in {folder}")
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINNED[rival]], check=True)
        (folder / "ready").touch()
    return python


def run(command: list[str | Path], **environment: str) -> str:
    """Runs a rival without its telemetry. Raises RuntimeError with all it said when it fails."""
    quiet = {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    done = subprocess.run(command, env=os.environ | quiet | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout
