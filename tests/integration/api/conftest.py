"""The read API on a fresh database, with rows put in by SQL as the jobs would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import orjson
import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg.types.json import Json

from config.settings import Settings
from readapi.app import create_app
from readapi.connections import Connections

KEY = "a shared key of the tests, 32 bytes or more"
ALICE = "001000000000001AAA"
BOB = "001Qx00000AbCdEIAV"
NOW = "2026-03-01T00:00:00Z"
STREAMS_OF = {
    "salesforce": ("account", "order", "case"),
    "whmcs": ("client", "invoice", "service", "cancellation"),
}


class Rows:
    """Puts rows in, each in a transaction of its own."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def run(self, job: str = "refresh", outcome: str = "succeeded") -> None:
        """A run of the ledger."""
        finished = None if outcome == "running" else NOW
        self.connection.execute(
            "insert into job_run (job, started_at, finished_at, outcome) values (%s, %s, %s, %s)",
            (job, NOW, finished, outcome),
        )

    def customer(self, customer_id: str, document: bytes | None = None, content_hash: str = "cafe") -> bytes:
        """A customer's row; gives the stored document."""
        stored = document or document_of(customer_id)
        self.connection.execute(
            "insert into me_status (customer_id, salesforce_account_id, eligibility_status, verification_status,"
            " task_count, top_task_type, document, content_hash, computed_at, rules_version, run_id)"
            " values (%s, %s, 'pending', 'submitted', 1, 'eligibility_pending', %s, %s, %s, 'r', 1)",
            (customer_id, customer_id, stored.decode(), content_hash, NOW),
        )
        return stored

    @staticmethod
    def customer_id(number: int) -> str:
        """One of many ids, ascending with its number."""
        return f"001{number:012d}AAA"

    def notification(self, customer_id: str, at: str = NOW, title: str = "Invoice due", **marks: str) -> str:
        """A notification; gives its id."""
        columns = {"read_at": None, "dismissed_at": None, "resolved_at": None} | marks
        row = self.connection.execute(
            "insert into notification (customer_id, type, source_id, title, message, action_url, action_label,"
            " created_at, read_at, dismissed_at, resolved_at, run_id)"
            " values (%s, 'INVOICE_DUE', '7', %s, 'Pay.', '/account/billing/invoices', 'Pay invoice',"
            " %s, %s, %s, %s, 1) returning notification_id",
            (customer_id, title, at, columns["read_at"], columns["dismissed_at"], columns["resolved_at"]),
        ).fetchone()
        assert row is not None
        return str(row[0])

    def synced(self, source: str, at: str) -> None:
        """When a source was last synced; `at` is any expression for a timestamp, such as `now`."""
        self.connection.execute(
            "update pipeline.source_state set synced_at = cast(%s as timestamptz) where source = %s", (at, source)
        )
        for stream in STREAMS_OF[source]:
            self.read(stream, at)

    def synced_ago(self, source: str, interval: str) -> None:
        """Synced that long before now."""
        row = self.connection.execute("select (now() - cast(%s as interval))::text", (interval,)).fetchone()
        assert row is not None
        self.synced(source, row[0])

    def read(self, stream: str, at: str) -> None:
        """When everything of a stream was last known."""
        self.connection.execute(
            "insert into pipeline.stream_state (stream, synced_at, read_at, run_id)"
            " select %s, instant, instant, 1 from cast(%s as timestamptz) as instant"
            " on conflict (stream) do update set read_at = excluded.read_at",
            (stream, at),
        )

    def linked(self, customer_id: str, client_id: int) -> None:
        """The customer's client."""
        self.connection.execute(
            "update me_status set whmcs_client_id = %s where customer_id = %s", (client_id, customer_id)
        )

    def merged(self, account_id: str, into: str) -> None:
        """A merged account."""
        self.connection.execute("insert into pipeline.account_redirect values (%s, %s, %s)", (account_id, into, NOW))

    def portal_user(self, account_id: str, portal_user_id: str) -> None:
        """An account that holds the portal's user id."""
        self.connection.execute(
            "insert into snapshot.account (account_id, is_customer, eligibility_status, verification_status,"
            " portal_user_id) values (%s, true, 'pending', 'submitted', %s)",
            (account_id, portal_user_id),
        )

    def held(self, summary: dict[str, Any]) -> None:
        """A run held by the flood gate."""
        self.connection.execute(
            "insert into pipeline.held_run (run_id, gate, summary, held_at) values (9, 'flood', %s, %s)",
            (Json(summary), NOW),
        )


def document_of(customer_id: str, notes: str = "こんにちは {\\u0041}") -> bytes:
    """A document that fits the schema but for `freshness`, with letters and escapes that a decoding would change."""
    body = orjson.dumps(
        {
            "customerId": customer_id,
            "summary": {
                "stats": {
                    "activeSubscriptions": 1,
                    "unpaidInvoices": 1,
                    "overdueInvoices": 0,
                    "amountDue": "3300.00",
                    "currency": "JPY",
                    "openCases": None,
                    "openOrders": 0,
                },
                "nextInvoice": None,
                "recentActivity": [],
            },
            "internetEligibility": {
                "status": "pending",
                "eligibility": None,
                "requestedAt": "2026-02-01T00:00:00Z",
                "checkedAt": None,
                "notes": "NOTES",
            },
            "residenceCardVerification": {
                "status": "submitted",
                "submittedAt": None,
                "reviewedAt": None,
                "reviewerNotes": None,
            },
            "paymentMethods": {"totalCount": 0},
            "billing": {"state": "linked"},
            "tasks": [],
        }
    )
    return body.replace(b"NOTES", notes.encode())


def token_for(subject: object, *, key: str = KEY, algorithm: str = "HS256", **claims: object) -> str:
    """A token that expires in an hour."""
    return jwt.encode({"sub": subject, "exp": time.time() + 3600} | claims, key, algorithm=algorithm)


@pytest.fixture
def rows(database_url: str) -> Iterator[Rows]:
    """Puts rows into the test's database."""
    rows = Rows(database_url)
    yield rows
    rows.connection.close()


@pytest.fixture
def connections(database_url: str) -> Iterator[Connections]:
    """The API's way to the test's database."""
    connections = Connections(database_url)
    yield connections
    connections.close()


@pytest.fixture
def make_client(database_url: str, connections: Connections) -> Callable[..., FlaskClient]:
    """A client of the API under the given settings."""

    def make(**settings: object) -> FlaskClient:
        if "me_status_jwks_url" not in settings:
            settings = {"me_status_jwt_key": KEY, **settings}
        complete = Settings(_env_file=None, database_url=database_url, **settings)  # type: ignore
        return create_app(complete, connections).test_client()

    return make


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    """A client of the API that verifies tokens with the shared key."""
    return make_client()


@pytest.fixture
def bearer() -> Callable[..., dict[str, str]]:
    """Headers with a token for a subject."""

    def headers(subject: object, **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {token_for(subject, **claims)}"}

    return headers
