"""How the stand-in answers: JSON and instants as Salesforce writes them, error lists, faults in place of answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from jobs.sandbox.faults import Fault, Faults

JSON = "application/json;charset=UTF-8"


@dataclass
class Reply:
    """Status, body and headers of one HTTP answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818  (an answer, not a failure of the stand-in)
    """A request ends with an error list of 7.2."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def answer(self) -> Reply:
        return json_answer([{"message": self.message, "errorCode": self.code}], self.status)


def json_answer(value: Any, status: int = 200) -> Reply:
    return Reply(status, orjson.dumps(value, default=rest_value, option=orjson.OPT_PASSTHROUGH_DATETIME))


def not_found() -> Refusal:
    return Refusal(404, "NOT_FOUND", "The requested resource does not exist")


def rest_value(value: Any) -> Any:
    """A Python value as REST JSON has it (salesforce-api 9.1)."""
    if isinstance(value, datetime):
        return _seconds(value) + ".000+0000"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"a record holds a {type(value).__name__}")


def csv_value(value: Any) -> str:
    """A Python value as Bulk 2.0 CSV has it (salesforce-api 5)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _seconds(value) + ".000Z"
    return value.isoformat() if isinstance(value, date) else str(value)


def _seconds(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()[:19]


REST_FAULTS: dict[str, tuple[int, str, str]] = {
    "session_expired": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "session_invalid_for_rest": (401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
    "quota_exceeded": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "concurrency_exceeded": (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    "permission": (403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id"),
    "api_disabled": (403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."),
    "server_unavailable": (503, "SERVER_UNAVAILABLE", "Server too busy"),
    "unknown_exception": (
        500,
        "UNKNOWN_EXCEPTION",
        "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345 (demo)",
    ),
    "lock_row": (
        400,
        "UNABLE_TO_LOCK_ROW",
        "unable to obtain exclusive access to this record or 1 records: 001000000000001AAA",
    ),
}
LOCATOR_FAULT = (400, "INVALID_QUERY_LOCATOR", "invalid query locator")
TIMEOUT_FAULT = (400, "QUERY_TIMEOUT", "Your query request was running for too long.")
BULK_LIMIT_FAULT = (400, "LIMIT_EXCEEDED", "Limit exceeded for query jobs in the last 24 hours.")


def refusal_of(fault: Fault, kind: tuple[int, str, str]) -> Refusal:
    """The kind's refusal, with `status`, `code` and `message` from the fault's arguments where it names them."""
    given = fault.arguments
    return Refusal(given.get("status", kind[0]), given.get("code", kind[1]), given.get("message", kind[2]))


def rest_fault(faults: Faults, label: str) -> tuple[Fault, Refusal] | None:
    """The fault that hits an authenticated request, and its answer."""
    fault = faults.take(label, *REST_FAULTS)
    return None if fault is None else (fault, refusal_of(fault, REST_FAULTS[fault.kind]))
