"""The reverse proxy of docs/deploying/nginx.conf before a real server, where nginx is at hand."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.integration.api.conftest import ALICE, Rows, token_for
from tests.integration.api.serving import bearer, serving
from tests.ports import free_port

EXAMPLE = Path(__file__).parents[3] / "docs" / "deploying" / "nginx.conf"


@pytest.fixture
def proxied(database_url: str, rows: Rows, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of the proxy."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    rows.run()
    rows.customer(ALICE)
    port = free_port()
    with serving(tmp_path, DATABASE_URL=database_url) as served:
        written = tmp_path / "nginx.conf"
        text = EXAMPLE.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{served.port}")
        written.write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
        with subprocess.Popen([program, "-p", str(tmp_path), "-c", str(written)]) as nginx:
            client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
            for _ in range(300):
                with suppress(httpx.TransportError):
                    client.get("/healthz")
                    break
                time.sleep(0.1)
            yield client
            nginx.terminate()


def test_the_example_serves_and_guards(proxied):
    """Answers come through with their headers; a large body ends at the proxy; chunked ones arrive with a length."""
    headers = bearer(token_for(ALICE))
    answer = proxied.get("/api/me/status", headers=headers)
    assert (200, ALICE) == (answer.status_code, answer.json()["customerId"])
    assert "RateLimit" in answer.headers
    assert 304 == proxied.get("/api/me/status", headers=headers | {"If-None-Match": answer.headers["ETag"]}).status_code
    assert 413 == proxied.post("/api/notifications/read-all", headers=headers, content=b"x" * 20_000).status_code
    assert 204 == proxied.post("/api/notifications/read-all", headers=headers, content=iter([b"{", b"}"])).status_code
    assert 401 == proxied.get("/api/me/status").status_code
