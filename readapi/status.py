"""The answers about the caller's own state: the document and its summary, as stored."""

from __future__ import annotations

from datetime import UTC, datetime

from readapi.answers import Answer, FreshnessLimits, conditional, etag_of, freshness, with_freshness
from readapi.identity import Identity
from readapi.statements import Statements


class Status:
    """GET /api/me/status and GET /api/me/summary, for the routes and the door alike."""

    def __init__(self, identity: Identity, statements: Statements, limits: FreshnessLimits) -> None:
        self._identity = identity
        self._statements = statements
        self._limits = limits

    def status(self, authorization: str | None, if_none_match: str | None) -> Answer:
        """The stored document with its freshness. The tag is the document's: freshness and token leave it alone."""
        document, content_hash, computed_at, salesforce_synced_at, whmcs_synced_at = self._identity.own(
            authorization, lambda customer_id: self._statements.one("read_status", customer_id=customer_id)
        )
        seen = freshness(computed_at, salesforce_synced_at, whmcs_synced_at, self._limits, datetime.now(UTC))
        return conditional(with_freshness(document, seen), f'"{content_hash}"', if_none_match)

    def summary(self, authorization: str | None, if_none_match: str | None) -> Answer:
        """The summary member of the stored document, byte for byte, with a tag of its own."""
        (summary,) = self._identity.own(
            authorization, lambda customer_id: self._statements.one("read_summary", customer_id=customer_id)
        )
        return conditional(summary, etag_of(summary), if_none_match)
