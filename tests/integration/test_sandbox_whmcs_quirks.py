"""What the WHMCS stand-in does on demand: quirks, faults, poison, versions, and the daily cron (reference 5, 9, 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.whmcs import WhmcsInstall, serve
from jobs.sandbox.whmcs.quirks import FAILURES

NOON = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
Ask = Callable[..., httpx.Response]


@pytest.fixture
def install() -> WhmcsInstall:
    return WhmcsInstall(SimulatedClock(NOON), zone=ZoneInfo("Europe/Ljubljana"))


@pytest.fixture
def ask(install: WhmcsInstall) -> Iterator[Ask]:
    pair = {"identifier": install.identifier, "secret": install.secret, "responsetype": "json"}
    with serve(install) as running, httpx.Client() as client:

        def post(action: str, **parameters: object) -> httpx.Response:
            data = {**pair, "action": action, **{name: str(value) for name, value in parameters.items()}}
            return client.post(f"{running.url}/includes/api.php", data=data)

        yield post


def invoices(answer: httpx.Response) -> list[dict[str, Any]]:
    return list(answer.json().get("invoices", {"invoice": []})["invoice"])


def sweep(ask: Ask, action: str, outer: str, inner: str, rows: int) -> list[int]:
    """The ids of all pages of two rows."""
    pages = (ask(action, limitstart=start, limitnum=2).json() for start in range(0, rows, 2))
    return [int(row["id"]) for page in pages for row in page.get(outer, {inner: []})[inner]]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [("faithful", [1, 2]), ("int", [1, 2]), ("str", ["1", "2"]), ("mixed", [1, "2"])],
)
def test_ids_are_typed_as_asked(install: WhmcsInstall, ask: Ask, ids: Any, expected: list[object]) -> None:
    """Q17: numbers or text, even within one page."""
    client = install.add_client()
    install.add_invoice(client)
    install.add_invoice(client)
    install.quirks.ids = ids
    assert expected == [row["id"] for row in invoices(ask("GetInvoices"))]


def test_counters_may_all_be_text(install: WhmcsInstall, ask: Ask) -> None:
    """Q18: "0" is true in most languages."""
    install.quirks.counters = "str"
    answer = ask("GetClients").json()
    assert ("0", "0", "0") == (answer["totalresults"], answer["startnumber"], answer["numreturned"])


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("missing", None),
        ("text", ""),
        ("list", []),
        ("object", {}),
        ("nested_list", {"invoice": []}),
        ("nested_text", {"invoice": ""}),
    ],
)
def test_a_list_is_empty_in_six_ways(install: WhmcsInstall, ask: Ask, form: Any, expected: object) -> None:
    """Q13: every reported form; GetPayMethods has its own switch."""
    install.quirks.empty_list = form
    assert expected == ask("GetInvoices").json().get("invoices")
    client = install.add_client()
    assert [] == ask("GetPayMethods", clientid=client).json()["paymethods"]


def test_lists_may_be_objects_maps_or_flat_keys(install: WhmcsInstall, ask: Ask) -> None:
    """Q15 and Q16: a single row bare, numeric keys, and one key per value."""
    client = install.add_client()
    install.add_invoice(client)
    install.quirks.single_as_object = True
    assert 1 == ask("GetInvoices").json()["invoices"]["invoice"]["id"]
    install.quirks.numeric_keys = True
    install.add_invoice(client)
    assert ["0", "1"] == list(ask("GetInvoices").json()["invoices"]["invoice"])
    install.quirks.flat_keys = True
    assert 2 == ask("GetInvoices").json()["invoices[invoice][1][id]"]


def test_text_may_be_encoded_and_custom_fields_anchored(install: WhmcsInstall, ask: Ask) -> None:
    """Q23 to Q25: entities once, links around custom fields, a name under one of two keys."""
    client = install.add_client(companyname="O'Brien & Co", customfields={3: "SF-17"})
    install.quirks.encoded_text = install.quirks.anchored_custom_fields = True
    install.quirks.custom_field_names = "fieldname"
    details = ask("GetClientsDetails", clientid=client).json()["client"]
    anchor = '<a href="SF-17" target="_blank" rel="nofollow noopener">SF-17</a>'
    assert "O&#039;Brien &amp; Co" == details["companyname"]
    assert [{"id": 3, "fieldname": "Field 3", "value": anchor}] == details["customfields"]


@pytest.mark.parametrize(("form", "expected"), [("zero", "0000-00-00"), ("text", ""), ("null", None)])
def test_an_empty_date_has_three_forms(install: WhmcsInstall, ask: Ask, form: Any, expected: object) -> None:
    """Q20: zero dates instead of null, sometimes "" or null."""
    install.add_service(install.add_client(), nextduedate=None)
    install.quirks.empty_date = form
    assert expected == ask("GetClientsProducts").json()["products"]["product"][0]["nextduedate"]


def test_a_poisoned_row_spoils_every_json_page_with_it(install: WhmcsInstall, ask: Ask) -> None:
    """Q9: bisecting finds the row; XML carries it, control character and all."""
    client = install.add_client()
    for _ in range(4):
        install.add_invoice(client)
    install.poison("invoices", 3)
    spoiled = ask("GetInvoices").json()
    assert ("error", True) == (spoiled["result"], "Malformed UTF-8" in spoiled["message"])
    assert "totalresults" not in spoiled
    assert [1, 2] == [row["id"] for row in invoices(ask("GetInvoices", limitnum=2))]
    assert "error" == ask("GetInvoices", limitnum=1, limitstart=2).json()["result"]
    assert [4] == [row["id"] for row in invoices(ask("GetInvoices", limitnum=1, limitstart=3))]
    page = ask("GetInvoices", responsetype="xml").content
    assert 4 == page.count(b"<invoice>")
    assert b"<notes>Caf\xe9\x0b</notes>" in page
    assert b"<whmcsapi>" in page


def test_a_cap_shortens_pages_and_not_totals(install: WhmcsInstall, ask: Ask) -> None:
    """4: a short page is not the end while rows remain."""
    client = install.add_client()
    for _ in range(5):
        install.add_invoice(client)
    install.quirks.page_cap = 2
    answer = ask("GetInvoices", limitnum=250)
    assert ("5", 2, 2) == (answer.json()["totalresults"], answer.json()["numreturned"], len(invoices(answer)))


@pytest.mark.parametrize("order", ["neighbours", "shuffled"])
def test_without_a_sort_the_order_may_change_by_the_request(install: WhmcsInstall, ask: Ask, order: Any) -> None:
    """8: even a quiet table loses rows to ties, unless a sort is given."""
    for _ in range(12):
        install.add_invoice(install.add_service(install.add_client()))
    install.quirks.tie_order = order
    sweeps = [sweep(ask, "GetClientsProducts", "products", "product", 12) for _ in range(8)]
    assert {12} == {len(found) for found in sweeps}
    assert any(len(set(found)) < 12 for found in sweeps)
    sorted_pages = [invoices(ask("GetInvoices", orderby="id", limitnum=6, limitstart=at)) for at in (0, 6)]
    assert list(range(1, 13)) == [row["id"] for page in sorted_pages for row in page]


def test_rows_may_go_and_come_between_two_pages(install: WhmcsInstall, ask: Ask) -> None:
    """8: a deletion before the offset hides a row; the hook runs after each answer."""
    client = install.add_client()
    for _ in range(4):
        install.add_invoice(client)

    def once(action: str, parameters: dict[str, str]) -> None:
        install.after_page = None
        assert ("GetInvoices", "0") == (action, parameters["limitstart"])
        install.delete("invoices", 1)

    install.after_page = once
    assert [1, 2, 4] == sweep(ask, "GetInvoices", "invoices", "invoice", 4)


def test_service_statuses_may_be_missing_empty_or_other_words(install: WhmcsInstall, ask: Ask) -> None:
    """Q31 and 6: old builds omit it; words may have been renamed, or be nobody's."""
    service = install.add_service(install.add_client())

    def row() -> Any:
        return ask("GetClientsProducts").json()["products"]["product"][0]

    install.quirks.status_words = {"Active": "Aktiv"}
    assert "Aktiv" == row()["status"]
    install.set_service_status(service, "Frozen")
    assert "Frozen" == row()["status"]
    install.quirks.service_status = "empty"
    assert "" == row()["status"]
    install.quirks.service_status = "missing"
    assert "status" not in row()


