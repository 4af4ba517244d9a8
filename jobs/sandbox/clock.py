"""The simulated clock both stand-ins and the demo share."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Lock


class SimulatedClock:
    """An instant that moves only on demand, never backwards. Aware UTC."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._lock = Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def advance_to(self, instant: datetime) -> None:
        """Raises ValueError for an instant before now."""
        with self._lock:
            if instant < self._now:
                raise ValueError(
                    f"the clock stands at {self._now.isoformat()}; it cannot go back to {instant.isoformat()}"
                )
            self._now = instant.astimezone(UTC)


class WallClock(SimulatedClock):
    """The real time, for stand-ins that run beside the product's own schedule."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))

    def now(self) -> datetime:
        return datetime.now(UTC)
