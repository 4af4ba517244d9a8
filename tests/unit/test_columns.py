"""Typed columns from decoded records: what is read, what is null, what sets its record aside."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobs.sources import columns
from jobs.sources.columns import Column
from materializer.snapshot.pulls import SetAsideRecord

TOKYO = ZoneInfo("Asia/Tokyo")


def read(parse: columns.Parser, *values: Any) -> list[Any]:
    array, faults = parse(values)
    assert {} == faults
    return array.to_pylist()


def faults_of(parse: columns.Parser, *values: Any) -> dict[int, str]:
    return parse(values)[1]


def test_whole_numbers_come_as_numbers_or_text() -> None:
    """Ids and counters are numbers or strings by action and version (Q17)."""
    assert [7, 8, None, None] == read(columns.integer, 7, "8", "", None)
    assert {1: "'7x' is not a whole number", 2: "True is not a whole number"} == {
        at: reason.replace("'True'", "True") for at, reason in faults_of(columns.integer, 1, "7x", True).items()
    }


@pytest.mark.parametrize("value", ["101", " 101 ", 101, 101.0, "101.0"])
def test_a_link_is_read_in_every_form(value: object) -> None:
    """The link field may come as text or number."""
    assert [101] == read(columns.link, value)


@pytest.mark.parametrize("value", [None, "", "abc", 1.5, True, "1e400"])
def test_a_link_that_is_no_number_is_null(value: object) -> None:
    """An account that names no number claims no client; the record is kept."""
    assert [None] == read(columns.link, value)


def test_amounts_keep_their_digits() -> None:
    """Money is exact: no digit is added or lost."""
    assert ["3300.00", "-0.50", "12", None] == read(columns.money, "3300.00", "-0.50", "12", None)
    assert ["24.4", "7"] == read(columns.money, 24.4, 7)
    assert [0, 1] == list(faults_of(columns.money, "$12.00 USD", "1e5"))


def test_zero_dates_are_null() -> None:
    """Zero dates, empty text and null all mean none (Q20)."""
    assert [date(2026, 11, 3), None, None, None] == read(columns.day, "2026-11-03", "0000-00-00", "", None)
    assert [1] == list(faults_of(columns.day, "2026-11-03", "2026-13-03"))


def test_both_forms_of_an_instant_are_equal() -> None:
    """REST writes +0000, Bulk writes Z (H49)."""
    moment = datetime(2026, 11, 22, 10, 15, 30, tzinfo=UTC)
    assert [moment, moment] == read(columns.instant, "2026-11-22T10:15:30.000+0000", "2026-11-22T10:15:30.000Z")


def test_server_local_times_become_utc() -> None:
    """WHMCS names no zone; the configured one counts (Q21)."""
    midnight = datetime(2026, 11, 2, 15, 0, 0, tzinfo=UTC)
    assert [midnight, None] == read(columns.local_instant(TOKYO), "2026-11-03 00:00:00", "0000-00-00 00:00:00")


@pytest.mark.parametrize(
    ("given", "last"),
    [("12/26", date(2026, 12, 31)), ("0227", date(2027, 2, 28)), ("02/2028", date(2028, 2, 29)), ("", None)],
)
def test_a_card_expires_with_its_month(given: str, last: date | None) -> None:
    """MM/YY, MMYY and MM/YYYY give the last day of the month."""
    assert [last] == read(columns.expiry, given)


def test_text_is_decoded_once_and_holds_no_null_byte() -> None:
    """Entities are decoded exactly once (Q23); null bytes are dropped (H50); NA is text (H51)."""
    assert ["Tom & Sons", "&amp;", "NA", "ab"] == read(
        columns.encoded_text, "Tom &amp; Sons", "&amp;amp;", "NA", "a\0b"
    )


def test_one_bad_value_refuses_its_record_only() -> None:
    """A malformed record is set aside by id and field; the others go on."""
    wanted = (Column("id", "id", columns.integer, True), Column("due_on", "duedate", columns.day))
    records = [{"id": 1, "duedate": "2026-11-03"}, {"id": 2, "duedate": "soon"}, {"id": None, "duedate": ""}]
    table, set_aside = columns.read(records, wanted, lambda at: f"row {at}")
    assert [1] == table["id"].to_pylist()
    assert [
        SetAsideRecord("2", "duedate", "'soon' is not a date"),
        SetAsideRecord("row 2", "id", "is missing"),
    ] == set_aside


def test_free_text_is_not_repeated_in_a_refusal() -> None:
    """A reason quotes ids, dates and numbers, never what could be a name or an address."""
    assert {0: "the value is not a date"} == faults_of(columns.day, "ana@example.org")


def test_only_whole_entities_are_decoded() -> None:
    """An ampersand in a text that was never encoded stays one (whmcs-api Q23)."""
    texts, faults = columns.encoded_text(["A &amp; B", "R&D", "a=1&copy=2", "&#039;x&#039;", "&amp;amp;"])
    assert (["A & B", "R&D", "a=1&copy=2", "'x'", "&amp;"], {}) == (texts.to_pylist(), faults)


def test_hours_that_clocks_skip_or_repeat_read_alike_alone_and_in_a_column() -> None:
    """One value by itself, beside a bad one, is the instant it is among good ones."""
    read = columns.local_instant(ZoneInfo("America/New_York"))
    times = ["2026-03-08 02:30:00", "2026-11-01 01:30:00", "2026-07-01 12:00:00"]
    assert read(times)[0].to_pylist() == read([*times, "nonsense"])[0].to_pylist()[:3]
