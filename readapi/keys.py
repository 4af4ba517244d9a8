"""The keys that tokens are verified with: one shared key, or the issuer's published set."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import orjson
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError
from jwt.utils import base64url_encode

from config import outgoing
from readapi.problems import unavailable

log = logging.getLogger(__name__)
FITTING = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""The one algorithm each kind of published key may verify (kty, crv; RFC 7518 section 6, RFC 8037 section 2)."""
KEPT_SECONDS = 600.0
FLOOR_SECONDS = 30.0
FETCH_SECONDS = 5.0
MAX_AGE_SECONDS = 24 * 3600.0
LARGEST_SET = 1024 * 1024
"""Bytes, as decoded."""
SMALLEST_RSA_BITS = 2048


class Keys(Protocol):
    """Where verification keys come from."""

    @property
    def generation(self) -> int:
        """Changes whenever a token accepted before might no longer be."""

    def find(self, algorithm: str, key_id: str | None) -> PyJWK | None:
        """The key for a token that names this algorithm and key id; None when there is none. Raises Problem (503)."""


class SharedKey:
    """The HS256 key of ME_STATUS_JWT_KEY; no other algorithm ever finds it."""

    generation = 0

    def __init__(self, key: str) -> None:
        symmetric = {"kty": "oct", "k": base64url_encode(key.encode()).decode()}
        self._key = PyJWK(symmetric, "HS256")

    def find(self, algorithm: str, key_id: str | None) -> PyJWK | None:
        return self._key if algorithm == "HS256" else None


class PublishedKeys:
    """The key set at ME_STATUS_JWKS_URL: RS256, ES256 and EdDSA (Ed25519) keys, fetched anew every ten minutes.

    Fetching is the work of a thread of its own (`start`), so that no request ever waits for the issuer. An unknown key
    id has the set fetched sooner, at most every 30 seconds, so that made-up ids cannot drive us against the issuer.
    While the issuer does not answer well, the last set goes on until it is `max_age_seconds` old: a key that was
    revoked must not stay good for as long as the issuer is away. Without a set, `find` raises a 503 Problem.
    """

    def __init__(
        self,
        url: str,
        *,
        max_age_seconds: float = MAX_AGE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        floor: float = FLOOR_SECONDS,
    ) -> None:
        self._sets = 0
        self._max_age = max_age_seconds
        self._clock = clock
        self._floor = floor
        self._url = url
        self._session = outgoing.session(seconds=FETCH_SECONDS, largest=LARGEST_SET)
        self._keys: dict[tuple[str, str | None], PyJWK] | None = None
        self._fetched_at = self._tried_at = float("-inf")
        self._wanted = threading.Event()
        self._wanted.set()

    @property
    def generation(self) -> int:
        """The set's number; another one, which no set has, once it is too old for any token."""
        return self._sets if self.age_seconds() <= self._max_age else -1

    def start(self) -> None:
        """Fetches the set from now on, in the background, for the life of the process."""
        threading.Thread(target=self._keep, name="token issuer's keys", daemon=True).start()

    def find(self, algorithm: str, key_id: str | None) -> PyJWK | None:
        if algorithm not in FITTING.values():
            return None
        if self.age_seconds() > self._max_age:
            raise unavailable("no-keys", "The token issuer's keys cannot be had at the moment.", retry_after=30)
        key = self._pick(algorithm, key_id)
        if key is None and self._clock() - self._tried_at >= self._floor:
            self._wanted.set()
        return key

    def age_seconds(self) -> float:
        """Since the set was fetched; infinite without one."""
        return self._clock() - self._fetched_at

    def is_coming(self) -> bool:
        """True while a set that somebody waits for is being fetched."""
        return self._wanted.is_set()

    def fetch(self) -> bool:
        """Fetches the set now. Any failure leaves the last one, and is no more than a warning."""
        self._tried_at = self._clock()
        try:
            keys = read_key_set(self._get())
        except (requests.RequestException, ValueError, RecursionError) as error:
            log.warning("the token issuer's keys cannot be fetched: %s", _in_words(error))
            return False
        finally:
            self._wanted.clear()
        self._fetched_at = self._clock()
        self._keys = keys
        self._sets += 1
        return True

    def _keep(self) -> None:
        while True:
            is_fetched = self.fetch()
            self._wanted.wait(KEPT_SECONDS if is_fetched else self._floor)

    def _pick(self, algorithm: str, key_id: str | None) -> PyJWK | None:
        keys = self._keys or {}
        if key_id is not None:
            return keys.get((algorithm, key_id))
        fitting = [key for (name, _), key in keys.items() if name == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    def _get(self) -> Any:
        answer = self._session.get(self._url, headers={"Accept": "application/json"}, allow_redirects=False)
        if answer.status_code != HTTPStatus.OK:
            raise ValueError(f"status {answer.status_code}")
        return orjson.loads(answer.content)


def _in_words(error: Exception) -> str:
    return outgoing.in_words(error) if isinstance(error, requests.RequestException) else f"no key set ({error})"


def read_key_set(document: Any) -> dict[tuple[str, str | None], PyJWK]:
    """Usable keys of a JWK set (RFC 7517, section 5) by algorithm and key id; keys of other kinds are passed over.

    Raises ValueError when the document is not a key set.
    """
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("not a JWK set")
    keys: dict[tuple[str, str | None], PyJWK] = {}
    for entry in document["keys"]:
        if (algorithm := _algorithm_of(entry)) and (key := _key_of(entry, algorithm)) is not None:
            key_id = entry.get("kid")
            keys[algorithm, key_id if isinstance(key_id, str) else None] = key
    return keys


def _algorithm_of(entry: Any) -> str | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kind = entry.get("kty")
    curve = None if kind == "RSA" else entry.get("crv")
    algorithm = FITTING.get((kind, curve)) if isinstance(kind, str) and isinstance(curve, str | None) else None
    return algorithm if entry.get("alg", algorithm) in (algorithm, "Ed25519" if kind == "OKP" else algorithm) else None


def _key_of(entry: dict[str, Any], algorithm: str) -> PyJWK | None:
    public = {name: value for name, value in entry.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth")}
    try:
        key = PyJWK(public, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    too_small = isinstance(key.key, RSAPublicKey) and key.key.key_size < SMALLEST_RSA_BITS
    return None if too_small else key
