"""JSON of the sources, whatever stands in one value."""

from __future__ import annotations

import pytest

from jobs.sources.decoding import decoded


def test_an_absurd_value_costs_no_other() -> None:
    """Numbers without end stay text, numbers beyond a float are infinite, bytes that are no text are replaced."""
    digits = "9" * 5000
    body = b'{"a": -%s, "b": 12, "c": 1e400, "d": "\xe9", "e": "\\ud800"}' % digits.encode()
    assert {"a": f"-{digits}", "b": 12, "c": float("inf"), "d": "\ufffd", "e": "\ud800"} == decoded(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 200_000])
def test_what_is_not_json_is_a_value_error(body: bytes) -> None:
    """Nesting without end included."""
    with pytest.raises(ValueError, match=r".+"):
        decoded(body)
