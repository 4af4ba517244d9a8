"""The answers about the caller's own state: the document and its summary, as stored."""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic

from readapi.answers import Answer, FreshnessLimits, conditional, etag_of, freshness, with_freshness
from readapi.identity import Identity
from readapi.statements import Row, Statements

SYNCED_KEPT_SECONDS = 0.2


class Status:
    """GET /api/me/status and GET /api/me/summary, for the routes and the door alike."""

    def __init__(self, identity: Identity, statements: Statements, limits: FreshnessLimits) -> None:
        self._identity = identity
        self._statements = statements
        self._limits = limits
        self._synced: tuple[float, dict[str, datetime | None]] = (float("-inf"), {})

    def status(self, authorization: str | None, if_none_match: str | None) -> Answer:
        """The stored document with its freshness. The tag is the document's: freshness and token leave it alone."""
        (document, content_hash, computed_at), synced = self._identity.own(authorization, self._read)
        seen = freshness(computed_at, synced.get("salesforce"), synced.get("whmcs"), self._limits, datetime.now(UTC))
        return conditional(with_freshness(document, seen), f'"{content_hash}"', if_none_match)

    def summary(self, authorization: str | None, if_none_match: str | None) -> Answer:
        """The summary member of the stored document, byte for byte, with a tag of its own."""
        (summary,) = self._identity.own(
            authorization, lambda customer_id: self._statements.one("api/read_summary", customer_id=customer_id)
        )
        return conditional(summary, etag_of(summary), if_none_match)

    def _read(self, customer_id: str) -> tuple[Row, dict[str, datetime | None]] | None:
        synced = self._synced_at()
        row = self._statements.one("api/read_status", customer_id=customer_id)
        return None if row is None else (row, synced)

    def _synced_at(self) -> dict[str, datetime | None]:
        """When each source was last synced, read before the document, so that no document claims to be fresher than
        it is. Joining two rows to each request's one cost the database as much again as the row itself."""
        read_at, synced = self._synced
        now = monotonic()
        if now - read_at > SYNCED_KEPT_SECONDS:
            synced = {row[0]: row[1] for row in self._statements.all("ledger/list_source_states")}
            self._synced = (now, synced)
        return synced
