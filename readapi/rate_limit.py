"""How many requests one customer may send: generous for any portal, a wall for a loop gone wild."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

PER_MINUTE = 1200
AT_ONCE = 200
LARGEST_COUNT = 100_000
"""Customers remembered at once (some 10 MB); of more, the one seen longest ago starts anew."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to one customer after this request; `retry_after` in seconds, None when the request may pass."""

    remaining: int
    full_again: int
    """Seconds until nothing of the allowance is used."""
    retry_after: int | None

    def headers(self, policy: str) -> list[tuple[str, str]]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-10."""
        return [("RateLimit-Policy", policy), ("RateLimit", f'"customer";r={self.remaining};t={self.full_again}')]


class RateLimit:
    """A bucket a customer that fills evenly (the generic cell rate algorithm: one number each).

    Used by one thread, the event loop of its process: each worker process counts for itself.
    """

    def __init__(
        self, per_minute: int = PER_MINUTE, *, at_once: int = AT_ONCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = 60 / per_minute
        self._at_once = min(at_once, per_minute)
        self._clock = clock
        self._full_at: LRUCache[str, float] = LRUCache(LARGEST_COUNT)
        self.policy = f'"customer";q={per_minute};w=60'

    def take(self, subject: str) -> Allowance:
        """Counts one request of the subject, unless its allowance is used up."""
        now = self._clock()
        owed = max(self._full_at.get(subject, now) - now, 0.0)
        over = owed + self._interval - self._at_once * self._interval
        if over > 1e-9:
            return Allowance(0, math.ceil(owed), max(1, math.ceil(over)))
        owed += self._interval
        self._full_at[subject] = now + owed
        return Allowance(int(self._at_once - owed / self._interval + 1e-9), math.ceil(owed), None)
