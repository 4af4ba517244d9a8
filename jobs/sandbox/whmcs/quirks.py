"""What a real WHMCS install may do differently from the documented one: switches, version profiles, failures.

Section numbers are those of the whmcs-api reference; section 10 lists the switches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Literal

Ids = Literal["faithful", "int", "str", "mixed"]
EmptyList = Literal["missing", "text", "list", "object", "nested_list", "nested_text"]
Version = Literal["7.7", "8.0", "8.2", "8.12", "9.0"]

JSON_FAILURE = (
    "Error generating JSON encoded response: Malformed UTF-8 characters, possibly incorrectly encoded"  # section 3, Q9
)


@dataclass
class Quirks:
    """Switches of one install; they may be set while it runs. The defaults are section 10's faithful ones.

    `ids`: how ids are typed; "mixed" writes every second row's as text. `counters`: the same for the three totals.
    `empty_list`: the form of a list without rows: no key, "", [], {}, {"invoice": []}, {"invoice": ""};
    `empty_pay_methods`: the same for the plain array of GetPayMethods. `flat_keys`: invoices[invoice][0][id] (Q16).
    `tie_order`: what a request without a sort parameter gets: "stable", pairs of "neighbours" swapped at random, or all
    rows "shuffled". `page_cap`: the most rows a page ever holds. `encoded_text`: HTML entities in text (Q23).
    `service_status`: "missing" and "empty" for every service (Q31). `status_words`: words the install renamed.
    `no_results`: the message by which empty lists are answered as errors (Q32). `warning`: rides along on successes.
    `error_key`: where errors say that they are (Q4). `completed_requests_stay`: cancellation requests outlive the
    service they ended (7.9). `ended_status`: the word the cron gives to such a service. `clock_skew`: how far the
    server's clock is ahead of the HTTP Date. `date_format`: of the localised texts (Q22).
    """

    version: Version = "9.0"
    ids: Ids = "faithful"
    counters: Literal["faithful", "int", "str"] = "faithful"
    empty_list: EmptyList = "missing"
    empty_pay_methods: EmptyList = "list"
    single_as_object: bool = False
    numeric_keys: bool = False
    flat_keys: bool = False
    escaped_unicode: bool = False
    encoded_text: bool = False
    anchored_custom_fields: bool = False
    custom_field_names: Literal["none", "name", "fieldname"] = "none"
    shuffled_custom_fields: bool = False
    empty_date: Literal["zero", "text", "null"] = "zero"
    zero_updated_at: bool = False
    tie_order: Literal["stable", "neighbours", "shuffled"] = "stable"
    page_cap: int | None = None
    service_status: Literal["present", "missing", "empty"] = "present"
    status_words: Mapping[str, str] = field(default_factory=dict)
    no_results: str | None = None
    warning: str | None = None
    error_key: Literal["result", "status"] = "result"
    completed_requests_stay: bool = True
    ended_status: Literal["Cancelled", "Terminated"] = "Cancelled"
    clock_skew: timedelta = timedelta(0)
    date_format: str = "%d/%m/%Y %H:%M"

    def since(self, version: Version) -> bool:
        """Whether the install is at least of this version."""
        return _number(self.version) >= _number(version)


@cache
def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@dataclass(frozen=True)
class Failure:
    """An answer that replaces the real one: `message` in the envelope, or `body` as HTML."""

    status: str
    message: str = ""
    body: str = ""
    key: Literal["error", "warning"] = "error"


EMITTER_PAGE = (
    "<html><head><title>Error</title></head><body>WHMCS\\Exception\\EmitterException: "
    "Output has been emitted previously; cannot emit response</body></html>"
)
FAILURES: dict[str, Failure] = {
    "auth_failed": Failure("403 Forbidden", "Authentication Failed"),
    "invalid_credentials": Failure("403 Forbidden", "Invalid or missing credentials"),
    "account_disabled": Failure("403 Forbidden", "Administrator Account Disabled"),
    "invalid_ip": Failure("403 Forbidden", "Invalid IP 203.0.113.9"),
    "action_not_allowed": Failure("403 Forbidden", 'Invalid Permissions: API action "{action}" is not allowed'),
    "empty_action": Failure("400 Bad Request", "Empty action request"),
    "unknown_action": Failure("400 Bad Request", 'Invalid API Action: "{action}" is not a valid API action'),
    "admin_required": Failure("200 OK", "An admin user is required"),
    "malformed_utf8": Failure("200 OK", JSON_FAILURE),
    "error": Failure("200 OK", "Client Not Found"),
    "no_results_error": Failure("200 OK", "No Results Found"),
    "warning_only": Failure("200 OK", "The operation could not be completed", key="warning"),
    "emitter_500": Failure("500 Internal Server Error", body=EMITTER_PAGE),
    "imunify_text": Failure(
        "200 OK", body="Access denied by Imunify360 bot-protection. IPs used for automation should be whitelisted"
    ),
    "waf_403": Failure(
        "403 Forbidden", body="<html><head><title>Just a moment...</title></head><body>Checking</body></html>"
    ),
    "login_page": Failure("200 OK", body="<html><head><title>Login</title></head><body>Client Area</body></html>"),
}
"""Fault kinds beside the transport's (section 3); a fault's arguments `message`, `status`, `body` replace these."""
