"""Removes what full pulls found gone, unless that is suspiciously much: then the run is held for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.database import Database
from config.schedule import ShrinkGate
from materializer.commit import Taken


@dataclass(frozen=True)
class Settled:
    """What became of the removals: counts by stream, or `held`, the summary of what waits for the operator."""

    removed: dict[str, int] = field(default_factory=dict)
    held: dict[str, Any] | None = None


def settle(
    database: Database, taken: Sequence[Taken], gate: ShrinkGate | None, *, run_id: int, now: datetime
) -> Settled:
    """Applies or holds the removals of one source's run. `gate` None: accepted whatever their number."""
    raise NotImplementedError


def release(database: Database, run_id: int, now: datetime) -> dict[str, int]:
    """Applies the removals held by the run, by stream. Harmless when already decided."""
    raise NotImplementedError


def discard(database: Database, run_id: int, now: datetime) -> bool:
    """Forgets the removals held by the run. False when already decided."""
    raise NotImplementedError
