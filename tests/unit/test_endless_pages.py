"""Pages that lead back, or go on beyond what was announced, end with a clear error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobs.progress import silent
from jobs.sources.errors import ProtocolError
from jobs.sources.salesforce.session import Chain
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.pages import Action, Page
from jobs.sources.whmcs.reading import Reading
from jobs.sources.whmcs.rows import whmcs_streams
from jobs.sources.whmcs.sweep import sweep


def page(following: str, records: int = 2) -> dict[str, object]:
    return {"records": [{}] * records, "done": False, "nextRecordsUrl": following}


def test_pages_lead_on_to_the_end():
    """As many records as announced, each page at an address of its own."""
    chain = Chain("Account", 6)
    assert "/q/1-2" == chain.next(page("/q/1-2"))
    assert "/q/1-4" == chain.next(page("https://elsewhere.example/q/1-4"))


@pytest.mark.parametrize(
    "pages",
    [
        [page("/q/1"), page("/q/1")],
        [page("/q/1"), page("/q/2"), page("/q/1")],
        [page("/q/1"), page("/q/2"), page("/q/3"), page("/q/4")],
        [page("/q/1", records=0)],
    ],
    ids=["itself", "round", "more than announced", "nothing on it"],
)
def test_pages_without_end_are_an_error(pages):
    """It says which query, and what to do."""
    chain = Chain("Account", 6)
    *good, last = pages
    for each in good:
        chain.next(each)
    with pytest.raises(ProtocolError, match=r"query of Account: .*; run again"):
        chain.next(last)


class Endless:
    """A WHMCS that announces a total and gives any page it is asked for."""

    def __init__(self, total: Callable[[int], int], *, is_stuck: bool = False) -> None:
        self.asked = 0
        self._total = total
        self._is_stuck = is_stuck

    def page(self, action: Action, offset: int, limit: int, **_: object) -> Page:
        self.asked += 1
        first = 1 if self._is_stuck and offset else offset + 1
        values: dict[str, list[Any]] = {key: [None] * limit for key in action.keys}
        values[action.keys[0]] = [str(first + at) for at in range(limit)]
        return Page(values, limit, self._total(offset))

    def in_parallel(self, work: Callable[[int], Any], offsets: Iterable[int]) -> Iterator[tuple[int, Any]]:
        return ((offset, work(offset)) for offset in offsets)


@pytest.mark.parametrize(
    ("whmcs", "why"),
    [
        (Endless(lambda _: 10**9, is_stuck=True), "the page before it, once more"),
        (Endless(lambda offset: 1000 + 200_000 * offset), "records announced by now"),
    ],
    ids=["the same page again", "a total that runs away"],
)
def test_a_list_without_end_is_not_whole(whmcs, why):
    """The sweep stops and says why, after a few requests."""
    stream = whmcs_streams(ZoneInfo("UTC"))["invoice"]
    with SpooledRows(stream.stream) as spool:
        verdict = sweep(whmcs, Reading(stream, spool, silent().start("test")), 100)
    assert why in str(verdict.why)
    assert whmcs.asked < 20
