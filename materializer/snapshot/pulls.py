"""What a pull hands over: rows sorted by key in a spool, and how much may be concluded from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import pyarrow as pa

from materializer.snapshot.streams import Stream

Key = str | int


class Spool(Protocol):
    """Pulled rows of one stream on disk, unique by key (the row read last wins), read back in windows of the key."""

    @property
    def rows(self) -> int:
        """How many distinct rows it holds."""

    def windows(self, size: int) -> Iterator[pa.Table]:
        """The rows in ascending key order (bytewise for text), in tables of about `size` rows of the stream's schema.

        Yields nothing when there are no rows. May be called again; each call starts over.
        """

    def close(self) -> None:
        """Removes the files."""


@dataclass(frozen=True)
class SetAsideRecord:
    """A record set aside: its id (or its place in the pull), the first field at fault, and what is wrong with it.

    `reason` may quote the value of an id, date, number or status word; never free text, names or addresses.
    `owner` is the id that leads to the customer (the stream's owner column, as text); None where it cannot be read.
    """

    record_id: str
    field: str
    reason: str
    owner: str | None = None


@dataclass(frozen=True)
class HistoricChange:
    """One step of a tracked account field, as AccountHistory has it; words are the source's."""

    account_id: str
    field: Literal["eligibility_status", "verification_status"]
    old_word: str | None
    new_word: str | None
    changed_at: datetime


@dataclass(frozen=True)
class Pulled:
    """One reading of a stream.

    `extent` says what the rows are: `full` (everything the source has), `partial` (what changed, or the likely part of
    it), or `owners` (everything of the accounts or clients in `owners`). `is_hinted` says that only some customers were
    read, because of hints: the stream's state stays as it is. `began_at` is the database's clock before the first call;
    `None` where no other reading can be under way.
    `is_complete` is true when the source's own count agrees with the rows received and refused, and the pages chain;
    removals are concluded only then. `why_incomplete` says what did not agree.
    `deleted` keys were reported deleted by the source; `merged` maps a losing account to the one it names as master.
    `confirm_gone` looks keys up directly and returns those the source no longer has; losers of a merge found so are
    added to this very `merged`, so read it after the last call.
    `suspects` are known keys that do harm each day once they are gone: those of them that an incomplete full pull did
    not have are looked up all the same.
    `unreadable` are values of the rows that count as null, since they could not be read and decide nothing.
    `fields` are the source's fields that were read; `cursor_at` is the next cursor; `source_time` the source's clock
    at the start of the pull. All instants are aware UTC.
    """

    stream: Stream
    spool: Spool
    extent: Literal["full", "partial", "owners"]
    is_complete: bool = True
    why_incomplete: str | None = None
    owners: tuple[Key, ...] = ()
    is_hinted: bool = False
    began_at: datetime | None = None
    deleted: Collection[Key] = ()
    merged: dict[str, str] = field(default_factory=dict)
    suspects: Collection[Key] = ()
    set_aside: tuple[SetAsideRecord, ...] = ()
    unreadable: tuple[SetAsideRecord, ...] = ()
    history: tuple[HistoricChange, ...] = ()
    fields: tuple[str, ...] = ()
    cursor_at: datetime | None = None
    source_time: datetime | None = None
    confirm_gone: Callable[[Collection[Key]], set[Key]] | None = None


@dataclass(frozen=True)
class StreamState:
    """How far a stream has been pulled: its row of pipeline.stream_state.

    All instants are aware UTC. `cursor_at`: highest SystemModstamp read; `source_time`: the source's clock at the
    start of the last good pull; `fields`: source fields it read.
    """

    stream: str
    cursor_at: datetime | None
    synced_at: datetime
    full_at: datetime | None
    source_time: datetime | None
    fields: tuple[str, ...]
