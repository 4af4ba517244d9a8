"""Typed columns from decoded records: what is read, what is null, what sets its record aside."""

from __future__ import annotations

import json
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
    [
        ("12/26", date(2026, 12, 31)),
        ("0227", date(2027, 2, 28)),
        ("02/2028", date(2028, 2, 29)),
        ("1/29", date(2029, 1, 31)),
        ("2029-01", date(2029, 1, 31)),
        ("2029/01", date(2029, 1, 31)),
        ("202901", date(2029, 1, 31)),
        ("01-29", date(2029, 1, 31)),
        ("", None),
        ("00/00", None),
    ],
)
def test_a_card_expires_with_its_month(given: str, last: date | None) -> None:
    """The forms in which gateways write it give the last day of the month."""
    assert [last] == read(columns.expiry, given)


@pytest.mark.parametrize("value", ["**/**", "13/29", True, 5, {}, "soon"])
def test_an_expiry_that_cannot_be_read_is_null(value: object) -> None:
    """It is reported, and never guessed."""
    array, faults = columns.expiry([value])
    assert ([None], [0]) == (array.to_pylist(), list(faults))


def test_text_is_decoded_once_and_holds_no_null_byte() -> None:
    """Entities are decoded exactly once (Q23); null bytes are dropped (H50); NA is text (H51)."""
    assert ["Tom & Sons", "&amp;", "NA", "ab"] == read(
        columns.encoded_text, "Tom &amp; Sons", "&amp;amp;", "NA", "a\0b"
    )


def test_one_bad_value_sets_its_record_aside_only() -> None:
    """A malformed record is set aside by id and field, with its owner where that can be read; the others go on."""
    wanted = (
        Column("id", "id", columns.integer, "present"),
        Column("client", "userid", columns.integer, "present"),
        Column("due_on", "duedate", columns.day, "readable"),
    )
    records = [
        {"id": 1, "userid": 7, "duedate": "2026-11-03"},
        {"id": 2, "userid": "8", "duedate": "2026-02-30"},
        {"id": None, "userid": 9, "duedate": ""},
        {"id": 4, "userid": "x", "duedate": "soon"},
    ]
    read = columns.read(records, wanted, lambda at: f"row {at}", "client")
    assert [1] == read.rows["id"].to_pylist()
    assert [
        SetAsideRecord("2", "duedate", "'2026-02-30' is not a date", "8"),
        SetAsideRecord("row 2 of 9", "id", "is missing", "9"),
        SetAsideRecord("4", "userid", "'x' is not a whole number", None),
    ] == read.set_aside


def test_a_value_that_decides_nothing_is_null_by_itself() -> None:
    """Its record stays, and the operator learns which one it was."""
    wanted = (Column("id", "id", columns.integer, "present"), Column("made_on", "date", columns.day))
    read = columns.read([{"id": 1, "date": "soon"}], wanted, lambda at: f"row {at}", "id")
    assert ([1], [None], []) == (read.rows["id"].to_pylist(), read.rows["made_on"].to_pylist(), read.set_aside)
    assert [SetAsideRecord("1", "date", "'soon' is not a date", "1")] == read.unreadable


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC", "Pacific/Kiritimati"])
@pytest.mark.parametrize("beside", ["2026-11-03 00:00:00", "nonsense"])
def test_instants_outside_1900_to_2999_count_as_none(zone: str, beside: str) -> None:
    """The bounds hold after the zone is applied, in a column and one by one."""
    given = ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "1850-01-01 00:00:00", beside]
    assert [None] * 3 == columns.local_instant(ZoneInfo(zone))(given)[0].to_pylist()[:3]


@pytest.mark.parametrize("beside", ["2026-11-03", "nonsense"])
def test_dates_outside_1900_to_2999_count_as_none(beside: str) -> None:
    """In a column and one by one; the first and the last day count."""
    given = ["0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31", "1900-01-01", "2999-12-31", beside]
    expected = [None, None, None, None, date(1900, 1, 1), date(2999, 12, 31)]
    assert expected == columns.day(given)[0].to_pylist()[:6]
    instants = [f"{day}T00:00:00Z" for day in given[:-1]] + [beside]
    assert [None] * 4 == columns.instant(instants)[0].to_pylist()[:4]


@pytest.mark.parametrize("value", [True, [], {}, 20261103, 1.5, "20261103", "2026-W01-1"])
def test_a_date_is_text_of_one_form(value: object) -> None:
    """Nothing that merely could be a date is guessed to be one."""
    for parse in (columns.day, columns.instant, columns.local_instant(TOKYO)):
        array, faults = parse([value])
        assert ([None], [0]) == (array.to_pylist(), list(faults)) or value in ("20261103", "2026-W01-1")


@pytest.mark.parametrize("value", ["1.01E+05", "1_02", "#104", "1,006", "0x1F", "١٠٢", "-5", "10 1", True, [101], {}])
def test_a_link_is_digits_and_nothing_else(value: object) -> None:
    """Any other text is not a link, and is kept to be shown."""
    assert [None] == read(columns.link, value)
    assert [value if isinstance(value, str) else json.dumps(value)] == read(columns.unreadable_link, value)


@pytest.mark.parametrize("value", ["103\u200b", "\ufeff103", "103\0", "1\u200d03", "\u00a0103 "])
def test_a_link_is_read_past_what_nobody_sees(value: str) -> None:
    """Format characters and the space around are no part of it."""
    assert ([103], [None]) == (read(columns.link, value), read(columns.unreadable_link, value))


@pytest.mark.parametrize("value", [None, "", "  ", "\u200b"])
def test_an_empty_link_is_not_unreadable(value: object) -> None:
    """Nothing to see is nothing."""
    assert ([None], [None]) == (read(columns.link, value), read(columns.unreadable_link, value))


def test_words_have_no_space_around_them() -> None:
    """One rule for words, whatever they say the status of."""
    assert ["Approved", "Active", None, None] == read(columns.word, " Approved ", "Active\u00a0", " ", None)
    assert ["Pending"] == read(columns.encoded_word, "Pending ")
    assert ["Eligible", '{"a": 1}'] == read(columns.quoted_word, "Eligible ", {"a": 1})


def test_a_currency_is_a_code_of_three_letters() -> None:
    """Anything else names none, and costs no record."""
    array, faults = columns.currency(["jpy ", "", None, "US$", 5, "EUR"])
    assert (["JPY", None, None, None, None, "EUR"], [3, 4]) == (array.to_pylist(), sorted(faults))


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
