"""Who may read the operator's pages, who may act on them, and how a form proves that it came from one of them."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from config.settings import Settings
from readapi.problems import NO_ADDRESS, Problem, not_found, unauthorized

REALM = 'Basic realm="me-status operator"'
SAME_SITE = (None, "same-origin", "none")
"""What a browser says of a request from our own page, or from its address line; older ones say nothing."""


@dataclass(frozen=True)
class Operator:
    """Who asks. `name` is the user name the browser sent, if any; `form_token` goes into every form."""

    role: Literal["reads", "acts"]
    name: str = ""
    form_token: str = ""


class Access:
    """The door, with the secrets of ME_STATUS_OPS_TOKEN (reads) and ME_STATUS_OPS_ACT_TOKEN (reads and acts)."""

    def __init__(self, settings: Settings) -> None:
        reads, acts = settings.me_status_ops_token, settings.me_status_ops_act_token
        self._reads = None if reads is None else reads.get_secret_value()
        self._acts = None if acts is None else acts.get_secret_value()

    def operator(self, authorization: str | None) -> Operator:
        """Admits the operator. Raises Problem: 404 when no token is set, 401 when it is not one of those.

        Browsers cannot send a bearer token by themselves, so the token may also come as the password of HTTP Basic.
        """
        if self._reads is None:
            raise not_found(NO_ADDRESS)
        name, given = _given(authorization or "")
        if self._acts is not None and _is_same(given, self._acts):
            return Operator("acts", name, self._form_token(self._acts))
        if _is_same(given, self._reads):
            return Operator("reads", name)
        problem = unauthorized("This address needs the operator's token.", error=None)
        problem.repeated.append(("WWW-Authenticate", REALM))  # Chromium reads only one challenge of a line
        raise problem

    def require_form(self, operator: Operator, form_token: str, fetch_site: str | None) -> None:
        """Lets an action pass. Raises Problem 403: for who may only read, and for a form of another site."""
        if operator.role != "acts":
            raise Problem(HTTPStatus.FORBIDDEN, "read-only", "This token reads only; acting needs the second secret.")
        if fetch_site not in SAME_SITE or not _is_same(form_token, operator.form_token):
            raise Problem(HTTPStatus.FORBIDDEN, "not-our-form", "The form is not one of this page's; open it anew.")

    @staticmethod
    def _form_token(secret: str) -> str:
        return hmac.new(secret.encode(), b"me-status ops form", hashlib.sha256).hexdigest()


def _is_same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())


def _given(authorization: str) -> tuple[str, str]:
    """The user name and the secret that came, either possibly empty."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return "", value.strip()
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, secret
