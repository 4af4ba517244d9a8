"""What one pull of a Salesforce object has read so far, and where its cursor may go then (salesforce-api 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from config.salesforce_id import normalised
from jobs.progress import Bar
from jobs.sources.columns import instant
from jobs.sources.salesforce.rows import SalesforceStream
from jobs.sources.spool import SpooledRows
from materializer.snapshot.pulls import SetAsideRecord

AHEAD = timedelta(hours=1)
ABSURDLY_AHEAD = timedelta(days=2)
"""No clock is as wrong as this: a stamp so far ahead of the server's is that of one absurd record."""


@dataclass
class Reading:
    """Rows in the spool, deleted and set-aside records apart, and the counts that show whether it is whole.

    `source_time` is the server's clock before the first query, `highest` the highest stamp read.
    """

    wanted_stream: SalesforceStream
    spool: SpooledRows
    bar: Bar
    source_time: datetime | None
    received: int = 0
    announced: int = 0
    highest: datetime | None = None
    deleted: set[str] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    set_aside: list[SetAsideRecord] = field(default_factory=list)
    nulled: list[SetAsideRecord] = field(default_factory=list)

    @property
    def distinct(self) -> int:
        """How many different records came, alive, deleted or set aside."""
        return self.spool.rows + len(self.deleted) + len(self.set_aside)

    def take(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Adds one page: rows to the spool, deleted records apart, malformed ones set aside."""
        alive = [record for record in records if record.get("IsDeleted") is not True]
        read = self.wanted_stream.rows(alive, self.received)
        self.spool.add(read.rows)
        self.set_aside += read.set_aside
        self.nulled += read.unreadable
        self._undelete(read.rows)
        for record in records:
            if record.get("IsDeleted") is True:
                self._delete(record)
        self.received += len(records)
        self.highest = max(filter(None, (self.highest, self._highest_of(records))), default=None)
        self.bar.advance(len(records))

    def _highest_of(self, records: Sequence[Mapping[str, Any]]) -> datetime | None:
        """The highest stamp of some records, but for absurd ones, after which no change would be seen any more."""
        stamps = instant([record.get("SystemModstamp") for record in records])[0]
        if self.source_time is not None:
            stamps = stamps.filter(pc.less(stamps, pa.scalar(self.source_time + ABSURDLY_AHEAD, stamps.type)))
        highest: datetime | None = pc.max(stamps).as_py()
        return highest

    def back_to(self, received: int, announced: int, set_aside: Sequence[SetAsideRecord]) -> None:
        """Forgets the counts of a query that is asked again; its rows may stay, they come again."""
        self.received, self.announced, self.set_aside = received, announced, list(set_aside)

    def next_cursor(self, previous: datetime | None, ended_at: datetime | None) -> datetime | None:
        """The highest stamp read, not beyond the server's clock at the start (H9, H11), never back.

        Stamps more than an hour ahead of that clock at the end, `ended_at`, mean that it is not the one that stamps;
        then they count.
        """
        highest, clock = self.highest, self.source_time
        if highest and clock and ended_at and clock < highest <= ended_at + AHEAD:
            highest = clock
        return max(filter(None, (highest, previous)), default=None)

    def _delete(self, record: Mapping[str, Any]) -> None:
        try:
            key, master = normalised(record.get("Id")), normalised(record.get("MasterRecordId"))
        except ValueError as error:
            self.set_aside.append(SetAsideRecord("deleted record", "Id", str(error)))
            return
        if key is not None:
            self.deleted.add(key)
            if master is not None:
                self.merged[key] = master

    def _undelete(self, rows: pa.Table) -> None:
        """A record restored between two queries of the pull is alive."""
        if not self.deleted:
            return
        for key in self.deleted & set(rows[self.wanted_stream.stream.key].to_pylist()):
            self.deleted.discard(key)
            self.merged.pop(key, None)


def literal(moment: datetime) -> str:
    """A SOQL instant: whole seconds, UTC, with Z (H6, H12)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def upper_bound(server_time: datetime | None, cursor: datetime) -> datetime | None:
    """The window's end: just after the server's present second; None where its clock is behind its own stamps."""
    if server_time is None or server_time < cursor:
        return None
    return server_time.replace(microsecond=0) + timedelta(seconds=1)
