"""Answers as plain values, shared by the Flask routes and the door in front of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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


def with_freshness(document: bytes, freshness: bytes) -> bytes:
    """The stored document with `freshness` as its last member; the document's own bytes stay as they are."""
    return b'%b,"freshness":%b}' % (document[:-1], freshness)


def freshness(
    computed_at: datetime,
    synced: Mapping[str, datetime | None],
    as_of: Mapping[str, datetime | None],
    *,
    is_stale: bool,
) -> bytes:
    """The freshness member: when computed and when each source synced, whether stale, how old each section is."""
    sections = ",".join(f'"{name}":{_quoted(at)}' for name, at in as_of.items())
    return (
        f'{{"computedAt":{_quoted(computed_at)},"salesforceSyncedAt":{_quoted(synced.get("salesforce"))},'
        f'"whmcsSyncedAt":{_quoted(synced.get("whmcs"))},"isStale":{"true" if is_stale else "false"},'
        f'"asOf":{{{sections}}}}}'
    ).encode()


@lru_cache(maxsize=4096)  # customers share their run's instant, and all share the sources'
def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with whole milliseconds, as browsers keep time, ending in Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def conditional(body: bytes, etag: str, if_none_match: str | None, more: Sequence[tuple[str, str]] = ()) -> Answer:
    """200 with the body, or 304 without it, under the same headers (RFC 9110, sections 13.1.2 and 15.4.5)."""
    headers = [("ETag", etag), ("Cache-Control", "private, no-cache"), ("Vary", "Authorization"), *more]
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


def tag_of_content(content: str, *, is_stale: bool) -> str:
    """A weak tag of content, given by its hash, and of whether it is stale."""
    return f'W/"{content}{"-stale" if is_stale else ""}"'


def _quoted(moment: datetime | None) -> str:
    return "null" if moment is None else f'"{instant(moment)}"'
