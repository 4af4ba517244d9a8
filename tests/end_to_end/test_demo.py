"""The installed command: the whole job over HTTP into a real PostgreSQL, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from config.notifications import OFFERED

SIX_TASKS = {
    "invoice_due",
    "add_payment_method",
    "order_in_progress",
    "eligibility_pending",
    "verification_rejected",
    "onboarding",
}


def demo(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `me-status demo` in a home of its own, with credentials around that it must not read."""
    environment = {
        **os.environ,
        "ME_STATUS_HOME": str(home),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/not-for-the-demo",
        "SALESFORCE_INSTANCE_URL": "https://not-for-the-demo.example",
        "ME_STATUS_TIMEZONE": "no/zone",
    }
    return subprocess.run(
        [Path(sys.executable).with_name("me-status"), "demo", *words],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_demo_makes_everything_happen_once(tmp_path: Path) -> None:
    """Twelve notification types, six tasks, something suppressed, and an answer of the API; exit 0."""
    done = demo(tmp_path, "--once", "--json", "--customers", "60", "--days", "5")
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert set(OFFERED) == {name for name, count in report["notifications"].items() if count}
    assert SIX_TASKS == set(report["tasksSeen"])
    assert report["missing"] == []
    assert report["failed"] == []
    assert sum(day["suppressed"] for day in report["days"]) >= 1
    assert report["status"]["freshness"]["isStale"] is False
    assert ["paid an invoice", "added a card"] == [one["what"] for one in report["acted"] if one["seconds"] is not None]


def test_a_size_without_a_script_is_wrong_usage(tmp_path: Path) -> None:
    """All faults are named at once, exit 2."""
    done = demo(tmp_path, "--once", "--customers", "5", "--days", "31")
    assert done.returncode == 2
    assert "--customers 5" in done.stderr
    assert "--days 31" in done.stderr
