"""Comparing two tables of a stream."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from materializer.snapshot import changes
from materializer.snapshot.streams import CASE, INVOICE, SERVICE, Stream

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def table(stream: Stream, *rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([dict.fromkeys(stream.columns) | row for row in rows], schema=stream.schema)


def invoice(number: int, **fields: Any) -> dict[str, Any]:
    return {"invoice_id": number, "client_id": 1, "status": "Unpaid", "status_known": "Unpaid"} | fields


INVOICES = st.lists(
    st.fixed_dictionaries(
        {
            "invoice_id": st.integers(1, 12),
            "client_id": st.integers(1, 3),
            "invoice_number": st.none() | st.sampled_from(["", "A", "Ä"]),
            "status": st.none() | st.sampled_from(["Paid", "Unpaid", "Odd"]),
            "invoiced_on": st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 3)),
            "total": st.none() | st.sampled_from(["1.00", "1.0"]),
            "created_at": st.none() | st.sampled_from([NOON, NOON.replace(hour=13)]),
        }
    ),
    unique_by=lambda row: row["invoice_id"],
).map(lambda rows: table(INVOICE, *rows))


def by_key(rows: pa.Table) -> dict[Any, dict[str, Any]]:
    return {row["invoice_id"]: row for row in rows.to_pylist()}


@given(INVOICES)
def test_a_table_compared_with_itself_has_no_changes(rows: pa.Table) -> None:
    """Nothing differs from itself, nulls included."""
    found = changes.compare(INVOICE, rows, rows)
    assert (0, 0, 0, len(rows)) == (len(found.added), len(found.removed), len(found.after), found.unchanged)


@given(INVOICES, INVOICES)
def test_applying_the_changes_to_the_previous_rows_gives_the_current_ones(before: pa.Table, after: pa.Table) -> None:
    """Changes say everything that differs and nothing else."""
    found = changes.compare(INVOICE, before, after)
    applied = by_key(before)
    for key in by_key(found.removed):
        del applied[key]
    assert by_key(after) == applied | by_key(found.added) | by_key(found.after)
    assert len(after) == len(found.added) + len(found.after) + found.unchanged


@given(INVOICES, INVOICES, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_never_matters(before: pa.Table, after: pa.Table, random: Any) -> None:
    """Pages may come in any order."""
    shuffled = after.take(pa.array(random.sample(range(len(after)), len(after)), pa.int64()))
    expected, found = changes.compare(INVOICE, before, after), changes.compare(INVOICE, before, shuffled)
    assert expected.added.to_pylist() == found.added.to_pylist()
    assert expected.after.to_pylist() == found.after.to_pylist()


@given(INVOICES, INVOICES)
def test_comparing_the_other_way_round_swaps_added_and_removed(before: pa.Table, after: pa.Table) -> None:
    """The comparison is symmetric where no known value is carried forward."""
    there, back = changes.compare(INVOICE, before, after), changes.compare(INVOICE, after, before)
    assert there.added.to_pylist() == back.removed.to_pylist()
    assert there.removed.to_pylist() == back.added.to_pylist()
    assert there.before.to_pylist() == back.after.to_pylist()


def test_a_null_equals_a_null_and_differs_from_empty_text() -> None:
    """Null-safe in both directions, for text and for other types."""
    before = table(INVOICE, invoice(1), invoice(2), invoice(3, due_on=date(2026, 1, 1)))
    after = table(INVOICE, invoice(1), invoice(2, invoice_number=""), invoice(3))
    assert [2, 3] == changes.compare(INVOICE, before, after).after["invoice_id"].to_pylist()


def test_a_stamp_alone_makes_no_change_but_travels_with_one() -> None:
    """modified_at is not compared, and stored with a change."""
    later = NOON.replace(hour=13)
    before = table(CASE, {"case_id": "a", "modified_at": NOON}, {"case_id": "b", "modified_at": NOON})
    after = table(CASE, {"case_id": "a", "modified_at": later}, {"case_id": "b", "status": "New", "modified_at": later})
    found = changes.compare(CASE, before, after)
    assert [("b", later)] == [(row["case_id"], row["modified_at"]) for row in found.after.to_pylist()]


def test_the_last_known_status_is_carried_over_an_unknown_one() -> None:
    """A word out of the vocabulary leaves the known column as it was."""
    before = table(SERVICE, {"service_id": 1, "client_id": 1, "status": "Active", "status_known": "Active"})
    after = table(SERVICE, {"service_id": 1, "client_id": 1, "status": "Odd"})
    assert ["Active"] == changes.compare(SERVICE, before, after).after["status_known"].to_pylist()


def test_a_row_older_than_the_known_one_is_ignored() -> None:
    """A stamp that goes back is a late page, not news."""
    earlier = NOON.replace(hour=11)
    before = table(CASE, {"case_id": "a", "status": "Closed", "modified_at": NOON})
    after = table(CASE, {"case_id": "a", "status": "New", "modified_at": earlier})
    found, stale = changes.without_stale(changes.compare(CASE, before, after))
    assert (0, 1) == (len(found.after), stale)


def test_rows_can_be_asked_for_though_they_do_not_differ() -> None:
    """An account that moved and came back is written for its stamp; one that stayed, or an older row of it, is not."""
    stamps = [NOON, NOON.replace(hour=13), NOON.replace(hour=11)]
    before = table(CASE, *({"case_id": name, "modified_at": NOON} for name in "abcde"))
    after = table(
        CASE,
        *({"case_id": name, "modified_at": at} for name, at in zip("abc", stamps, strict=True)),
        {"case_id": "d", "status": "New", "modified_at": NOON},
        {"case_id": "f", "modified_at": NOON},
    )
    found = changes.compare(CASE, before, after)
    widened = changes.with_rows(CASE, found, before, after, pa.array(["a", "b", "c", "d", "f", "x"]))
    assert (["b", "d"], 2) == (widened.after["case_id"].to_pylist(), widened.unchanged)
