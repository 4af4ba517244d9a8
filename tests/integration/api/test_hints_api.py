"""Hints over HTTP: a customer's own refresh, and the hooks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from tests.integration.api.test_readapi import problem

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALICE = "001000000000001AAA"
BOB = "001Qx00000AbCdEIAV"
HOOKS = ("/hooks/whmcs", "/hooks/salesforce")


@pytest.fixture
def hooked(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    """A client of an API that has a secret for hooks."""
    return make_client(me_status_hook_secret=SECRET)


def waiting(rows) -> set[tuple[str, str, str, int]]:
    """Kind, id, origin and number of the hints noted."""
    return set(rows.connection.execute("select kind, subject_id, origin, hints from pipeline.hint"))


def signed(body: bytes, *, secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    """The headers of Standard Webhooks for a body."""
    moment = at or datetime.now(UTC)
    signature = Webhook(secret).sign("msg_1", moment, body.decode())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }


def test_a_refresh_is_noted_once_in_ten_seconds(client, rows, bearer):
    """202 with the instant, then 429 with the seconds to wait; another customer is not in the way."""
    rows.customer(ALICE)
    first = client.post("/api/me/refresh", headers=bearer(ALICE[:15]))
    assert (202, "application/json") == (first.status_code, first.content_type)
    assert datetime.fromisoformat(first.json["requestedAt"]) <= datetime.now(UTC)
    again = client.post("/api/me/refresh", headers=bearer(ALICE))
    problem(again, 429, "too-many-refreshes")
    assert 1 <= int(again.headers["Retry-After"]) <= 10
    assert 202 == client.post("/api/me/refresh", headers=bearer(BOB)).status_code
    assert {("account", ALICE, "portal", 1), ("account", BOB, "portal", 1)} == waiting(rows)


def test_a_refresh_is_admitted_again_when_the_gap_has_passed(client, rows, bearer):
    """Also after the database's clock was set back."""
    client.post("/api/me/refresh", headers=bearer(ALICE))
    for moved in ("- interval '10 seconds'", "+ interval '1 hour'"):
        rows.connection.execute(f"update pipeline.refresh_request set requested_at = requested_at {moved}")
        assert 202 == client.post("/api/me/refresh", headers=bearer(ALICE)).status_code
    assert {("account", ALICE, "portal", 3)} == waiting(rows)


def test_a_merged_accounts_refresh_reads_the_winner(client, rows, bearer):
    """The customer's records are the winner's."""
    rows.customer(BOB)
    rows.merged(ALICE, into=BOB)
    assert 202 == client.post("/api/me/refresh", headers=bearer(ALICE)).status_code
    assert {("account", BOB, "portal", 1)} == waiting(rows)


@pytest.mark.parametrize("subject", ["user-1", "003Qx00000AbCdE", BOB.lower(), "101", "\x00", "\ud800"])
def test_a_subject_that_cannot_be_an_account_gets_404(client, rows, bearer, subject):
    """Neither the form of an Account id, nor its prefix and checksum: nothing to read."""
    problem(client.post("/api/me/refresh", headers=bearer(subject)), 404, "no-account")
    assert set() == waiting(rows)


def test_a_portal_users_refresh_reads_its_account(make_client, rows, bearer, tmp_path: Path):
    """Where the mapping names a field for it, Account ids are no subjects: there is one namespace."""
    mapping = tmp_path / "fields.toml"
    mapping.write_text(Path("config/fields.toml").read_text().replace("# portal_user_id", "portal_user_id"))
    client = make_client(me_status_fields=mapping)
    rows.customer(ALICE)
    rows.portal_user(ALICE, "user-1")
    assert 202 == client.post("/api/me/refresh", headers=bearer("user-1")).status_code
    for stranger in (BOB, "user-2"):
        problem(client.post("/api/me/refresh", headers=bearer(stranger)), 404, "no-account")
    assert {("account", ALICE, "portal", 1)} == waiting(rows)


def test_a_refresh_needs_a_token(client, rows):
    """401 and a challenge."""
    problem(client.post("/api/me/refresh"), 401, "unauthorized")


@pytest.mark.parametrize("path", HOOKS)
def test_hooks_do_not_exist_without_a_secret(client, path):
    """ME_STATUS_HOOK_SECRET unset: 404, whatever is sent."""
    problem(client.post(path, data=b'{"clientIds": [1]}', headers={"Authorization": "Bearer "}), 404, "not-found")


