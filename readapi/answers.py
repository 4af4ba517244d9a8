"""Answers as plain values, shared by the Flask routes and the door in front of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from flask import Response


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the caller."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def as_flask(self) -> Response:
        """The same as a Flask response."""
        return Response(self.body, self.status, self.headers)


@dataclass(frozen=True, slots=True)
class FreshnessLimits:
    """How old each source's data may be before it counts as stale."""

    salesforce: timedelta
    whmcs: timedelta


def with_freshness(document: bytes, freshness: bytes) -> bytes:
    """The stored document with `freshness` as its last member; the document's own bytes stay as they are."""
    return b'%b,"freshness":%b}' % (document[:-1], freshness)


def freshness(
    computed_at: datetime,
    salesforce_synced_at: datetime | None,
    whmcs_synced_at: datetime | None,
    limits: FreshnessLimits,
    now: datetime,
) -> bytes:
    """The freshness member: stale when a source was never synced or lies further back than its limit."""
    is_stale = (
        salesforce_synced_at is None
        or whmcs_synced_at is None
        or now - salesforce_synced_at > limits.salesforce
        or now - whmcs_synced_at > limits.whmcs
    )
    return (
        f'{{"computedAt":{_quoted(computed_at)},"salesforceSyncedAt":{_quoted(salesforce_synced_at)},'
        f'"whmcsSyncedAt":{_quoted(whmcs_synced_at)},"isStale":{"true" if is_stale else "false"}}}'
    ).encode()


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with whole milliseconds, as browsers keep time, ending in Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def conditional(body: bytes, etag: str, if_none_match: str | None) -> Answer:
    """200 with the body, or 304 without it, under the same headers (RFC 9110, sections 13.1.2 and 15.4.5)."""
    headers = [("ETag", etag), ("Cache-Control", "private, no-cache"), ("Vary", "Authorization")]
    if if_none_match is not None and names(if_none_match, etag):
        return Answer(304, headers, b"")
    return Answer(200, [("Content-Type", "application/json"), *headers], body)


def names(if_none_match: str, etag: str) -> bool:
    """Whether the header names the entity: by `*` or by a tag that is weakly equal to it (RFC 9110, section 8.8.3.2).

    A proxy that compresses may have put `-gzip` behind it. Our tags are quoted hex digests, so that splitting at commas
    is safe: no comma stands inside one of ours.
    """
    tags = (tag.strip().removeprefix("W/").replace('-gzip"', '"') for tag in if_none_match.split(","))
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in tags


def weak_tag(content: bytes) -> str:
    """A weak tag of the content, whatever encoding it travels in."""
    return f'W/"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'


def etag_of(content: bytes) -> str:
    """A strong tag of these very bytes."""
    return f'"{hashlib.sha256(content).hexdigest()}"'


@lru_cache(maxsize=4096)  # customers share their run's instant, and all share the sources'
def _quoted(moment: datetime | None) -> str:
    return "null" if moment is None else f'"{instant(moment)}"'
