"""What an operator has before them: both sources, a database and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from jobs.sandbox import salesforce, whmcs
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.whmcs import WhmcsInstall
from tests.end_to_end.stage import START, TOKYO, Stage, environment
from tests.integration.conftest import database_url, empty_database_url, engine, new_database

__all__ = ["database_url", "empty_database_url", "engine", "new_database"]


@pytest.fixture
def stage(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Stage]:
    """An empty org and an empty install behind HTTP, a fresh database, and no other setting; tries follow at once."""
    clock = SimulatedClock(START)
    org, install = SalesforceOrg(clock), WhmcsInstall(clock, zone=TOKYO)
    with salesforce.serve(org) as crm, whmcs.serve(install) as billing, stamina.set_testing(True, attempts=2, cap=True):
        given = environment(org, install, crm.url, billing.url) | {"DATABASE_URL": database_url}
        stage = Stage(clock, org, install, given, monkeypatch, capsys)
        stage.prepare(tmp_path)
        yield stage
