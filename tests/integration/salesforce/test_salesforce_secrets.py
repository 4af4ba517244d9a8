"""Tokens, secrets and personal data reach no log, no error and no table, whatever goes wrong."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.salesforce_world import ELIGIBILITY, World

PERSON = "Hanako Yamada"
EMAIL = "hanako.yamada@example.com"
PHONE = "+81 90 1234 5678"
STREET = "1-2-3 Marunouchi"
SAID = f"User {EMAIL} ({PERSON}) may not see {STREET}"
"""What a server might put into its own messages."""

FAULTS: list[tuple[str, str, dict[str, Any]]] = [
    ("no fault", "never", {}),
    *(
        (kind, "/query", {"message": SAID})
        for kind in (
            "session_expired",
            "session_invalid_for_rest",
            "quota_exceeded",
            "concurrency_exceeded",
            "permission",
            "api_disabled",
            "server_unavailable",
            "unknown_exception",
            "lock_row",
            "locator_invalid",
            "query_timeout",
        )
    ),
    ("permission", "/query", {"message": SAID, "code": SAID, "status": 400}),
    ("invalid_login", "oauth2", {"message": SAID, "code": "invalid_grant"}),
    ("invalid_login", "Soap", {"message": SAID}),
    ("bulk_failed", "", {"message": SAID}),
    ("bulk_limit", "", {"message": SAID}),
    *((kind, "/query", {}) for kind in ("html", "empty_body", "truncated_json", "truncated_body", "reset")),
    ("status", "", {"status": "500 Oops", "body": SAID.encode()}),
    ("status", "oauth2", {"status": "200 OK", "body": SAID.encode()}),
    ("slow", "/query", {"seconds": 0.6}),
]


def test_nothing_secret_or_personal_is_kept_or_said(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Logs before they are scrubbed, reports, standard streams and every row of every table hold none of it."""
    caplog.set_level(logging.INFO)
    person = {"Name": PERSON, "PersonEmail": EMAIL, "Phone": PHONE, "BillingStreet": STREET, "Website": EMAIL}
    accounts = world.accounts(220, **person)
    world.order(accounts[0], Name=PERSON, Description=f"{PERSON} {PHONE}")
    world.order(EMAIL)  # set aside: its AccountId is not an id
    world.org.insert("Case", AccountId=accounts[0], Subject="Slow internet", Description=f"{PERSON}, {STREET}")
    world.limits["timeout_seconds"] = 0.3
    clients, soap = world.settings, _soap(world)
    said: list[object] = []
    with capture_logs() as logs:
        for number, (kind, match, arguments) in enumerate(FAULTS):
            world.later(minutes=20)
            world.org.mass_update("Account", accounts, **{ELIGIBILITY: ("Eligible", "Ineligible")[number % 2]})
            world.settings = soap if match == "Soap" else clients
            world.pulls["bulk_above_rows"] = 100 if kind.startswith("bulk") else 50_000
            world.org.faults.add(kind, match, times=None, **arguments)
            said.append(world.sync(full=number % 3 == 0).as_json())
            said.append(world.refresh().as_json())
            world.org.faults.clear()
    streams = capfd.readouterr()
    said += [*logs, caplog.text, streams.out, streams.err, _tables(world)]
    everything = "\n".join(json.dumps(value, default=str, ensure_ascii=False) for value in said)
    assert len(world.values("select 1 from job_run where outcome = 'failed'")) > 15
    assert [] == [secret for secret in _secrets(world) if secret in everything]


def _secrets(world: World) -> list[str]:
    org = world.org
    tokens = {sent["Authorization"].split()[-1] for sent in world.sent_headers if "Authorization" in sent}
    assert len(tokens) > len(FAULTS) - 5
    keys = [org.consumer_key, org.consumer_secret, org.password, org.security_token, org.username]
    return [*keys, *tokens, PERSON, EMAIL, PHONE, STREET, "SELECT"]


def _soap(world: World) -> dict[str, Any]:
    org = world.org
    return {
        "salesforce_username": org.username,
        "salesforce_password": org.password,
        "salesforce_security_token": org.security_token,
    }


def _tables(world: World) -> list[Any]:
    names = world.values(
        "select format('%I.%I', schemaname, tablename) from pg_tables"
        " where schemaname in ('public', 'snapshot', 'pipeline') order by 1"
    )
    assert len(names) > 20
    return [world.values(f"select cast(r as text) from {name} as r") for name in names]
