"""What a worker of a cluster hands over of WHMCS's answers."""

from __future__ import annotations

import pytest

from jobs.sources.whmcs.spread import travelling

ITEM = {"id": "1", "type": "Invoice", "description": "Line of Jane Doe"}


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ({"item": [ITEM]}, {"item": [{"id": "1", "type": "Invoice"}]}),
        ([ITEM], [{"id": "1", "type": "Invoice"}]),
        ("", ""),
        (None, None),
    ],
)
def test_an_invoice_travels_without_prose(items: object, left: object) -> None:
    """What decides its balance, in the shape that WHMCS gave it."""
    answer = {
        "result": "success",
        "invoiceid": 7,
        "userid": 1,
        "balance": "3300.00",
        "notes": "call Jane",
        "items": items,
    }
    assert {"invoiceid": 7, "userid": 1, "balance": "3300.00", "items": left} == travelling("GetInvoice", answer)


def test_what_is_missing_stays_missing() -> None:
    """An answer without a balance is judged where the run is."""
    assert {"invoiceid": 7} == travelling("GetInvoice", {"invoiceid": 7})


def test_pay_methods_travel_as_they_are() -> None:
    """They hold neither names nor addresses."""
    answer = {"clientid": 1, "paymethods": [{"id": 1, "description": "Visa"}]}
    assert answer == travelling("GetPayMethods", answer)
