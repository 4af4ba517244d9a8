"""The answers about the caller's own state: the document and its summary, as stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from time import monotonic
from typing import Any

import msgspec

from readapi import age
from readapi.age import FreshnessLimits, Read
from readapi.answers import Answer, conditional, freshness, tag_of_content, with_freshness
from readapi.identity import Identity
from readapi.statements import Row, Statements

READ = "api/read_status"
SYNCED = "ledger/list_source_states"
SYNCED_KEPT_SECONDS = 0.2


class _Summarised(msgspec.Struct):
    summary: msgspec.Raw


class Status:
    """GET /api/me/status and GET /api/me/summary, for the routes and the door alike."""

    def __init__(self, identity: Identity, statements: Statements, limits: FreshnessLimits) -> None:
        self._identity = identity
        self._statements = statements
        self._limits = limits
        self._synced: tuple[float, Mapping[str, datetime | None]] = (float("-inf"), {})

    def status(self, authorization: str | None, if_none_match: str | None) -> Answer:
        """The stored document with its freshness."""
        row, synced = self._identity.own(authorization, self._read)
        return self.answer(row, synced, if_none_match)

    def answer(self, row: Row, synced: Mapping[str, datetime | None], if_none_match: str | None) -> Answer:
        """From a row of READ. The tag is of the document and of isStale, of no instant or token."""
        _, document, content_hash, computed_at, *read = row
        as_of, is_stale = self._age(read)
        seen = freshness(computed_at, synced, as_of, is_stale=is_stale)
        return conditional(
            with_freshness(document, seen),
            tag_of_content(content_hash, is_stale=is_stale),
            if_none_match,
            age.headers(as_of, is_stale=is_stale),
        )

    def summary(self, authorization: str | None, if_none_match: str | None) -> Answer:
        """The summary member of the stored document, byte for byte, with a tag of its own and the same headers."""
        (_, document, _, _, *read), _ = self._identity.own(authorization, self._read)
        summary = bytes(msgspec.json.decode(document, type=_Summarised).summary)
        as_of, is_stale = self._age(read)
        content = blake2b(summary, digest_size=16).hexdigest()
        return conditional(
            summary,
            tag_of_content(content, is_stale=is_stale),
            if_none_match,
            age.headers(as_of, is_stale=is_stale),
        )

    def _age(self, read: Sequence[Any]) -> tuple[dict[str, datetime | None], bool]:
        found = Read(*read)
        return found.as_of(), found.is_stale(self._limits, datetime.now(UTC))

    def _read(self, customer_id: str) -> tuple[Row, Mapping[str, datetime | None]] | None:
        synced = self.synced() or self.keep_synced(self._statements.all(SYNCED))
        row = self._statements.one(READ, customer_ids=[customer_id])
        return None if row is None else (row, synced)

    def synced(self) -> Mapping[str, datetime | None] | None:
        """When each source was last synced, as read a moment ago; None: it has to be read again (SYNCED).

        Before the document, so that no document claims to be fresher than it is. Joining two rows to each request's one
        cost the database as much again as the row itself."""
        read_at, synced = self._synced
        return synced if monotonic() - read_at <= SYNCED_KEPT_SECONDS else None

    def keep_synced(self, rows: Sequence[Row]) -> Mapping[str, datetime | None]:
        """From rows of SYNCED, just read."""
        synced = {row[0]: row[1] for row in rows}
        self._synced = (monotonic(), synced)
        return synced
