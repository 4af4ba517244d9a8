"""What a source handed over in one pull, in its own words: what product and reference model both start from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SALESFORCE = ("account", "order", "case")
WHMCS = ("client", "service", "invoice", "cancellation", "pay_method")
MALFORMED = "~malformed"
"""A key of records that hold a value nobody can read; the model knows, the product has to find out."""


@dataclass(frozen=True)
class Delivery:
    """One pull. `gone`: those of the keys asked for that a direct look-up does not find; None: the look-up fails."""

    stream: str
    extent: str
    records: list[dict[str, Any]]
    is_complete: bool = True
    clients: tuple[int, ...] = ()
    deleted: tuple[str, ...] = ()
    merged: dict[str, str] = field(default_factory=dict)
    cursor_at: datetime | None = None
    source_time: datetime | None = None
    alive: frozenset[Any] = frozenset()
    masters: dict[str, str] = field(default_factory=dict)
    can_confirm: bool = True
