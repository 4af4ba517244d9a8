"""The security headers of every answer, whoever made it. Nothing else sets them."""

from __future__ import annotations

SECURITY = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
]
"""A page for people brings a policy of its own, which stands."""


def secured(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of an answer with those that every answer has; none of them twice."""
    given = {name.lower() for name, _ in headers}
    return [*headers, *(header for header in SECURITY if header[0].lower() not in given)]
