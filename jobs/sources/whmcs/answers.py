"""WHMCS answers: envelope before status, errors by their English messages, lists in every reported form.

Order of judgement and messages: whmcs-api 3; list forms: whmcs-api 5 and Q13 to Q16.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
import requests

from jobs.sources.columns import loose_integer
from jobs.sources.decoding import decoded
from jobs.sources.errors import CredentialsError, PermissionDenied, ProtocolError, SourceError, TransientError

ADDRESS = re.compile(r"invalid ip[^0-9a-f]*([0-9a-f.:]{3,45})", re.IGNORECASE)
CREDENTIALS = (
    "authentication failed",
    "invalid or missing credentials",
    "invalid password",
    "administrator account disabled",
    "access denied",
    "login failed",
)
NO_RESULTS = re.compile(r"\bno\b.{0,40}\bfound\b|nothing found|no results|no records")
CHALLENGE = ("imunify", "bot-protection", "bot protection")
NO_ACTION = (
    "empty action",
    "is not a valid api action",
    "command not found",
    "function not found",
    "invalid api action",
)


class NoSuchRecord(SourceError):  # noqa: N818 - named by what happened
    """WHMCS has no record of that id. Never leaves the pull."""


class NoResults(NoSuchRecord):  # named by what happened
    """A list without rows, reported as an error by some old wrappers (Q32). Never leaves the pull."""


class UnreadablePage(SourceError):  # noqa: N818 - named by what happened
    """A stored value of the page is not valid UTF-8 (Q9). Never leaves the pull."""


def judged(action: str, response: requests.Response) -> dict[str, Any]:
    """The answer of a success. Raises the SourceError that the answer means."""
    answer = _decoded(response.content)
    if isinstance(answer, dict) and ("result" in answer or "status" in answer):
        outcome = str(answer.get("result", answer.get("status"))).lower()
        if outcome == "success":
            return answer
        raise _refusal(action, response.status_code, str(answer.get("message") or ""))
    if isinstance(answer, dict) and _is_challenge(str(answer.get("message") or "")):
        raise _no_envelope(action, response)
    if isinstance(answer, dict) and response.status_code == 200:
        raise ProtocolError(_said(action, "JSON without a result", "check WHMCS_URL and what stands before WHMCS"))
    raise _no_envelope(action, response)


def _decoded(body: bytes) -> Any:
    start = body.find(b'{"result"')  # a hook of an old install may print before the answer, even HTML (Q8)
    if start < 0 and body.lstrip()[:1] != b"<":
        start = body.find(b'{"')
    if start < 0:
        return None
    try:
        return orjson.loads(body[start:])
    except orjson.JSONDecodeError:
        pass
    try:
        return decoded(body[start:])  # lone surrogates, bytes out of place, numbers without end
    except ValueError:
        return None


def _refusal(action: str, status: int, message: str) -> SourceError:
    text = message.lower()
    if _is_challenge(text):
        return TransientError(_said(action, "a bot-protection's challenge", "have this machine's address admitted"))
    if match := ADDRESS.search(message):
        return CredentialsError(
            _said(action, f"that the address {match[1]} may not call", "add it to API IP Access Restriction")
        )
    if any(words in text for words in CREDENTIALS):
        return CredentialsError(
            _said(
                action,
                f"{message[:200]!r} (HTTP {status}, credentials refused)",
                "check WHMCS_IDENTIFIER, WHMCS_SECRET and the admin",
            )
        )
    if "invalid permissions" in text or "is not allowed" in text:
        return PermissionDenied(_said(action, "that it is not allowed", f"tick {action} in the credential's API role"))
    if "malformed utf-8" in text or "error generating json" in text:
        return UnreadablePage(_said(action, "that a stored text is not valid UTF-8", "correct it in WHMCS"))
    if "admin user is required" in text:
        return SourceError(_said(action, "from the wrong path", "give WHMCS_URL without /includes/api.php"))
    if any(words in text for words in NO_ACTION):
        return PermissionDenied(_said(action, "that it has no such action", "check the version of WHMCS"))
    if NO_RESULTS.search(text):
        return NoResults(_said(action, "that there is nothing", "none needed"))
    if "not found" in text:
        return NoSuchRecord(_said(action, "not found", "none needed"))
    return _by_status(action, status, "an error of its own")


def _is_challenge(message: str) -> bool:
    return any(word in message.lower() for word in CHALLENGE)


def _no_envelope(action: str, response: requests.Response) -> SourceError:
    if 300 <= response.status_code < 400:
        return SourceError(_said(action, f"HTTP {response.status_code}, a redirect", "give the final URL in WHMCS_URL"))
    if response.status_code in (401, 407):
        return SourceError(
            _said(action, f"HTTP {response.status_code}, a login of the web server's own", "open the API's path to us")
        )
    if response.status_code in (400, 404, 405, 410):
        return SourceError(_said(action, f"HTTP {response.status_code} without an API answer", "check WHMCS_URL"))
    shown = "an empty body" if not response.content.strip() else "a page that is not an API answer"
    return TransientError(
        _said(action, f"HTTP {response.status_code}, {shown}", "see whether WHMCS is in maintenance or a firewall asks")
    )


def _by_status(action: str, status: int, what: str) -> SourceError:
    if status in (408, 429) or status >= 500:
        return TransientError(_said(action, f"HTTP {status}, {what}", "try again later"))
    return ProtocolError(_said(action, f"HTTP {status}, {what}", "call the action by hand to see its message"))


def _said(action: str, answer: str, remedy: str) -> str:
    return f"WHMCS: {action}: answered {answer}; {remedy}"


# Lists ----------------------------------------------------------------------------------------------------------------


def listed(answer: dict[str, Any], container: str, item: str) -> list[dict[str, Any]] | None:
    """The rows under `container.item` in any reported form; None when the key is not there at all."""
    if container not in answer:
        return _flat(answer, container, item)
    held = answer[container]
    if isinstance(held, dict) and item in held:
        return _rows(held[item])
    return _rows(held)


def _rows(held: Any) -> list[dict[str, Any]]:
    if isinstance(held, list):
        return [row for row in held if isinstance(row, dict) and row]
    if not isinstance(held, dict) or not held:
        return []
    if all(key.isdigit() for key in held):
        return [held[key] for key in sorted(held, key=int) if isinstance(held[key], dict)]
    return [held]


def _flat(answer: dict[str, Any], container: str, item: str) -> list[dict[str, Any]] | None:
    """Rows from keys such as `invoices[invoice][0][id]` (Q16)."""
    pattern = re.compile(rf"{re.escape(container)}(?:\[{re.escape(item)}\])?\[(\d+)\]\[(\w+)\]")
    rows: dict[int, dict[str, Any]] = {}
    for key, value in answer.items():
        if match := pattern.fullmatch(key):
            rows.setdefault(int(match[1]), {})[match[2]] = value
    return [rows[at] for at in sorted(rows)] or None


def total_of(answer: dict[str, Any]) -> int | None:
    """`totalresults`, number or text; None when it is absent."""
    return loose_integer(answer.get("totalresults"))
