"""What the snapshot knows of a WHMCS stream, handed to a pull so that sources never touch the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class KnownRows:
    """What pulls between sweeps and the round robin start from; the caller reads it from the snapshot before the pull.

    `rows` and `highest_id` are those of the stream (0 and None when it is empty).
    `unpaid` (invoice only) are the ids of invoices whose status is Unpaid.
    `readings` (pay_method only) lists client ids with the instant their pay methods were last read
    (`pipeline.pay_method_reading.read_at`; None: never), never read first, then longest ago. It may be cut short:
    `clients` says how many clients the snapshot holds. Clients the same connection has just pulled and the snapshot
    does not hold yet are read as well.
    For balance, `readings` lists the unpaid invoices in the same way, None also for one that changed since, and
    `references` gives the client of each.
    `references` (client only, when the link is held by the client) gives each client's `account_reference` of the
    snapshot: what is kept of a client whose details are not read this time.
    """

    rows: int = 0
    highest_id: int | None = None
    unpaid: frozenset[int] = frozenset()
    readings: tuple[tuple[int, datetime | None], ...] = ()
    clients: int = 0
    references: Mapping[int, str | None] = field(default_factory=dict)


NOTHING = KnownRows()
"""A snapshot without rows: the first pull."""
