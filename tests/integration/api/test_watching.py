"""Alerts and dashboard name metrics that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
OPERATOR = "operator-" + "o" * 32


@pytest.mark.parametrize("name", ["alerts.yml", "grafana.json"])
def test_each_metric_named_exists(make_client, rows, name):
    """In the text that /metrics gives; labels of counters appear with the first count."""
    rows.run()
    rows.connection.execute("insert into pipeline.scheduler_heartbeat values ('host 1', now(), now(), '0001')")
    client = make_client(me_status_ops_token=OPERATOR)
    client.get("/healthz")
    text = client.get("/metrics", headers={"Authorization": f"Bearer {OPERATOR}"}).text
    known = set(re.findall(r"^# TYPE (\w+)|^(me_status_\w+)", text, re.MULTILINE))
    flat = {found for pair in known for found in pair if found}
    named = set(re.findall(r"me_status_\w+", (DOCS / name).read_text(encoding="utf-8")))
    assert set() == {metric for metric in named if not flat & {metric, metric.removesuffix("_bucket")}}


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", DOCS / "alerts.yml"), ("test", "rules", Path(__file__).with_name("alert_rules.yml"))],
    ids=["the rules are rules", "each fires when it should"],
)
def test_alerts_by_prometheus_own_checker(arguments):
    """Where it is installed."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian's package prometheus has it)")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
