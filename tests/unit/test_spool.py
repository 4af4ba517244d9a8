"""The spool: any rows in, each key once and in order out."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.sources.spool import SpooledRows
from materializer.snapshot.streams import CASE, CLIENT

PAGES = st.lists(st.lists(st.tuples(st.integers(0, 40), st.text(max_size=2)), max_size=12), max_size=12)


def clients(page: list[tuple[int, str]]) -> pa.Table:
    columns = {"client_id": [key for key, _ in page], "status": [word for _, word in page]}
    return pa.table(columns | {"account_reference": [None] * len(page)}, schema=CLIENT.schema)


def read_back(pages: list[list[tuple[int, str]]], run_rows: int, size: int) -> list[tuple[int, str]]:
    with SpooledRows(CLIENT, run_rows=run_rows) as spool:
        for page in pages:
            spool.add(clients(page))
        windows = list(spool.windows(size))
        assert sum(window.num_rows for window in windows) == spool.rows
        assert all(window.num_rows == size for window in windows[:-1])
        return [
            pair
            for window in windows
            for pair in zip(window["client_id"].to_pylist(), window["status"].to_pylist(), strict=True)
        ]


@settings(max_examples=60, deadline=None)
@given(PAGES, st.integers(1, 20), st.integers(1, 20))
def test_each_key_comes_once_in_order_and_the_last_read_wins(
    pages: list[list[tuple[int, str]]], run_rows: int, size: int
) -> None:
    """Whatever the size of runs and windows, the result is that of a dictionary filled in the same order."""
    expected = sorted({key: word for page in pages for key, word in page}.items())
    assert expected == read_back(pages, run_rows, size)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 1000), unique=True, max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_pages_never_matters(keys: list[int], random: object) -> None:
    """Distinct rows in any order of pages give the same windows."""
    pages = [[(key, "x")] for key in keys]
    shuffled = list(pages)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert read_back(pages, 7, 5) == read_back(shuffled, 7, 5)


def test_text_keys_are_in_bytewise_order() -> None:
    """Capitals stand before small letters, as in the database's collation "C"."""
    keys = ["500000000000001AAA", "500000000000001aAA", "500000000000001ZAA"]
    rows = {name: [None] * 3 for name in CASE.schema.names} | {"case_id": keys}
    with SpooledRows(CASE) as spool:
        spool.add(pa.table(rows, schema=CASE.schema))
        assert sorted(keys) == [key for window in spool.windows(2) for key in window["case_id"].to_pylist()]


def test_an_empty_spool_has_no_windows() -> None:
    """No rows, no window; and it may be asked again."""
    with SpooledRows(CLIENT) as spool:
        assert [] == list(spool.windows(10)) == list(spool.windows(10))
        assert 0 == spool.rows


def test_few_rows_are_not_written_and_more_may_follow() -> None:
    """Less than a run makes no file, asked or not; what comes later counts as ever, in files from a run on."""
    with SpooledRows(CLIENT, run_rows=4) as spool:
        spool.add(clients([(2, "b"), (1, "a")]))
        assert 2 == spool.rows
        assert [] == list(spool._folder.glob("*.arrow"))
        spool.add(clients([(2, "c"), (3, "d"), (4, "e")]))
        assert 4 == spool.rows
        assert 1 == len(list(spool._folder.glob("*.arrow")))
        assert ["a", "c", "d", "e"] == [word for window in spool.windows(3) for word in window["status"].to_pylist()]
