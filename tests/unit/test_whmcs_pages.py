"""The short way to a page, beside the way that knows every form."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from jobs.sources.columns import transposed
from jobs.sources.whmcs.answers import listed, total_of
from jobs.sources.whmcs.pages import Action, Page, usual

ACTION = Action("GetInvoices", "invoices", "invoice", ("id", "status", "total"))
ROWS = [
    {"id": 1, "status": "Paid", "total": "10.00", "firstname": "dropped"},
    {"id": "2", "status": None, "total": 7.5, "items": {"item": [{"id": 9}]}},
    {"id": 3},
]


def answer(**members: Any) -> dict[str, Any]:
    return {"result": "success", "totalresults": 3, "invoices": {"invoice": ROWS}} | members


@pytest.mark.parametrize("members", [{}, {"totalresults": "3"}, {"totalresults": None}, {"invoices": {"invoice": []}}])
def test_the_usual_form_reads_the_same_both_ways(members: dict[str, Any]) -> None:
    """Values as they were written, missing keys as None, the total as a number."""
    given = answer(**members)
    rows = listed(given, ACTION.container, ACTION.item)
    assert rows is not None
    assert usual(ACTION, orjson.dumps(given)) == Page(transposed(rows, ACTION.keys), len(rows), total_of(given))


@pytest.mark.parametrize(
    "body",
    [
        orjson.dumps(answer(result="error", message="no")),
        orjson.dumps(answer(result="Success")),
        orjson.dumps(answer(invoices="")),
        orjson.dumps(answer(invoices=ROWS)),
        orjson.dumps(answer(invoices={"invoice": ROWS[0]})),
        orjson.dumps(answer(invoices={"invoice": {"0": ROWS[0]}})),
        orjson.dumps(answer(invoices={"invoice": [*ROWS, {}]})),
        orjson.dumps(answer(invoices={"invoice": [*ROWS, []]})),
        orjson.dumps({"result": "success", "totalresults": 0}),
        b"<br>Notice" + orjson.dumps(answer()),
        orjson.dumps(answer())[:-1],
        b'{"result":"success","invoices":{"invoice":[{"id":1,"status":"\xff"}]}}',
        b"[]",
        b"",
    ],
)
def test_any_other_form_is_left_to_the_way_that_knows_it(body: bytes) -> None:
    """Refusals, other lists, rows without an id, what is not JSON."""
    assert usual(ACTION, body) is None
