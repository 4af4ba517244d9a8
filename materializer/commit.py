"""Takes a pulled stream into the snapshot: window by window, rows, transitions and marks in one transaction each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from config.database import Database
from materializer.pulls import Key, Pulled
from materializer.transitions import TransitionPolicy


@dataclass(frozen=True)
class Taken:
    """What one stream's pull came to. `missing`: keys of the snapshot that a full pull did not have, not yet removed."""

    pulled: Pulled
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    ignored: int = 0
    refused: int = 0
    before: int = 0
    transitions: dict[str, int] = field(default_factory=dict)
    missing: tuple[Key, ...] = ()


def take_in(
    database: Database, pulled: Pulled, policy: TransitionPolicy, *, run_id: int, now: datetime, window_rows: int
) -> Taken:
    """Brings the snapshot to what was pulled and returns what that came to."""
    raise NotImplementedError
