"""A request to the WHMCS API: its parameters in either form encoding, and whether its sender may ask (reference 2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request

from jobs.sandbox.whmcs.answers import Refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

API_PATH = "/includes/api.php"
SECRETS = frozenset({"identifier", "secret", "username", "password", "accesskey"})
_KEPT = "whmcs.call"


@dataclass(frozen=True)
class Call:
    """One call: its action as sent, the parameters without credentials, and the credentials without empty ones."""

    path: str
    address: str
    action: str
    parameters: dict[str, str]
    credentials: dict[str, str]

    @property
    def form(self) -> str:
        """The answer's form: json, xml, or the deprecated name=value text when nothing or another word is asked for."""
        asked = self.parameters.get("responsetype", "").lower()
        return asked if asked in ("json", "xml") else "nvp"

    def integer(self, name: str) -> int | None:
        """The parameter as a number; None when absent or empty, 0 for text, as PHP reads it."""
        text = self.parameters.get(name, "").strip()
        if not text:
            return None
        return int(text) if text.lstrip("-").isdigit() else 0


def read_call(environ: WSGIEnvironment) -> Call:
    """The request's call. The body is read once; the same request gives the same call again."""
    if _KEPT not in environ:
        environ[_KEPT] = _parse(Request(environ))
    call: Call = environ[_KEPT]
    return call


def _parse(request: Request) -> Call:
    posted = request.form.to_dict() if request.method == "POST" else {}
    if "accesskey" in request.args:
        posted.setdefault("accesskey", request.args["accesskey"])
    return Call(
        path=request.path,
        address=request.remote_addr or "",
        action=posted.pop("action", "").strip(),
        parameters={name: value for name, value in posted.items() if name not in SECRETS},
        credentials={name: value for name, value in posted.items() if name in SECRETS and value},
    )


@dataclass
class Access:
    """Who may call: one credential pair, one legacy admin, the addresses, the access key and the role's actions.

    `allowed_addresses` is matched exactly; empty denies all. `access_key` None: none is configured. With
    `requires_access_key` no address is good enough. `role` None: every action.
    """

    identifier: str
    secret: str
    username: str
    password: str
    access_key: str | None
    allowed_addresses: set[str]
    requires_access_key: bool = False
    role: set[str] | None = None

    def admit(self, call: Call) -> None:
        """Raises Refusal with the 403 message of section 3: the address first, then the credentials."""
        self._admit_address(call)
        given = call.credentials
        if "identifier" in given or "secret" in given:
            return self._admit_pair(given.get("identifier"), given.get("secret"))
        if given.get("username") == self.identifier:
            return self._admit_pair(self.identifier, given.get("password"))
        return self._admit_login(given.get("username"), given.get("password"))

    def _admit_address(self, call: Call) -> None:
        if self.access_key is not None and call.credentials.get("accesskey") == self.access_key:
            return
        if self.requires_access_key or call.address not in self.allowed_addresses:
            raise Refusal(f"Invalid IP {call.address}", "403 Forbidden")

    def _admit_pair(self, identifier: str | None, secret: str | None) -> None:
        if identifier != self.identifier:
            raise Refusal("Invalid or missing credentials", "403 Forbidden")
        if secret != self.secret:
            raise Refusal("Authentication Failed", "403 Forbidden")

    def _admit_login(self, username: str | None, password: str | None) -> None:
        if username != self.username or password != hashlib.md5(self.password.encode()).hexdigest():
            raise Refusal("Authentication Failed", "403 Forbidden")

    def permit(self, action: str) -> None:
        """Raises Refusal when the role lacks the action; the message names it in lower case."""
        if self.role is not None and action.lower() not in {name.lower() for name in self.role}:
            message = f'Invalid Permissions: API action "{action.lower()}" is not allowed'
            raise Refusal(message, "403 Forbidden")
