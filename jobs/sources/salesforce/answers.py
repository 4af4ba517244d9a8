"""What Salesforce's error answers mean, as errors of ours (salesforce-api 7): kind, plain words, remedy."""

from __future__ import annotations

import re
from typing import Any

import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from config import outgoing
from jobs.sources.errors import (
    CredentialsError,
    CursorLost,
    FieldMissing,
    PermissionDenied,
    ProtocolError,
    QueryTimeout,
    QuotaExhausted,
    SourceError,
    TransientError,
)

PASSING = frozenset({406, 408, 420, 429, 500, 502, 503, 504})
"""HTTP statuses of the edge and of overload (7.2, H40, H41)."""
PASSING_CODES = frozenset(
    {"UNABLE_TO_LOCK_ROW", "TXN_SECURITY_METERING_ERROR", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"}
)
NO_COLUMN = re.compile(r"No such column '([A-Za-z0-9_.]+)'")


class SessionExpired(SourceError):  # noqa: N818 - named by what happened
    """The session is over; a new login may help. Never leaves the session."""


def understood(error: Exception, action: str) -> SourceError:
    """Our error for what the library or its transport raised while doing `action` (such as "query of Account")."""
    if isinstance(error, SalesforceAuthenticationFailed):
        return refused_login(error)
    if isinstance(error, SalesforceError):
        return _refusal(error.status, error.content, action)
    if isinstance(error, outgoing.TooLarge):
        return ProtocolError(f"Salesforce: {action}: {outgoing.in_words(error)}; check SALESFORCE_INSTANCE_URL")
    if isinstance(error, requests.exceptions.InvalidJSONError | RecursionError):
        return TransientError(_said(action, "something that is not JSON", "it may be in maintenance; try again later"))
    if isinstance(error, requests.exceptions.RequestException):
        reason = outgoing.in_words(error)
        return TransientError(f"Salesforce: {action}: {reason}; check SALESFORCE_INSTANCE_URL and the network")
    return ProtocolError(_said(action, f"something unexpected ({type(error).__name__})", "check the instance URL"))


def refused_login(error: SalesforceAuthenticationFailed) -> SourceError:
    """Our error for a refused login. The answer's own text is left out: it could repeat what was sent."""
    code = _code(error.code)
    if code in {str(status) for status in PASSING} or code in PASSING_CODES or code == "200":
        return TransientError(_said("login", f"code {code}", "try again later"))
    return CredentialsError(
        _said("login", f"code {code}", "check the SALESFORCE_ credentials and the app's permissions for the user")
    )


def _refusal(status: int, content: Any, action: str) -> SourceError:
    first = content[0] if isinstance(content, list) and content and isinstance(content[0], dict) else {}
    code, message = _code(first.get("errorCode")), str(first.get("message") or "")
    said = f"HTTP {status}" + (f" {code}" if code else "")
    if status == 401:
        return _no_session(code, message, said, action)
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _over_limit(message, said, action)
    if code in ("LIMIT_EXCEEDED", "EXCEEDEDQUOTA"):
        return SourceError(_said(action, said, "the day's Bulk jobs are used up; REST is used"))
    if code == "INVALID_FIELD":
        return _no_field(message, said, action)
    if code == "INVALID_QUERY_LOCATOR":
        return CursorLost(_said(action, said, "the query starts over; run again if it persists"))
    if code == "QUERY_TIMEOUT":
        return QueryTimeout(_said(action, said, "ask for less at once"))
    if code in PASSING_CODES or status in PASSING:
        return TransientError(_said(action, said, "the platform is busy; try again later"))
    return _lasting(status, code, said, action)


def _no_session(code: str, message: str, said: str, action: str) -> SourceError:
    if code == "INVALID_SESSION_ID" and "not valid for use" not in message:
        return SessionExpired(_said(action, said, "log in again"))
    return CredentialsError(_said(action, said, "the session may not use the REST API; check the user and the app"))


def _over_limit(message: str, said: str, action: str) -> SourceError:
    if "concurrent" in message.lower():
        return TransientError(_said(action, f"{said} (concurrent requests)", "other clients of the org are busy too"))
    return QuotaExhausted(
        _said(action, said, "the org's API requests of the last 24 hours are used up; the next run goes on from here")
    )


def _no_field(message: str, said: str, action: str) -> SourceError:
    match = NO_COLUMN.search(message)
    field = match[1] if match else None
    named = f"{said}: {field}" if field else said
    return FieldMissing(
        _said(action, named, "create the field, show it to the integration user, or map another"), field
    )


def _lasting(status: int, code: str, said: str, action: str) -> SourceError:
    if code == "INVALID_TYPE":
        remedy = "the object is not there or hidden from the integration user; switch it on or grant Read"
        return PermissionDenied(_said(action, said, remedy))
    if status == 403:
        return PermissionDenied(_said(action, said, "grant the integration user API Enabled and Read on the object"))
    if status == 410:
        return SourceError(_said(action, said, "the API version is retired; set SALESFORCE_API_VERSION"))
    if status == 404:
        return PermissionDenied(_said(action, said, "check SALESFORCE_API_VERSION and that the object exists"))
    return ProtocolError(_said(action, said, "this looks like a fault of me-status; report it"))


def _said(action: str, answer: str, remedy: str) -> str:
    return f"Salesforce: {action}: answered {answer}; {remedy}"


def _code(value: object) -> str:
    """An error code, reduced to what codes are made of."""
    return re.sub(r"[^A-Za-z0-9_ ]", "", str(value or ""))[:60].replace(" ", "_").upper()