def test_old_versions_know_less(install: WhmcsInstall, ask: Ask) -> None:
    """10: 7.7 has no orderby for clients, no stamps on invoices, no pay methods; qty comes with 8.12."""
    install.quirks.version = "7.7"
    for name in ("Zoe", "Ana"):
        install.add_invoice(install.add_service(install.add_client(firstname=name)))
    assert [2, 1] == [row["id"] for row in ask("GetClients", orderby="id").json()["clients"]["client"]]
    assert "updated_at" not in invoices(ask("GetInvoices"))[0]
    assert "Command not found" == ask("GetPayMethods", clientid=1).json()["message"]
    assert "users" not in ask("GetClientsDetails", clientid=1).json()["client"]
    install.quirks.version = "8.2"
    assert [1, 2] == [row["id"] for row in ask("GetClients", orderby="id").json()["clients"]["client"]]
    assert "qty" not in ask("GetClientsProducts").json()["products"]["product"][0]


def test_envelopes_may_say_it_otherwise(install: WhmcsInstall, ask: Ask) -> None:
    """Q4, Q6 and Q32: status for result, an error for an empty list, a warning beside a success."""
    install.quirks.error_key = "status"
    assert {"status": "error", "message": "Client Not Found"} == ask("GetClientsDetails", clientid=1).json()
    install.quirks.no_results = "No Results Found"
    assert "No Results Found" == ask("GetInvoices").json()["message"]
    install.quirks.warning = "Deprecated"
    assert "Deprecated" == ask("GetCurrencies").json()["warning"]


