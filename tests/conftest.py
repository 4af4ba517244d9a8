"""The PostgreSQL server of the test session: embedded, or the one that TEST_DATABASE_URL or DATABASE_URL names."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import psycopg
import pytest
from sqlalchemy import make_url

from config.database import connect
from config.embedded import embedded_url
from config.settings import Settings
from jobs.migrate import migrate

GIVEN_SERVER = os.environ.get("TEST_DATABASE_URL") or os.environ.get("DATABASE_URL")
SESSION = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
TEMPLATE = f"me_status_template_{SESSION}"
SERVER_FOLDER = "ME_STATUS_TEST_SERVER"


def pytest_configure() -> None:
    """Makes the folder of the session's server, whose place workers learn from the environment.

    It is not a folder of pytest's own: any other session closes pytest's root to all users but its own, and a server
    started by root runs as another user.
    """
    if not GIVEN_SERVER and SERVER_FOLDER not in os.environ:
        folder = os.environ[SERVER_FOLDER] = tempfile.mkdtemp(prefix="me-status-tests-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)  # runs last: the server registers its stop later


def named(url: str, database: str) -> str:
    """The same server's URL for another database."""
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def settings_for(url: str) -> Settings:
    """Settings that name only a database, whatever the environment of the test run says."""
    return Settings(_env_file=None, database_url=url)  # type: ignore[call-arg]


@pytest.fixture(scope="session")
def server_url() -> str:
    """URL of the maintenance database of a real PostgreSQL, shared by the workers of the session."""
    if GIVEN_SERVER:
        return make_url(GIVEN_SERVER).set(drivername="postgresql").render_as_string(hide_password=False)
    return embedded_url(Path(os.environ[SERVER_FOLDER]))


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """Name of a migrated database that tests clone; the first worker makes it, the last one drops it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        with _alone(connection):
            if not connection.execute("select 1 from pg_database where datname = %s", (TEMPLATE,)).fetchone():
                _build_template(connection, server_url)
        connection.execute("select pg_advisory_lock_shared(hashtext(%s))", (f"{TEMPLATE} in use",))
        yield TEMPLATE
        connection.execute("select pg_advisory_unlock_shared(hashtext(%s))", (f"{TEMPLATE} in use",))
        with _alone(connection):
            (is_last,) = connection.execute(  # type: ignore[misc]
                "select pg_try_advisory_lock(hashtext(%s))", (f"{TEMPLATE} in use",)
            ).fetchone()
            if is_last:
                connection.execute(f'drop database if exists "{TEMPLATE}"')


def _build_template(connection: psycopg.Connection, server_url: str) -> None:
    if not GIVEN_SERVER:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")
    connection.execute(f'create database "{TEMPLATE}"')
    engine = connect(settings_for(named(server_url, TEMPLATE)))
    migrate(engine)
    engine.dispose()


@contextmanager
def _alone(connection: psycopg.Connection) -> Iterator[None]:
    connection.execute("select pg_advisory_lock(hashtext(%s))", (TEMPLATE,))
    try:
        yield
    finally:
        connection.execute("select pg_advisory_unlock(hashtext(%s))", (TEMPLATE,))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the figures that tests give with `record_property("figure", ...)`, whichever worker made them."""
    reports = (report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome))
    for report in reports:
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "figure":
                terminalreporter.write_line(str(value))


hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")  # a slow machine is not a fault
