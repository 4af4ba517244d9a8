"""Clients that others wrote, installed for the session into folders of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from jobs.sandbox.population import Population
from tests.salesforce_world import World as Org
from tests.whmcs_world import TOKYO
from tests.whmcs_world import World as Install

SWITCH = "ME_STATUS_INDEPENDENT"
SECONDS = 180
HERE = Path(__file__).parent
PEOPLE = Population(customers=60, seed=1, start=date(2026, 11, 1), zone=TOKYO)
Read = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="session")
def jsforce(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """jsforce under the Node at hand; 3.10.16 is the last one for Node before 22."""
    _wanted("node")
    folder = tmp_path_factory.mktemp("jsforce")
    npm = [_wanted("npm"), "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
    _installed("jsforce", [*npm, "--fetch-retries=1", "--fetch-timeout=20000", "jsforce@3.10.16"])
    return _reader(["node", str(HERE / "read_with_jsforce.mjs"), str(folder)])


@pytest.fixture(scope="session")
def whmcspy(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return _python_client(tmp_path_factory.mktemp("whmcspy"), "whmcspy==0.3.0", "read_with_whmcspy.py")


@pytest.fixture(scope="session")
def tap_salesforce(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return _python_client(tmp_path_factory.mktemp("tap"), "tap-salesforce==2.8.1", "read_with_tap_salesforce.py")


@pytest.fixture(scope="session")
def datacontract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that holds a database against a contract of the Open Data Contract Standard."""
    return _python(tmp_path_factory.mktemp("datacontract"), "datacontract-cli[postgres]==1.2.8").with_name(
        "datacontract"
    )


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _python(tmp_path_factory.mktemp("dbt"), "dbt-core==1.10.23", "dbt-postgres==1.10.2").with_name("dbt")


@pytest.fixture(scope="session")
def dlt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has dlt with its source for SQL databases, and DuckDB to load into."""
    return _python(tmp_path_factory.mktemp("dlt"), "dlt[duckdb]==1.31.0", "sqlalchemy", "psycopg[binary]")


@pytest.fixture(scope="session")
def matplotlib(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has what docs/plots.py needs."""
    return _python(tmp_path_factory.mktemp("matplotlib"), "matplotlib==3.10.*", "psycopg[binary]")


@pytest.fixture
def org(engine: Engine) -> Iterator[Org]:
    """An org of 60 accounts less a deleted one, queries in pages of 25; synced into the snapshot."""
    world = Org(engine, PEOPLE)
    world.org.page_cap = 25  # bulk results stay whole: jsforce cannot read several pages (its issue 1546)
    world.org.delete("Account", next(world.org.keys("Account", deleted=False)))
    assert "succeeded" == world.sync().outcome
    yield world
    world.close()


@pytest.fixture
def install(engine: Engine) -> Iterator[Install]:
    """An install with the clients of 60 accounts; synced into the snapshot."""
    world = Install(engine, PEOPLE)
    assert "succeeded" == world.sync().outcome
    yield world
    world.close()


def _python_client(folder: Path, requirement: str, script: str) -> Read:
    return _reader([str(_python(folder, requirement)), str(HERE / script)])


def _python(folder: Path, *requirements: str) -> Path:
    """The Python of a virtual environment of its own that has the requirements: their pins are not ours."""
    python = folder / "bin" / "python"
    _installed(requirements[0], [sys.executable, "-m", "venv", "--without-pip", str(folder)])
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--retries", "1"]
    _installed(requirements[0], [*pip, "--timeout", "20", *requirements])
    return python


def _wanted(program: str) -> str:
    found = shutil.which(program)
    if not _is_switched_on() or found is None:
        pytest.skip(f"no {program} on this machine" if _is_switched_on() else _how_to())
    return found


def _installed(what: str, command: list[str]) -> None:
    """Skips the test when it cannot be installed, as without a registry."""
    if not _is_switched_on():
        pytest.skip(_how_to())
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{what} could not be installed within {SECONDS} seconds")
    except subprocess.CalledProcessError as failure:
        pytest.skip(f"{what} could not be installed: {failure.stderr.strip()[-400:]}")


def _is_switched_on() -> bool:
    return os.environ.get(SWITCH) == "1"


def _how_to() -> str:
    return f"set {SWITCH}=1 to download the independent clients and compare with them"


def _reader(command: list[str]) -> Read:
    """Runs the client; the options goes in as JSON, what it wrote comes back."""

    def read(options: dict[str, Any]) -> str:
        environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            command, input=json.dumps(options), capture_output=True, text=True, timeout=SECONDS, env=environment
        )
        assert 0 == done.returncode, done.stderr[-3000:]
        return done.stdout

    return read