def test_a_signed_hook_is_noted_by_its_origin(hooked, rows):
    """Ids come in one form; other members are ignored."""
    for path, body in (
        ("/hooks/whmcs", b'{"clientIds": [7, "8", 7], "event": "InvoicePaid"}'),
        ("/hooks/salesforce", orjson.dumps({"accountIds": [ALICE[:15], BOB]})),
    ):
        assert 202 == hooked.post(path, data=body, headers=signed(body)).status_code
    clients = {("client", number, "whmcs", 1) for number in ("7", "8")}
    assert clients | {("account", account, "salesforce", 1) for account in (ALICE, BOB)} == waiting(rows)


def test_the_whole_secret_may_come_as_bearer_token(hooked, rows):
    """For senders that cannot sign, such as a Flow's HTTP callout."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    assert 202 == hooked.post("/hooks/salesforce", json={"accountIds": [ALICE]}, headers=headers).status_code
    assert {("account", ALICE, "salesforce", 1)} == waiting(rows)


BODY = b'{"clientIds": [7]}'
OTHER = "whsec_" + "B" * 32


@pytest.mark.parametrize(
    "make",
    [
        dict,
        lambda: signed(BODY, secret=OTHER),
        lambda: signed(BODY + b" "),
        lambda: signed(BODY, at=datetime.now(UTC) - timedelta(minutes=6)),
        lambda: signed(BODY, at=datetime.now(UTC) + timedelta(minutes=6)),
        lambda: signed(BODY) | {"webhook-signature": "v1"},
        lambda: signed(BODY) | {"webhook-signature": "v1,%%%"},
        lambda: signed(BODY) | {"webhook-timestamp": "nan"},
        lambda: {"Authorization": f"Bearer {SECRET.removeprefix('whsec_')}"},
        lambda: {"Authorization": f"Basic {SECRET}"},
        lambda: {"Authorization": "Bearer"},
    ],
)
def test_what_is_not_admitted_learns_no_reason(hooked, rows, make):
    """Missing, forged, malformed, too old and too new look alike."""
    found = problem(hooked.post("/hooks/whmcs", data=BODY, headers=make()), 401, "unauthorized")
    assert "This address needs a signature, or the hooks' secret." == found["detail"]
    assert set() == waiting(rows)


def test_one_of_several_signatures_is_enough(hooked, rows):
    """While the sender changes its secret it signs with both."""
    headers = signed(BODY)
    headers["webhook-signature"] = signed(BODY, secret=OTHER)["webhook-signature"] + " " + headers["webhook-signature"]
    assert 202 == hooked.post("/hooks/whmcs", data=BODY, headers=headers).status_code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"clientIds=7",
        b"[7]",
        b"{}",
        b'{"clientIds": 7}',
        b'{"clientIds": [0]}',
        b'{"clientIds": [-7]}',
        b'{"clientIds": [7.5]}',
        b'{"clientIds": [true]}',
        b'{"clientIds": ["seven"]}',
        b'{"clientIds": [null]}',
        b'{"clientIds": [9223372036854775808]}',
        b'{"accountIds": [7]}',
        b'{"accountIds": ["007"]}',
        b'{"accountIds": ["001Qx00000\xef\xbc\xa1bCdE"]}',
        b'{"clientIds": [7], "accountIds": ["x"]}',
    ],
)
def test_a_malformed_body_is_400_and_notes_nothing(hooked, rows, body):
    """The whole body is refused."""
    problem(hooked.post("/hooks/whmcs", data=body, headers=signed(body)), 400, "bad-request")
    assert set() == waiting(rows)


def test_a_body_that_is_not_utf_8_is_not_admitted(hooked, rows):
    """A signature is over text."""
    headers = signed(BODY)
    problem(hooked.post("/hooks/whmcs", data=b'{"clientIds": ["\xff"]}', headers=headers), 401, "unauthorized")


def test_too_much_is_413(hooked, rows):
    """Beyond 200 ids, or 16 KiB."""
    most, more = (orjson.dumps({"clientIds": list(range(1, count + 1))}) for count in (200, 201))
    assert 202 == hooked.post("/hooks/whmcs", data=most, headers=signed(most)).status_code
    problem(hooked.post("/hooks/whmcs", data=more, headers=signed(more)), 413, "too-many-ids")
    huge = b'{"clientIds": [1], "more": "' + b"x" * 16384 + b'"}'
    problem(hooked.post("/hooks/whmcs", data=huge, headers=signed(huge)), 413, "request-entity-too-large")
    assert 200 == len(waiting(rows))
