"""A login that is a member of me_status_api and nothing else does everything the API does, and nothing beyond."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import create_engine, make_url

from config.settings import Settings
from jobs.commands.doctor import check_rights
from readapi.app import create_app
from readapi.connections import Connections
from tests.integration.api.conftest import ALICE, KEY, Rows, token_for
from tests.integration.api.serving import OPERATOR, bearer


@pytest.fixture
def least(database_url: str, rows: Rows) -> Iterator[str]:
    """The database's URL for such a login."""
    login = f"me_status_test_api_{uuid.uuid4().hex[:12]}"
    rows.connection.execute(f"create role {login} login password 'least' in role me_status_api")
    yield make_url(database_url).set(username=login, password="least").render_as_string(hide_password=False)
    rows.connection.execute(f"drop role {login}")


def test_every_route_works_with_the_rights_of_the_role(least, rows: Rows):
    """Reading, marking, asking for a refresh, hints, /readyz, /metrics and /ops."""
    rows.run()
    rows.customer(ALICE)
    notification = rows.notification(ALICE)
    connections = Connections(least)
    secret = "whsec_" + "a" * 44
    options = {"me_status_jwt_key": KEY, "me_status_ops_token": OPERATOR, "me_status_hook_secret": secret}
    settings = Settings(_env_file=None, database_url=least, **options)  # type: ignore[arg-type]
    client = create_app(settings, connections).test_client()
    own = bearer(token_for(ALICE))
    for path in ("/api/me/status", "/api/me/summary", "/api/notifications", "/api/notifications/unread-count"):
        assert 200 == client.get(path, headers=own).status_code
    for action in ("read", "unread", "dismiss"):
        assert 204 == client.post(f"/api/notifications/{notification}/{action}", headers=own).status_code
    assert 204 == client.post("/api/notifications/read-all", headers=own).status_code
    assert 202 == client.post("/api/me/refresh", headers=own).status_code
    assert 202 == client.post("/hooks/whmcs", headers=bearer(secret), json={"clientIds": [7]}).status_code
    assert 200 == client.get("/readyz").status_code
    for path in ("/metrics", "/ops", f"/ops/customers?id={ALICE}", "/ops/runs/1"):
        assert 200 == client.get(path, headers=bearer(OPERATOR)).status_code
    connections.close()


@pytest.mark.parametrize(
    "statement",
    [
        "delete from me_status",
        "update me_status set document = '{}'",
        "update notification set title = 'x'",
        "insert into notification (customer_id) values ('x')",
        "delete from notification",
        "select * from snapshot.account",
        "select * from snapshot.invoice",
        "update pipeline.source_state set synced_at = now()",
        "create table stolen ()",
        "copy (select 1) to program 'true'",
    ],
)
def test_it_may_do_nothing_else(least, statement):
    """Neither documents nor the text of notifications, nor the snapshot, nor anything of the server's."""
    with psycopg.connect(least) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_doctor_warns_of_a_login_that_may_more(database_url, least):
    """The owner's login is named for what it may; the role's is well."""
    for url, level in ((database_url, "warn"), (least, "ok")):
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            assert [level] == [line.level for line in check_rights(connection)]
        engine.dispose()
