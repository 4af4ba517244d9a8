"""Clients that others' generators make of the description, against the API over HTTP; linters find nothing in it.

What needs the tools that `.ci/run` installs by npm in tests/node is skipped without them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.sandbox.clock import WallClock
from jobs.sandbox.server import StandIn
from readapi.openapi import document
from tests.integration.api.conftest import ALICE, token_for

NODE = Path(__file__).parents[2] / "node"
TOOLS = NODE / "node_modules" / ".bin"
SOURCES = ("portal.ts", "use.ts", "tsconfig.json", "package.json")
needs_node = pytest.mark.skipif(not TOOLS.is_dir(), reason="needs `npm install` in tests/node, as .ci/run does it")


def run(*words: object, folder: Path) -> str:
    """Runs one tool. Fails with what it said."""
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True, timeout=300)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the description, our own sources and the tools."""
    (tmp_path / "openapi.json").write_text(json.dumps(document()))
    for name in SOURCES:
        shutil.copy(NODE / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    return tmp_path


@needs_node
def test_linters_find_nothing(folder: Path) -> None:
    """Redocly's recommended rules and Spectral's for OpenAPI: no error and no warning."""
    (folder / ".spectral.yaml").write_text('extends: ["spectral:oas"]\n')
    redocly = json.loads(run(TOOLS / "redocly", "lint", "--format=json", "openapi.json", folder=folder))
    assert {"errors": 0, "warnings": 0, "ignored": 0} == redocly["totals"]
    assert "No results" in run(TOOLS / "spectral", "lint", "--fail-severity=hint", "openapi.json", folder=folder)


@needs_node
def test_typescript_and_zod_clients_read_and_mark(folder: Path, client, rows, bearer) -> None:  # type: ignore[no-untyped-def]
    """The example of docs/portal.md compiles under tsc strict, reads a status, and marks a notification read."""
    rows.run()
    rows.customer(ALICE)
    rows.synced_ago("salesforce", "1 minute")
    rows.synced_ago("whmcs", "1 minute")
    rows.notification(ALICE)
    run(TOOLS / "openapi-typescript", "openapi.json", "-o", "schema.d.ts", folder=folder)
    run(TOOLS / "orval", "--input", "openapi.json", "--output", "zod.ts", "--client", "zod", folder=folder)
    run(TOOLS / "tsc", "-p", ".", folder=folder)
    with StandIn(client.application, WallClock()) as api:
        said = json.loads(run("node", "built/use.js", api.url, token_for(ALICE), folder=folder))
    expected = {"customer": ALICE, "same": True, "zod": ALICE, "unread": [1, 0], "type": "INVOICE_DUE"}
    assert expected == said


def test_a_python_client_reads_and_marks(folder: Path, client, rows) -> None:  # type: ignore[no-untyped-def]
    """openapi-python-client's client does the same."""
    rows.run()
    rows.customer(ALICE)
    rows.notification(ALICE)
    (folder / "config.yml").write_text("post_hooks: []\n")  # unformatted code does the same, sooner
    made = (sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none")
    run(*made, "--output-path", "generated", "--config", "config.yml", folder=folder)
    used = """
import sys
from generated import AuthenticatedClient
from generated.api.notifications import list_notifications, read_notification, count_unread
from generated.api.state import get_status
client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
first = list_notifications.sync(client=client).items[0]
read_notification.sync_detailed(client=client, id=first.id)
print(get_status.sync(client=client).customer_id, first.type_, count_unread.sync(client=client).unread_count)
"""
    with StandIn(client.application, WallClock()) as api:
        said = run(sys.executable, "-c", used, api.url, token_for(ALICE), folder=folder)
    assert f"{ALICE} INVOICE_DUE 0" == said.strip()


def test_the_example_of_the_docs_is_the_one_that_ran() -> None:
    """docs/portal.md shows tests/node/portal.ts, word for word."""
    shown = (Path(__file__).parents[3] / "docs" / "portal.md").read_text()
    assert (NODE / "portal.ts").read_text() in shown
