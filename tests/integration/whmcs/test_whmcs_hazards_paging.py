"""Offset paging over a list that moves, has no order, is capped or cannot be encoded (whmcs-api 4, 8; Q9, Q10, Q27)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.whmcs_world import TABLES, World, moved

UNSORTED = [
    pytest.param({"tie_order": "neighbours"}, id="neighbours swapped"),
    pytest.param({"tie_order": "shuffled"}, id="shuffled"),
    pytest.param({"tie_order": "neighbours", "version": "7.7"}, id="neighbours swapped, clients too"),
    pytest.param({"tie_order": "shuffled", "version": "8.0"}, id="shuffled, clients too"),
]


@pytest.mark.parametrize("quirk", UNSORTED)
def test_a_list_in_no_order_is_read_until_it_adds_up(world: World, quirk: dict[str, Any]) -> None:
    """Pages of an unsorted list may repeat rows and skip others; the count of distinct rows decides (whmcs-api 8)."""
    world.pulls["page_size"] = 7
    world.quirk(**quirk)
    if quirk.get("version") == "7.7":
        world.install.role = {"GetClients", "GetClientsProducts", "GetInvoices", "GetCancelledPackages"}
        world.empty("pay_method")
    for _ in range(3):
        report = world.sync(full=True)
        assert ({}, []) == (world.lost, world.transitions)
    read = ("client", "service", "invoice", "cancellation")
    assert dict.fromkeys(read, True) == {name: "incomplete" not in report.counts[name] for name in read}


@pytest.mark.parametrize("cap", [1, 2, 5])
def test_a_cap_on_the_page_loses_nothing(world: World, cap: int) -> None:
    """The reader advances by rows received (whmcs-api 4)."""
    world.quirk(page_cap=cap)
    assert ("succeeded", {}) == (world.sync().outcome, world.lost)
    world.well()
    assert {} == moved(world.sync(full=True))


@pytest.mark.parametrize("stream", ["client", "service", "invoice", "cancellation"])
@pytest.mark.parametrize("place", [0, -1])
def test_a_row_deleted_between_two_pages_hides_no_other(synced: World, stream: str, place: int) -> None:
    """All behind it slides left by one; nobody else is taken for gone (Q36)."""
    synced.pulls |= {"page_size": 3, "concurrency": 1}
    gone = synced.keys(stream)[place]
    _between_pages(synced, stream, lambda: synced.delete(stream, gone))
    synced.sync()
    assert [] == [key for key in synced.keys(stream) if key not in synced.kept(stream)]
    synced.sync()
    assert ({}, []) == (synced.lost, [step for step in synced.transitions if step[3] is not None])


@pytest.mark.parametrize("stream", ["client", "service", "invoice"])
def test_rows_inserted_between_two_pages_are_read_once(synced: World, stream: str) -> None:
    """Seen twice or not yet: each is one row in the end, and nothing is removed."""
    synced.pulls |= {"page_size": 3, "concurrency": 1}
    adders = {
        "client": synced.install.add_client,
        "service": lambda: synced.install.add_service(synced.keys("client")[0]),
        "invoice": lambda: synced.install.add_invoice(synced.keys("client")[0]),
    }
    _between_pages(synced, stream, adders[stream])
    first = synced.sync()
    second = synced.sync()
    assert (0, 0) == (moved(first).get("removed", 0), moved(second).get("removed", 0))
    assert ({}, []) == (synced.lost, synced.transitions)


def test_a_row_gone_and_another_come_in_one_sweep(synced: World) -> None:
    """The totals agree at both ends, yet the sweep is not whole; the next one is."""
    synced.pulls |= {"page_size": 3, "concurrency": 1}
    gone = synced.keys("service")[0]

    def swap() -> None:
        synced.delete("service", gone)
        synced.install.add_service(synced.keys("client")[0])

    _between_pages(synced, "service", swap)
    synced.sync()
    assert [] == [key for key in synced.keys("service") if key not in synced.kept("service")]
    synced.sync()
    assert {} == synced.lost


def _between_pages(world: World, stream: str, act: Any) -> None:
    action = {"client": "GetClients", "service": "GetClientsProducts", "invoice": "GetInvoices"}.get(
        stream, "GetCancelledPackages"
    )

    def once(asked: str, parameters: dict[str, str]) -> None:
        if asked == action and parameters.get("limitstart") not in (None, "0"):
            world.install.after_page = None
            act()

    world.install.after_page = once


# Text that is not UTF-8 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["client", "service", "invoice", "cancellation"])
@pytest.mark.parametrize("places", [(0,), (5,), (-1,), (0, 1, 5, -2, -1), tuple(range(12)), tuple(range(-12, 0))])
def test_a_broken_text_that_is_not_taken_costs_nothing(world: World, stream: str, places: tuple[int, ...]) -> None:
    """One row, several, the first page, the last page: halved down to the row, which XML shows (Q9, Q10)."""
    held = world.keys(stream)
    for place in {at % len(held) for at in places if at < len(held)}:
        world.install.poison(TABLES[stream], held[place])
    assert ("succeeded", {}, []) == (world.sync().outcome, world.lost, world.set_aside)


def test_a_whole_list_that_cannot_be_encoded_is_read(world: World) -> None:
    """No page gives a total; an empty one behind the end does (Q10)."""
    for key in world.keys("cancellation"):
        world.install.poison("cancellations", key)
    assert ("succeeded", {}) == (world.sync().outcome, world.lost)


def test_a_broken_text_that_is_taken_refuses_its_row_and_no_other(synced: World) -> None:
    """Named by its id, kept as it was known, and no longer once it is mended; exit 3 meanwhile (Q9)."""
    before = synced.snapshot()
    broken = synced.keys("service")[3]
    name = (synced.install.tables["services"].get(broken) or {})["name"]
    synced.install.tables["services"].change(broken, name="Caf\udce9")
    report = synced.sync()
    assert (3, [("service", str(broken))]) == (report.exit_code, synced.set_aside)
    assert (before, []) == (synced.snapshot(), synced.transitions)
    synced.install.tables["services"].change(broken, name=name)
    report = synced.sync()
    assert (0, [], before) == (report.exit_code, synced.set_aside, synced.snapshot())


@pytest.mark.parametrize("stream", ["client", "service", "invoice", "cancellation"])
def test_a_row_that_no_form_can_carry_is_not_taken_for_gone(synced: World, stream: str) -> None:
    """Even XML fails: the row is set aside by its place, and look-ups do not remove what they cannot read."""
    before = synced.snapshot()
    for key in synced.keys(stream)[:2]:
        synced.install.poison(TABLES[stream], key)
    synced.install.faults.add("emitter_500", "responsetype=xml", times=None)
    report = synced.sync()
    assert (before, []) == (synced.snapshot(), synced.transitions)
    assert (2, {"set_aside"}) == (report.counts[stream]["set_aside"], moved(report).keys())


def test_an_install_that_can_encode_nothing_is_reported_as_that(synced: World) -> None:
    """The search for the row at fault ends."""
    before = synced.snapshot()
    synced.install.faults.add("malformed_utf8", "GetInvoices", times=None)
    report = synced.sync()
    assert "no answer can be encoded" in str(report.error)
    assert before == synced.snapshot()


@pytest.mark.parametrize("action", ["GetPayMethods", "GetClientsDetails"])
def test_one_client_that_cannot_be_encoded_is_set_aside_alone(world: World, action: str) -> None:
    """Its number of pay methods, or its link, stays unknown; all others are read."""
    if action == "GetClientsDetails":
        world.link = {"held_by": "client", "client_custom_field": 3}
    poor = world.keys("client")[4]
    world.install.faults.add("malformed_utf8", f"{action} .*clientid={poor}\\b", times=None)
    stream = "pay_method" if action == "GetPayMethods" else "client"
    world.sync()
    assert [(stream, f"client {poor}")] == world.set_aside
    world.well()
    assert (0, [], {}) == (world.sync(full=True).exit_code, world.set_aside, world.lost)


def test_a_filter_that_is_ignored_proves_nothing(synced: World) -> None:
    """A look-up that shows other rows than the one asked for does not prove that it is gone (Q27)."""
    missing = synced.keys("service")[2]
    synced.spoil = lambda asked, body: (
        body.replace(b'"id":"%d"' % missing, b'"id":"0"') if "GetClientsProducts" in asked else body
    )
    synced.sync()
    assert missing in synced.kept("service")
