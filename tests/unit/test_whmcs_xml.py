"""One row read as XML, where JSON fails."""

from __future__ import annotations

import pytest

from jobs.sources.whmcs.xml import row_of

KEYS = ("id", "name", "status")


def answer(row: bytes, result: bytes = b"success") -> bytes:
    return (
        b'<?xml version="1.0" encoding="utf-8"?>\n<whmcsapi><result>' + result + b"</result>"
        b"<totalresults>7</totalresults><products><product>" + row + b"</product></products></whmcsapi>"
    )


def test_the_fields_that_are_taken_are_read_past_those_that_are_broken() -> None:
    """Bytes that are not UTF-8 and control characters spoil only the text they stand in."""
    row = row_of(answer(b"<id>5</id><notes>Caf\xe9\x0b</notes><name>A &amp;amp; B</name>"), "products", "product", KEYS)
    assert row is not None
    assert ({"id": "5", "name": "A &amp; B", "status": None}, 7, False) == (row.values, row.total, row.is_broken)


def test_a_broken_field_that_is_taken_is_reported() -> None:
    """The id names the record that is set aside."""
    row = row_of(answer(b"<id>5</id><name>Caf\xe9</name>"), "products", "product", KEYS)
    assert row is not None
    assert ("5", True) == (row.values["id"], row.is_broken)


@pytest.mark.parametrize(
    "body",
    [
        answer(b"<id>5</id>", b"error"),
        b"<whmcsapi><result>success</result></whmcsapi>",
        b"<html>",
        b"",
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + answer(b"<id>&a;</id>"),
    ],
)
def test_what_is_no_row_is_none(body: bytes) -> None:
    """Errors, empty lists, pages, and documents that bring entities along."""
    assert row_of(body, "products", "product", KEYS) is None
