"""What goes wrong at a source, by what can be done about it.

    MeStatusError
    └── SourceError            the source cannot be read now; the message names source, request, answer and remedy
        ├── CredentialsError   the login or the API credentials were refused; never repeated
        ├── PermissionDenied   the credentials lack a right, an action or an object
        ├── FieldMissing       a required field is not there, or hidden from the integration user
        ├── QuotaExhausted     the day's requests are used up to the configured share; the next run goes on
        ├── ProtocolError      an answer unlike what the source documents
        └── TransientError     worth another try; reaches the caller when all tries failed
            ├── QueryTimeout   the window asked for is too wide
            └── CursorLost     a query cursor expired; the window starts over

No message holds a token, a URL's query, SOQL text or personal data.
"""

from __future__ import annotations

from config.errors import MeStatusError


class SourceError(MeStatusError):
    """A source cannot be read."""


class CredentialsError(SourceError):
    """The source refused the login."""


class PermissionDenied(SourceError):  # noqa: N818 - named by what happened
    """The credentials are good but may not do this."""


class FieldMissing(SourceError):  # noqa: N818 - named by what happened
    """A field that the pull cannot do without is absent. `field` is its API name, when the source named it."""

    def __init__(self, message: str, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


class QuotaExhausted(SourceError):  # noqa: N818 - named by what happened
    """No more requests today."""


class ProtocolError(SourceError):
    """The answer is not what the source documents."""


class TransientError(SourceError):
    """Another try may help."""


class QueryTimeout(TransientError):  # noqa: N818 - named by what happened
    """The query ran too long; a narrower window may pass."""


class CursorLost(TransientError):  # noqa: N818 - named by what happened
    """The cursor of a query is no longer valid."""
