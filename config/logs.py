"""Logs on standard error: readable on a terminal, JSON lines elsewhere, never with secrets or addresses in them."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import psycopg
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from config.errors import Interrupted, MeStatusError
from config.settings import Settings
from config.structlog_alone import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
SECRET_NAME = re.compile(
    r"token|password|secret|authorization|credential|cookie|private|api_?key|access_?key|jwt", re.IGNORECASE
)
PATTERNS = (
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),  # e-mail address
    re.compile(r"(?<=://)[^/\s:@]*:[^\s@]+(?=@)"),  # user:password of a URL, an unescaped / in it included
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),  # JWT
    re.compile(r"\b00D\w{12,15}![\w.]+"),  # Salesforce session id
    re.compile(r"(?i)(?<=password=)[^\s&'\"]+|(?<=secret=)[^\s&'\"]+|(?<=token=)[^\s&'\"]+"),
)
SHORTEST_SECRET = 6
ROOMS = ("me_status", "config", "sql", "materializer", "jobs", "readapi")
"""Loggers of ours, which speak from info on; those of libraries from warnings on."""

AS_OURS: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "level": "INFO", "propagate": True}},
}
"""For a server that sets logging up by itself (logging.config's form): it speaks through our handler."""

_known_secrets: set[str] = set()


def configure(settings: Settings | None = None, *, level: int = logging.INFO) -> None:
    """Sets up logging for this process, that of libraries (from warnings on) included.

    The values of the settings' secrets are hidden wherever they would appear. ME_STATUS_LOG_LEVEL of the settings (else
    `level`) is the level of our own loggers; `debug` lets libraries speak from info on.
    """
    if settings is not None:
        remember_secrets(settings)
        level = logging.getLevelNamesMapping()[settings.me_status_log_level.upper()]
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    structlog.configure(
        # first of all whether anybody listens: a request at level debug must not cost what a line of log costs
        processors=[structlog.stdlib.filter_by_level, *chain, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_StandardError())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processors=_last_steps()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if level == logging.DEBUG else max(level, logging.WARNING))
    for room in ROOMS:
        logging.getLogger(room).setLevel(level)


def flush() -> None:
    """Has everything logged so far written."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def get(name: str) -> Any:
    """The logger of one part of the program; `name` is written as me_status.<name>."""
    return structlog.get_logger(f"me_status.{name}")


def about(**names: Any) -> AbstractContextManager[Any]:
    """Puts these names on every line that this thread logs within the block, and on those of threads begun from it."""
    return structlog.contextvars.bound_contextvars(**names)


def scrub(text: str) -> str:
    """The text with secrets, tokens and e-mail addresses replaced by [hidden]."""
    for secret in sorted(_known_secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return text


def describe(error: BaseException) -> str:
    """An error in words that may be stored and shown.

    Messages of our own errors are kept, scrubbed. Of a database error only the primary message is, because its detail
    quotes rows; of any other only the type and the place, because its message may quote anything.
    """
    if isinstance(error, MeStatusError):
        return scrub(str(error))
    if isinstance(error, DBAPIError):
        primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
        return scrub(f"the database refused: {primary or type(error.orig).__name__}")
    if isinstance(error, psycopg.Error):
        return scrub(f"the database refused: {error.diag.message_primary or type(error).__name__}")
    if isinstance(error, Interrupted):
        return str(error)
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return "interrupted"
    return f"unexpected {type(error).__name__} at {_place(error)}"


def frames(error: BaseException) -> list[str]:
    """Where an error came through, outermost first, as file:line function; no message and no values."""
    steps = traceback.extract_tb(error.__traceback__)
    return [f"{step.filename.rsplit('/', 1)[-1]}:{step.lineno} {step.name}" for step in steps]


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Processor: hides the values of fields with a secret's name, and secrets inside any text."""
    return {name: HIDDEN if SECRET_NAME.search(name) else _scrubbed(value) for name, value in event.items()}


def remember_secrets(settings: Settings) -> None:
    """From now on the values of these settings' secrets are hidden by `scrub`, the database's password among them."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    given = re.search(r"://[^:@]*:(.+)@", settings.database_url or "")
    if given:
        secrets += [given[1], unquote(given[1])]
    _known_secrets.update(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)


class _StandardError:
    """Standard error as it is when a line is written: one that was replaced or closed meanwhile gets none."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return hide_secrets(None, "", value)
    if isinstance(value, list | tuple):
        return [_scrubbed(item) for item in value]
    return value


def _last_steps() -> list[Processor]:
    tidy: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if sys.stderr.isatty():
        return [*tidy, structlog.dev.ConsoleRenderer()]
    return [*tidy, structlog.processors.format_exc_info, hide_secrets, structlog.processors.JSONRenderer()]


def _place(error: BaseException) -> str:
    return (frames(error) or ["an unknown place"])[-1]
