"""Answers that are none: retried, reported, and never read as an empty list (whmcs-api 3; Q1, Q4, Q6 to Q8, Q37)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.whmcs_world import LISTS, World, moved

PASSING: list[Any] = [
    pytest.param("html", {}, id="HTML with 200"),
    pytest.param("login_page", {}, id="login page with 200"),
    pytest.param("waf_403", {}, id="HTML with 403"),
    pytest.param("imunify_text", {}, id="bot protection's text"),
    pytest.param("emitter_500", {}, id="emitter page"),
    pytest.param("status", {"status": "429 Too Many Requests"}, id="429"),
    pytest.param("status", {"status": "503 Service Unavailable"}, id="503"),
    pytest.param("status", {"status": "522 Origin Timed Out", "body": b""}, id="522"),
    pytest.param("empty_body", {}, id="empty body"),
    pytest.param("truncated_json", {}, id="half a JSON"),
    pytest.param("truncated_body", {}, id="half a body"),
    pytest.param("reset", {}, id="reset"),
    pytest.param("slow", {"seconds": 1.5}, id="too slow"),
]


@pytest.mark.parametrize(("kind", "arguments"), PASSING)
def test_a_passing_failure_of_each_list_loses_nothing(world: World, kind: str, arguments: dict[str, Any]) -> None:
    """Each list fails once in its midst; the baseline is that of a well-behaved install (Q7, Q8, Q11, Q12)."""
    world.limits["timeout_seconds"] = 1.0
    faults = [world.install.faults.add(kind, action, after=1, **arguments) for action in LISTS]
    report = world.sync()
    assert ("succeeded", {}, []) == (report.outcome, world.lost, world.set_aside)
    assert sum(fault.hits for fault in faults) >= 4  # the list of cancellations is one page
    world.well()
    assert {} == moved(world.sync(full=True))


LASTING: list[Any] = [
    *(case for case in PASSING if case.id not in ("too slow", "522", "half a body", "login page with 200")),
    pytest.param("warning_only", {}, id="a warning and nothing else"),
    pytest.param("error", {"message": "Something Went Wrong"}, id="an error of its own"),
    pytest.param("status", {"status": "200 OK", "body": b'{"a": 1}'}, id="JSON of somebody else"),
    pytest.param("status", {"status": "200 OK", "body": b"[]"}, id="a list"),
    pytest.param("status", {"status": "200 OK", "body": b'{"result":"success"}'}, id="success without a list"),
]


@pytest.mark.parametrize(("kind", "arguments"), LASTING)
def test_a_lasting_failure_of_one_list_stops_nothing_else(synced: World, kind: str, arguments: dict[str, Any]) -> None:
    """The list keeps its rows, the others are read, the run fails and says why; the next good one heals (Q6, Q7)."""
    before = synced.snapshot()
    paid = synced.values("select invoice_id from snapshot.invoice where status = 'Unpaid' order by 1 limit 1")[0]
    service = synced.values("select service_id from snapshot.service where status = 'Active' order by 1 limit 1")[0]
    synced.install.pay_invoice(paid)
    synced.install.set_service_status(service, "Suspended")
    synced.install.faults.add(kind, "GetInvoices", times=None, **arguments)
    report = synced.sync()
    assert ("failed", 1) == (report.outcome, report.exit_code)
    assert "WHMCS: GetInvoices: " in str(synced.error)
    assert before["invoice"] == synced.snapshot()["invoice"]
    assert [("service", str(service), "Active", "Suspended")] == synced.transitions
    synced.well()
    report = synced.sync()
    assert ("succeeded", {"changed": 1}, None) == (report.outcome, moved(report), synced.error)
    assert ("invoice", str(paid), "Unpaid", "Paid") == synced.transitions[-1]


@pytest.mark.parametrize("switches", [{"error_key": "status"}, {}])
@pytest.mark.parametrize("message", ["Invoice ID Not Found", "invoice id not found", "Invoice ID not Found"])
def test_an_error_is_one_under_either_key_and_in_any_case(
    synced: World, switches: dict[str, Any], message: str
) -> None:
    """HTTP 200 and an error: a deleted invoice is confirmed gone by it (Q1, Q4, Q37)."""
    synced.quirk(**switches)
    synced.install.faults.add("error", "GetInvoice ", times=None, message=message)
    gone = synced.keys("invoice")[5]
    synced.delete("invoice", gone)
    assert {"removed": 1} == moved(synced.sync())
    assert {} == synced.lost


@pytest.mark.parametrize(
    "printed", [b"debug: hook ran\n", b'<br />\n<b>Notice</b>: Undefined index {"x"} in a.php<br />\n', b"\xef\xbb\xbf"]
)
def test_output_before_the_answer_is_passed_over(world: World, printed: bytes) -> None:
    """A hook of an old stack prints text before the JSON (Q8)."""
    world.spoil = lambda _, body: printed + body
    assert ("succeeded", {}) == (world.sync().outcome, world.lost)


def test_the_content_type_decides_nothing(world: World) -> None:
    """JSON as text/plain is JSON."""
    world.install.faults.add("wrong_type", times=None)
    assert ("succeeded", {}) == (world.sync().outcome, world.lost)


def test_nothing_sent_while_all_fails_is_sent_twice_after(synced: World) -> None:
    """An outage of the whole install changes nothing and notifies nobody; data is stale, not wrong (Q36)."""
    before, notified = synced.snapshot(), synced.values("select count(*) from notification")
    synced.install.faults.add("html", times=None)
    assert "failed" == synced.sync().outcome
    synced.refresh()
    assert (before, [], notified) == (
        synced.snapshot(),
        synced.transitions,
        synced.values("select count(*) from notification"),
    )
    synced.well()
    assert {} == moved(synced.sync())
    synced.refresh()
    assert notified == synced.values("select count(*) from notification")