@pytest.mark.parametrize("kind", FAILURES)
def test_a_fault_hits_the_request_it_is_meant_for(install: WhmcsInstall, ask: Ask, kind: str) -> None:
    """3: each failure with its status, for the named page only, once."""
    install.faults.add(kind, r"^GetInvoices.*limitstart=2\b")
    expected = FAILURES[kind]
    assert "success" == ask("GetInvoices", limitstart=0).json()["result"]
    hit = ask("GetInvoices", limitstart=2)
    assert int(expected.status.split()[0]) == hit.status_code
    assert (expected.body or expected.message.replace("{action}", "getinvoices")) in hit.text.replace(r"\"", '"')
    assert "success" == ask("GetInvoices", limitstart=2).json()["result"]


def test_the_label_of_a_request_never_holds_credentials(install: WhmcsInstall, ask: Ask) -> None:
    """Faults match the action and its parameters; secrets stay out."""
    install.faults.add("status", "secret|identifier", times=None)
    install.faults.add("error", "^GetClients ", message="Something else", times=None)
    assert "Something else" == ask("getclients").json()["message"]


def test_the_cron_ends_what_was_cancelled(install: WhmcsInstall, ask: Ask) -> None:
    """7.9: immediate ones at once, the others on their due date; requests stay, or go with the switch."""
    client = install.add_client()
    now, later, never = (install.add_service(client, nextduedate=date(2026, 11, 24)) for _ in range(3))
    install.add_cancellation(now, "Immediate")
    install.add_cancellation(later)
    install.add_cancellation(never)
    install.withdraw_cancellation(never)
    assert [now] == install.run_daily_cron()
    install.quirks.completed_requests_stay = False
    install.clock.advance_to(NOON + timedelta(days=2))
    assert [later] == install.run_daily_cron()
    assert [] == install.run_daily_cron()
    rows = ask("GetClientsProducts").json()["products"]["product"]
    assert ["Cancelled", "Cancelled", "Active"] == [row["status"] for row in rows]
    assert [now] == [row["relid"] for row in ask("GetCancelledPackages").json()["packages"]["package"]]


def test_writers_stamp_the_servers_time_and_never_reuse_an_id(install: WhmcsInstall, ask: Ask) -> None:
    """Payment sets datepaid and updated_at in the server's zone; a removed id stays free."""
    client = install.add_client()
    paid = install.add_invoice(client)
    install.clock.advance_to(NOON + timedelta(hours=1))
    install.pay_invoice(paid)
    row = invoices(ask("GetInvoices"))[0]
    stamp = "2026-11-22 13:00:00"
    assert ("Paid", stamp, stamp) == (row["status"], row["datepaid"], row["updated_at"])
    first = install.add_pay_method(client)
    install.remove_pay_method(first)
    assert first + 1 == install.add_pay_method(client)
    service = install.add_service(client)
    install.add_cancellation(service)
    with pytest.raises(ValueError, match="Existing Cancellation Request Exists"):
        install.add_cancellation(service)
