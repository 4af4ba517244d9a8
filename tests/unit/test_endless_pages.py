"""Pages that lead back, or go on beyond what was announced, end with a clear error."""

from __future__ import annotations

import pytest

from jobs.sources.errors import ProtocolError
from jobs.sources.salesforce.session import Chain


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
