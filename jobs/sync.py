"""The two sync jobs: pull every stream of a source, take it in, settle what is gone, and note how far it came."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from config.database import Database
from config.settings import Settings


class Run(Protocol):
    """What a sync asks of the run it belongs to."""

    run_id: int
    counts: dict[str, Any]

    def hold(self, summary: str) -> None: ...


def sync_salesforce(
    database: Database,
    settings: Settings,
    tables: Any,
    *,
    run: Run,
    now: datetime,
    full: bool,
    accept_shrink: bool,
    progress: Any,
) -> None:
    """Brings the snapshot up to Salesforce. Raises SourceError at the end when a stream failed."""
    raise NotImplementedError


def sync_whmcs(
    database: Database,
    settings: Settings,
    tables: Any,
    *,
    run: Run,
    now: datetime,
    full: bool,
    accept_shrink: bool,
    progress: Any,
) -> None:
    """Brings the snapshot up to WHMCS. Raises SourceError at the end when a required stream failed."""
    raise NotImplementedError
