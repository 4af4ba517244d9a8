"""Nothing secret and nobody's address leaves the process in a log or an error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from config import logs
from config.errors import MeStatusError
from config.settings import Settings


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("sent to jane.doe@example.co.jp today", "jane.doe"),
        ("postgresql://app:hunter2@db/main", "hunter2"),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("session 00D5g000004xABC!AQEAQ.lots_of", "AQEAQ"),
        ("password=sesame&x=1", "sesame"),
    ],
)
def test_secrets_and_addresses_are_hidden_in_text(text: str, secret: str) -> None:
    """Whatever looks like one is replaced; the rest stays readable."""
    assert secret not in logs.scrub(text)
    assert logs.HIDDEN in logs.scrub(text)


def test_values_of_settings_are_hidden_wherever_they_stand() -> None:
    """A secret of the settings is known by value, however a library phrases it."""
    logs.remember_secrets(Settings(_env_file=None, whmcs_secret="s3cr3t-of-whmcs"))  # type: ignore[call-arg]
    assert "answered [hidden]!" == logs.scrub("answered s3cr3t-of-whmcs!")


def test_fields_named_like_secrets_are_hidden_at_any_depth() -> None:
    """Names give a person away, too."""
    event = logs.hide_secrets(None, "", {"run_id": 1, "request": {"access_token": "x", "note": "a@b.example"}})
    assert {"run_id": 1, "request": {"access_token": "[hidden]", "note": "[hidden]"}} == event


def test_a_database_error_is_told_without_the_row_it_quotes() -> None:
    """Its detail and its parameters hold rows; only the primary message is kept."""
    error = IntegrityError("insert ...", {"name": "Suzuki"}, ValueError("Key (name)=(Suzuki) exists"))
    assert "Suzuki" not in logs.describe(error)


def test_our_own_errors_keep_their_words() -> None:
    """They are written for the operator."""
    assert "the sky fell; look up" == logs.describe(MeStatusError("the sky fell; look up"))


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:pa/ss-word@db.example/x", "postgresql://u:pa%2Fss-word@db.example/x", "https://:pa/ss-word@x"],
)
def test_a_password_in_an_address_is_hidden_whatever_stands_in_it(url: str) -> None:
    """A raw slash in a password does not end what is hidden."""
    assert "ss-word" not in logs.scrub(f"failed to resolve host: {url}")


@pytest.fixture
def configured() -> Iterator[None]:
    """Logs set up as a command does it; what was set up before comes back."""
    loggers = [logging.getLogger(name) for name in (None, *logs.ROOMS)]
    before = [(logger, logger.handlers[:], logger.level) for logger in loggers]
    yield
    structlog.reset_defaults()
    for logger, handlers, level in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)


@pytest.mark.usefixtures("configured")
def test_logs_go_to_the_standard_error_of_the_moment() -> None:
    """A stream that was closed since logs were set up neither gets a line nor costs one."""
    with redirect_stderr(StringIO()) as first:
        logs.configure()
        logs.get("test").info("first line")
        assert "first line" in first.getvalue()
    first.close()
    with redirect_stderr(StringIO()) as second:
        logs.get("test").info("second line")
        logs.flush()
        assert 1 == len(second.getvalue().splitlines())
    assert "second line" in second.getvalue()
