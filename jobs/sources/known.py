"""What the snapshot knows of a WHMCS stream, handed to a pull so that sources never touch the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Known:
    """What hints and the rota start from; the caller reads it from the snapshot before the pull.

    `rows` and `highest_id` are those of the stream (0 and None when it is empty).
    `unpaid` (invoice only) are the ids of invoices whose status is Unpaid.
    `rota` (pay_method, and client when the link is held by the client) lists client ids with the instant they were
    last read by themselves (pay methods: `pipeline.pay_method_rota.read_at`; None: never), never read first, then
    longest ago. It may be cut short; `clients` says how many clients the snapshot holds. Clients that the same
    connection has pulled meanwhile and that are not listed count as never read when `rota` is not cut short.
    """

    rows: int = 0
    highest_id: int | None = None
    unpaid: frozenset[int] = frozenset()
    rota: tuple[tuple[int, datetime | None], ...] = ()
    clients: int = 0


NOTHING = Known()
"""A snapshot without rows: the first pull."""
