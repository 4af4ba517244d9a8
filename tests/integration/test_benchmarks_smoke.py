"""The benchmarks run, at a size that says nothing about speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEMBERS = {"work", "against", "ours", "theirs", "ratio", "goal", "met"}


def test_a_work_prints_its_rows_and_writes_them_as_json(tmp_path):
    """Every object of --json has the agreed members; nothing is asserted of the figures but that there are some."""
    file = tmp_path / "rows.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--scale", "tiny", "--only", "api-status", "--json", str(file)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert 0 == ran.returncode, ran.stderr[-2000:]
    rows = json.loads(file.read_text())
    assert {"api-status"} == {row["work"] for row in rows}
    for row in rows:
        assert set(row) >= MEMBERS
        assert row["ours"] > 0
        assert row["against"][:20] in ran.stdout
