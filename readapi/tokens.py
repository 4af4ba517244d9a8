"""Bearer tokens: a verified JWT gives its subject, anything else a 401 Problem.

`sub` is required, `iss` and `aud` where settings name them. `nbf` and `iat` are honoured where a token has them, and so
is `exp`: where `longest_hours` is set (it is by default for published keys), a token must expire within so many hours,
because a token that is good for ever cannot be taken back.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
from cachetools import LRUCache

from config.settings import Settings
from readapi.keys import Keys, PublishedKeys, SharedKey
from readapi.problems import Problem, read_only, unauthorized

WRITE = "me:write"
LEEWAY_SECONDS = 60
"""For nbf and iat, the clocks of issuer and server; none for exp: an expired token is expired."""
LONGEST_TOKEN = 8192
KEPT_TOKENS = 50_000
LAST_INSTANT = 2**53
"""Seconds since 1970 that a number of JSON still holds exactly; dates beyond it are nobody's."""
DATES = ("exp", "nbf", "iat")
MALFORMED = (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Verified:
    subject: str
    reads_only: bool
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
        longest_hours: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.keys = keys
        self._issuer = issuer
        self._audience = audience
        self._longest_hours = longest_hours
        self._clock = clock
        self._kept: LRUCache[str, _Verified] = LRUCache(KEPT_TOKENS)
        self._lock = threading.Lock()
        wanted = {"sub": True, "iss": issuer, "aud": audience, "exp": longest_hours}
        self._required = [name for name, is_wanted in wanted.items() if is_wanted]

    def subject(self, authorization: str | None) -> str:
        """The `sub` of the bearer token in an Authorization header. Raises Problem: 401, or 503 without any keys."""
        return self._verified(authorization).subject

    def require_write(self, authorization: str | None) -> None:
        """Raises Problem as `subject` does, and 403 for a token that may read only."""
        if self._verified(authorization).reads_only:
            raise read_only()

    def _verified(self, authorization: str | None) -> _Verified:
        token = _bearer(authorization)
        with self._lock:
            kept = self._kept.get(token)
        if kept is None or kept.generation != self.keys.generation:
            kept = self._verify(token)
        if kept.expires_at <= self._clock():
            raise unauthorized("The token has expired.")
        return kept

    def keys_age(self) -> float | None:
        """Seconds since the issuer's keys were fetched; None for a key that is not fetched, or was not yet."""
        age = self.keys.age_seconds() if isinstance(self.keys, PublishedKeys) else math.inf
        return age if age < math.inf else None

    def may_come(self) -> bool:
        """True while the set that may hold the key of a token refused just now is on its way."""
        return isinstance(self.keys, PublishedKeys) and self.keys.is_coming()

    async def arrived(self, seconds: float) -> None:
        """Waits until that set is here, or could not be had, or so many seconds passed."""
        deadline = time.monotonic() + seconds
        while self.may_come() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    def _verify(self, token: str) -> _Verified:
        generation, claims = self._claims(token)
        subject = claims["sub"]
        if not subject:
            raise unauthorized("The token names no subject.")
        expires_at = float(claims["exp"]) if "exp" in claims else math.inf
        if self._longest_hours and expires_at > self._clock() + self._longest_hours * 3600 + LEEWAY_SECONDS:
            raise unauthorized("The token is good for longer than tokens may be here.")
        verified = _Verified(subject, _reads_only(claims), expires_at, generation)
        with self._lock:
            self._kept[token] = verified
        return verified

    def _claims(self, token: str) -> tuple[int, dict[str, Any]]:
        try:
            algorithm, key_id = _named_in(token.partition(".")[0])
            # Read before the look-up, so that a set fetched meanwhile has the token verified anew.
            generation = self.keys.generation
            key = self.keys.find(algorithm, key_id)
            if key is None:
                raise unauthorized("The token is signed by a key or algorithm that is not accepted here.")
            claims = self._decode(token, key, algorithm)
            _require_dates(claims)
            return generation, claims
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
        hours = settings.me_status_jwks_max_age_hours
        keys = PublishedKeys(str(settings.me_status_jwks_url), max_age_seconds=hours * 3600)
        keys.start()
    return Tokens(
        keys,
        issuer=settings.me_status_jwt_issuer,
        audience=settings.me_status_jwt_audience,
        longest_hours=settings.longest_token_hours,
    )


def _reads_only(claims: dict[str, Any]) -> bool:
    """Whether a token is for looking: somebody acts in the customer's place (RFC 8693), or its scope lacks me:write.

    A token without a scope is the customer's own.
    """
    if claims.get("act") is not None:
        return True
    scope = claims.get("scope")
    if scope is None:
        return False
    words = scope.split() if isinstance(scope, str) else scope if isinstance(scope, list) else []
    return WRITE not in words


@lru_cache(maxsize=256)
def _named_in(header: str) -> tuple[str, str | None]:
    """The algorithm and key id that a token's first part names; an issuer's tokens share it, so it is read once.

    Raises PyJWTError or ValueError when it is malformed or names no algorithm.
    """
    named = jwt.get_unverified_header(f"{header}.e30.")
    if not isinstance(named.get("alg"), str):
        raise ValueError("no algorithm")
    return named["alg"], named.get("kid")


def _require_dates(claims: dict[str, Any]) -> None:
    """Raises ValueError for an instant that is no number of seconds, or further than anybody's clock will come."""
    for name in DATES:
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LAST_INSTANT:
            raise ValueError(f"{name} is not an instant")


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
        jwt.MissingRequiredClaimError: "The token lacks a claim that is demanded: sub, and exp, iss or aud.",
        jwt.exceptions.InvalidSubjectError: "The token's subject is not text.",
    }
    return unauthorized(reasons.get(type(error), "The token is malformed."))
