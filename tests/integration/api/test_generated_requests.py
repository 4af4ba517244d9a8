"""Generated requests (schemathesis) over /openapi.json: no fault of ours, no answer that the description denies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.api.conftest import ALICE, Rows, token_for
from tests.integration.api.serving import serving

EXAMPLES = os.environ.get("ME_STATUS_GENERATED_EXAMPLES", "5")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize("authorization", ["", "Bearer {token}"], ids=["without a token", "with a token"])
def test_generated_requests_are_answered_as_described(database_url, rows: Rows, tmp_path: Path, authorization):
    """Every operation, valid and invalid input; ME_STATUS_GENERATED_EXAMPLES asks for more than the few of CI."""
    program = Path(sys.executable).parent / "schemathesis"
    if not program.exists():
        pytest.skip("schemathesis is not installed")
    rows.run()
    rows.customer(ALICE)
    rows.notification(ALICE)
    with serving(tmp_path, DATABASE_URL=database_url, ME_STATUS_REQUESTS_PER_MINUTE="0") as served:
        url = f"http://127.0.0.1:{served.port}/openapi.json"
        given = ["-H", f"Authorization: {authorization.format(token=token_for(ALICE))}"] if authorization else []
        command = [str(program), "run", url, "--checks", CHECKS, "-n", EXAMPLES, "--seed", "1", "--no-color", *given]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
        assert 200 == served.client.get("/healthz").status_code
    assert 0 == ran.returncode, ran.stdout[-6000:] + ran.stderr[-2000:]
