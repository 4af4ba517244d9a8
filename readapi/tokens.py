"""Bearer tokens: a verified JWT gives its subject, anything else a 401 Problem.

`sub` is required, `iss` and `aud` where settings name them. `exp`, `nbf` and `iat` are honoured where a token has them:
a token without `exp` is good for as long as its key is, so an issuer should set one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any

import jwt

from config.settings import Settings
from readapi.keys import Keys, PublishedKeys, SharedKey
from readapi.problems import Problem, unauthorized

LEEWAY_SECONDS = 60
"""For nbf and iat, the clocks of issuer and server; none for exp: an expired token is expired."""
LONGEST_TOKEN = 8192
KEPT_TOKENS = 50_000
MALFORMED = (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Verified:
    subject: str
    expires_at: float
    generation: int


class Tokens:
    """Verifies tokens, and remembers those verified until they expire or the keys change."""

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str | None = None,
        audience: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._kept: dict[str, _Verified] = {}
        self._required = ["sub", *(["iss"] if issuer else []), *(["aud"] if audience else [])]

    def subject(self, authorization: str | None) -> str:
        """The `sub` of the bearer token in an Authorization header. Raises Problem: 401, or 503 without any keys."""
        token = _bearer(authorization)
        if isinstance(self._keys, PublishedKeys):
            self._keys.refresh()
        kept = self._kept.get(token)
        if kept is None or kept.generation != self._keys.generation:
            kept = self._verify(token)
        if kept.expires_at <= self._clock():
            self._kept.pop(token, None)
            raise unauthorized("The token has expired.")
        return kept.subject

    def _verify(self, token: str) -> _Verified:
        generation, claims = self._claims(token)
        subject = claims["sub"]
        if not subject:
            raise unauthorized("The token names no subject.")
        verified = _Verified(subject, float(claims["exp"]) if "exp" in claims else inf, generation)
        if len(self._kept) >= KEPT_TOKENS:
            self._kept.clear()
        self._kept[token] = verified
        return verified

    def _claims(self, token: str) -> tuple[int, dict[str, Any]]:
        try:
            algorithm, key_id = _named_in(token.partition(".")[0])
            # Read before the look-up, so that a set fetched meanwhile has the token verified anew.
            generation = self._keys.generation
            key = self._keys.find(algorithm, key_id)
            if key is None:
                raise unauthorized("The token is signed by a key or algorithm that is not accepted here.")
            return generation, self._decode(token, key, algorithm)
        except jwt.ExpiredSignatureError as error:
            raise unauthorized("The token has expired.") from error
        except MALFORMED as error:
            raise _refused(error) from error

    def _decode(self, token: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        """The claims. Only the algorithm that belongs to the key is allowed, so that no key can serve for another."""
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=self._issuer,
            audience=self._audience,
            leeway=LEEWAY_SECONDS,
            options={"require": self._required, "verify_aud": self._audience is not None},
        )


def from_settings(settings: Settings) -> Tokens:
    """Tokens as ME_STATUS_JWT_KEY or ME_STATUS_JWKS_URL say. Raises SettingsError when neither is set."""
    settings.require("tokens")
    keys: Keys
    if settings.me_status_jwt_key is not None:
        keys = SharedKey(settings.me_status_jwt_key.get_secret_value())
    else:
        keys = PublishedKeys(str(settings.me_status_jwks_url))
    return Tokens(keys, issuer=settings.me_status_jwt_issuer, audience=settings.me_status_jwt_audience)


@lru_cache(maxsize=256)
def _named_in(header: str) -> tuple[str, str | None]:
    """The algorithm and key id that a token's first part names; an issuer's tokens share it, so it is read once.

    Raises PyJWTError or ValueError when it is malformed or names no algorithm.
    """
    named = jwt.get_unverified_header(f"{header}.e30.")
    if not isinstance(named.get("alg"), str):
        raise ValueError("no algorithm")
    return named["alg"], named.get("kid")


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise unauthorized("This call needs a bearer token.", error=None)
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized("This call needs a bearer token.", error=None)
    if len(token) > LONGEST_TOKEN:
        raise unauthorized("The token is malformed.")
    return token.strip()


def _refused(error: Exception) -> Problem:
    reasons: dict[type[Exception], str] = {
        jwt.ImmatureSignatureError: "The token is not valid yet.",
        jwt.InvalidIssuedAtError: "The token is not valid yet.",
        jwt.InvalidIssuerError: "The token is from another issuer.",
        jwt.InvalidAudienceError: "The token is for another audience.",
        jwt.InvalidSignatureError: "The token's signature does not fit.",
        jwt.MissingRequiredClaimError: "The token lacks a required claim (sub, and iss and aud where set).",
        jwt.exceptions.InvalidSubjectError: "The token's subject is not text.",
    }
    return unauthorized(reasons.get(type(error), "The token is malformed."))
