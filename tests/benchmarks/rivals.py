"""Rivals, each in an environment of its own.

That is made on first use in the folder that ME_STATUS_BENCH_RIVALS names, or in the user's cache.
"""

from __future__ import annotations

import os
import subprocess
import venv
from importlib.metadata import version
from pathlib import Path

import platformdirs

from tests.benchmarks.bench import Bench

PINNED = {
    "dlt": ("dlt[postgres]==1.31.*",),
    "dbt": ("dbt-core==1.12.*", "dbt-postgres==1.11.*"),
    "fastpysgi": ("fastpysgi==0.6.*", f"psycopg[binary]=={version('psycopg')}"),
    "duckdb_extensions": ("duckdb==1.5.5", "duckdb-extensions==1.5.5", "duckdb-extension-postgres-scanner==1.5.5"),
}
"""DuckDB 2 fetches its PostgreSQL extension from a host of its own; of 1.5 it is a package like any other."""
LEFT_OUT = "dbt-core-experimental-parser; sys_platform == 'none'\n"
"""Fetched from elsewhere while it is installed, and not needed to take a snapshot."""


def python_of(bench: Bench, rival: str) -> Path:
    """The interpreter of the environment that has the rival."""
    folder = Path(os.environ.get("ME_STATUS_BENCH_RIVALS") or platformdirs.user_cache_path("me-status-bench")) / rival
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        bench.say(f"installing {' '.join(PINNED[rival])} in {folder}")
        venv.create(folder, with_pip=True, clear=True)
        overrides = folder / "left-out.txt"
        overrides.write_text(LEFT_OUT)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
        uv = [python, "-m", "uv", "pip", "install", "--quiet", "--python", python, "--override", overrides]
        subprocess.run([*uv, *PINNED[rival]], check=True)
        (folder / "ready").touch()
    return python


def run(command: list[str | Path], **environment: str) -> str:
    """Runs a rival without its telemetry. Raises RuntimeError with all it said when it fails."""
    quiet = {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    done = subprocess.run(command, env=os.environ | quiet | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout
