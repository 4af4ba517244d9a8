"""What one pull of a WHMCS stream has read so far: parts of lists, parsed on their way into a spool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jobs.progress import Bar
from jobs.sources.columns import loose_integer
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.rows import WhmcsStream
from materializer.snapshot.pulls import SetAsideRecord

PARSED_AT_ONCE = 10_000
"""Rows that wait before they are parsed: columns cost less by the row when they are long."""
NOT_ENCODED = "a stored text is not valid UTF-8; correct it in WHMCS"


@dataclass(frozen=True)
class Part:
    """What stands at some offsets: the values, and by offset the rows that cannot be read (None: not even the id)."""

    offset: int
    values: dict[str, list[Any]]
    received: int
    total: int | None
    unreadable: Mapping[int, SetAsideRecord | None] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """How far it reaches from its offset."""
        return self.received + len(self.unreadable)

    def end_ids(self) -> tuple[Any, Any]:
        """The ids of its first and last row; None where that row cannot be read."""
        ids = next(iter(self.values.values()), [])
        first = ids[0] if ids and self.offset not in self.unreadable else None
        last = ids[-1] if ids and self.offset + self.length - 1 not in self.unreadable else None
        return loose_integer(first), loose_integer(last)


@dataclass
class Reading:
    """Rows on their way into a spool, with those set aside."""

    wanted_stream: WhmcsStream
    spool: SpooledRows
    bar: Bar
    set_aside: dict[str, SetAsideRecord] = field(default_factory=dict)
    unreadable: set[int] = field(default_factory=set)
    nulled: list[SetAsideRecord] = field(default_factory=list)
    _waiting: dict[str, list[Any]] = field(default_factory=dict)
    _places: list[int] = field(default_factory=list)

    def take(self, part: Part) -> None:
        """Takes in what was read at some offsets."""
        for key, values in part.values.items():
            self._waiting.setdefault(key, []).extend(values)
        gaps = part.unreadable
        self._places += [at for at in range(part.offset, part.offset + part.length) if at not in gaps]
        self.unreadable |= {at for at, record in gaps.items() if record is None}
        self.set_aside |= {record.record_id: record for record in gaps.values() if record is not None}
        self.bar.advance(part.received)
        if len(self._places) >= PARSED_AT_ONCE:
            self.parse()

    def parse(self) -> None:
        """Parses what waits."""
        if not self._places:
            return
        places, action = self._places, self.wanted_stream.action.name
        read = self.wanted_stream.rows(self._waiting, lambda at: f"row {places[at] + 1} of {action}")
        self.set_aside |= {record.record_id: record for record in read.set_aside}
        self.nulled += read.unreadable
        self._waiting, self._places = {}, []
        self.add(read.rows)

    def add(self, rows: pa.Table) -> None:
        """Adds parsed rows."""
        self.spool.add(rows)

    def all_refused(self) -> tuple[SetAsideRecord, ...]:
        """Refused records, and places that could not be read at all."""
        action = self.wanted_stream.action.name
        unread = (SetAsideRecord(f"row {at + 1} of {action}", "text", NOT_ENCODED) for at in sorted(self.unreadable))
        return (*self.set_aside.values(), *unread)

    @property
    def seen(self) -> int:
        """Distinct records: rows, those set aside and unreadable ones."""
        self.parse()
        return self.spool.rows + len(self.set_aside) + len(self.unreadable)
