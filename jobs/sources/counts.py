"""What a source says of one stream when it is asked for counts only, for a comparison with the snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Counted:
    """Rows of one bucket, and the latest stamp among them (aware UTC) where it is known."""

    rows: int
    newest: datetime | None = None


@dataclass(frozen=True)
class SourceCounts:
    """A stream's rows by bucket: a month of creation such as `2026-03` (Salesforce), a status (WHMCS), or `all`.

    `moved`: ids that changed after the last pull; they are counted on neither side. `uncertain`: how many more rows
    may have moved unseen while the source was asked.
    """

    buckets: Mapping[str, Counted]
    moved: frozenset[str] = field(default=frozenset())
    uncertain: int = 0
