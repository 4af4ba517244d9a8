"""Rebuild: recomputes documents from the snapshot, in place, telling nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from config.database import Database
from materializer.refresh import Submit
from materializer.rules import Rules


@dataclass(frozen=True)
class Difference:
    """One path of the documents that comes out another: in how many, with a few customer ids."""

    documents: int
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did; `differences` by path ("tasks", "summary.stats.amountDue") is filled by a dry run only."""

    customers: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0
    differences: dict[str, Difference] = field(default_factory=dict)


def rebuild(
    database: Database,
    rules: Rules,
    *,
    run_id: int,
    now: datetime,
    batch_customers: int = 2000,
    customer: str | None = None,
    report: bool = False,
    submit: Submit | None = None,
) -> Rebuilt:
    """Recomputes every document, or the one of `customer` (an Account id). `report=True` writes nothing and compares."""
    raise NotImplementedError
