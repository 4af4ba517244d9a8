"""Rows that their hashes prove to be unchanged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from materializer.snapshot import content_hash
from materializer.snapshot.streams import CASE, INVOICE, Stream

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
NOTHING = pa.array([], pa.string())
TEXTS = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=150)
ROW = st.fixed_dictionaries(
    {
        "client_id": st.integers(-(2**63), 2**63 - 1),
        "invoice_number": TEXTS,
        "status": TEXTS,
        "due_on": st.none() | st.dates(date(1970, 1, 1), date(2100, 1, 1)),
        "total": st.none() | st.sampled_from(["1.00", "1.0", "10.0"]),
        "paid_at": st.none() | st.datetimes(timezones=st.just(UTC)),
    }
)


def table(stream: Stream, *rows: dict[str, Any]) -> pa.Table:
    keyed = [{stream.key: number} | row for number, row in enumerate(rows)]
    return pa.Table.from_pylist([dict.fromkeys(stream.columns) | row for row in keyed], schema=stream.schema)


def hashes(*rows: dict[str, Any]) -> list[int]:
    found: list[int] = content_hash.of_rows(INVOICE, table(INVOICE, *rows)).to_pylist()
    return found


def known(rows: pa.Table) -> pa.Table:
    return pa.table({INVOICE.key: rows[INVOICE.key], content_hash.HASH: content_hash.of_rows(INVOICE, rows)})


@given(st.lists(ROW, min_size=1, max_size=8))
def test_rows_hash_alike_exactly_when_their_values_are_alike(rows: list[dict[str, Any]]) -> None:
    """Whatever stands beside them in the table: long texts, nulls, nothing."""
    found = hashes(*rows)
    assert found == [hashes(row)[0] for row in rows]
    for one, row in zip(found, rows, strict=True):
        for other, another in zip(found, rows, strict=True):
            assert (one == other) == (row == another)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"status": None}, {"status": ""}),
        ({"status": "Paid"}, {"status_known": "Paid"}),
        ({"status": "12345678abcdefgh"}, {"status": "abcdefgh12345678"}),
        ({"invoice_number": "x" * 64}, {"invoice_number": "x" * 65}),
        ({"invoice_number": "x" * 70}, {"invoice_number": "x" * 71}),
        ({"invoiced_on": date(2026, 1, 1)}, {"due_on": date(2026, 1, 1)}),
        ({"invoiced_on": date(1970, 1, 1)}, {"invoiced_on": None}),
        ({"total": "1.0"}, {"total": "1.00"}),
        ({"paid_at": NOON}, {"paid_at": NOON + timedelta(microseconds=1)}),
    ],
)
def test_values_that_look_alike_hash_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Null and empty, swapped words, the edge of short texts, the same value in another column."""
    assert hashes(one) != hashes(other)


def test_hashes_stay_the_same_from_version_to_version() -> None:
    """Another result is not an error, but would have every row of every install compared and written once."""
    row = {"client_id": 7, "invoice_number": "2026-1", "status": "Paid", "due_on": date(2026, 4, 1), "paid_at": NOON}
    assert hashes(row, row | {"status": "x" * 80}) == [9000516452229929976, -4155359198576731669]


def test_a_stamp_that_moves_by_itself_changes_no_hash() -> None:
    """Columns that make no change are no part of it, nor is the key."""
    case = {"case_id": "a", "subject": "Slow", "modified_at": NOON}
    later = case | {"case_id": "b", "modified_at": NOON + timedelta(hours=1)}
    one, other = content_hash.of_rows(CASE, table(CASE, case, later)).to_pylist()
    assert one == other


def test_a_table_without_rows_has_no_hashes() -> None:
    """Neither has one without chunks."""
    assert content_hash.of_rows(INVOICE, INVOICE.schema.empty_table()).to_pylist() == []


def test_only_rows_with_the_hash_that_is_known_are_settled() -> None:
    """New, changed, gone and asked-for rows remain on both sides."""
    before = table(INVOICE, *({"client_id": 1, "status": "Unpaid"} for _ in range(5)))
    after = table(INVOICE, *({"client_id": 1, "status": "Paid" if n == 2 else "Unpaid"} for n in range(6))).slice(1)
    rows, rest = content_hash.without_unchanged(INVOICE, known(before), after, pa.array([3]))
    assert rows[INVOICE.key].to_pylist() == [2, 3, 5]
    assert rest[INVOICE.key].to_pylist() == [0, 2, 3]


def test_a_row_without_a_hash_of_its_own_is_never_settled() -> None:
    """A missing hash (0) vouches for nothing; it is found so that it can be written."""
    rows = table(INVOICE, {"client_id": 1}, {"client_id": 2})
    hashed = known(rows)
    unhashed = hashed.set_column(1, content_hash.HASH, pa.array([0, hashed[content_hash.HASH][1].as_py()]))
    left, _ = content_hash.without_unchanged(INVOICE, unhashed, rows, NOTHING.cast(pa.int64()))
    assert left[INVOICE.key].to_pylist() == [0]
    assert content_hash.without_hash(INVOICE, unhashed, rows)[INVOICE.key].to_pylist() == [0]
