"""Values in every reported form: read alike, or set aside by record; words kept as they are (Q20 to Q35)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from jobs.commands import status
from jobs.sandbox.salesforce.ids import to_18
from tests.whmcs_world import World, moved

REFERENCES = "select client_id, account_reference from snapshot.client order by 1"


@pytest.mark.parametrize(
    "quirk",
    [
        {"empty_date": "text"},
        {"empty_date": "null"},
        {"zero_updated_at": True},
        {"date_format": "%m/%d/%Y %I:%M %p"},
        {"encoded_text": True},
        {"custom_field_names": "fieldname", "shuffled_custom_fields": True},
        {"version": "8.0"},
        {"version": "8.2"},
        {"version": "8.12"},
    ],
    ids=str,
)
def test_every_form_of_a_value_gives_the_same_rows(world: World, quirk: dict[str, Any]) -> None:
    """Zero, empty and null dates; localised texts, which are not read; encoded text; older versions (Q20, Q22, Q23)."""
    world.quirk(**quirk)
    assert "succeeded" == world.sync().outcome
    under_quirk = world.snapshot()
    world.well()
    assert {} == moved(world.sync(full=True))
    assert (under_quirk, {}, []) == (world.snapshot(), world.lost, world.set_aside)


def test_the_oldest_version_lacks_pay_methods_and_stamps_and_no_more(world: World) -> None:
    """7.7: GetPayMethods is unknown and reported so once; all other rows are those of 9.0 but for created_at."""
    world.quirk(version="7.7")
    report = world.sync()
    assert "GetPayMethods: answered that it has no such action" in str(report.error)
    assert ([], ["pay_method"]) == (world.set_aside, list(world.lost))
    assert 4 >= len(world.asked("GetPayMethods"))
    world.well()
    assert {"added", "changed"} >= moved(world.sync(full=True)).keys()
    assert ({}, []) == (world.lost, world.transitions)


@pytest.mark.parametrize("is_encoded", [True, False])
@pytest.mark.parametrize(
    "name", ["Tom & Sons", 'O\'Brien <24/7> "Pro"', "R&D", "a=1&copy=2", "光回線 100M ☎", "7 > 5 &amp"]
)
def test_text_is_decoded_exactly_once(world: World, name: str, is_encoded: bool) -> None:
    """As entities or plain, it is the same text; half an entity is none (Q23)."""
    service = world.install.add_service(world.keys("client")[0], name=name)
    world.quirk(encoded_text=is_encoded)
    world.sync()
    assert [name] == world.values(f"select product_name from snapshot.service where service_id = {service}")


def test_text_encoded_twice_is_decoded_once(world: World) -> None:
    """What the customer's shop shows as &amp; stays &amp;."""
    service = world.install.add_service(world.keys("client")[0], name="Fish &amp; Chips")
    world.quirk(encoded_text=True)
    world.sync()
    assert ["Fish &amp; Chips"] == world.values(
        f"select product_name from snapshot.service where service_id = {service}"
    )


# Words ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_no_status_is_unknown_and_no_change(synced: World, how: str) -> None:
    """An empty status is not Active, and neither its coming nor its going is a transition (Q31)."""
    before = synced.snapshot()
    synced.quirk(service_status=how)
    assert "succeeded" == synced.sync().outcome
    assert [0] == synced.values("select count(status) from snapshot.service")
    synced.refresh()
    assert [0] == synced.values("select coalesce(sum(active_service_count), 0) from me_status")
    synced.well()
    synced.sync()
    assert (before, []) == (synced.snapshot(), synced.transitions)


def test_unknown_words_are_kept_verbatim_and_listed_and_change_nothing(synced: World) -> None:
    """Neither mapped to a default nor notified to anybody; the known word before them counts (whmcs-api 6)."""
    notified = synced.values("select count(*) from notification")
    synced.quirk(status_words={"Active": "Aktiv", "Cancelled": "Gekündigt", "Unpaid": "Offen"})
    assert "succeeded" == synced.sync().outcome
    assert {"Aktiv", "Gekündigt"} <= set(synced.values("select distinct status from snapshot.service"))
    assert {"Offen"} <= set(synced.values("select distinct status from snapshot.invoice"))
    with synced.engine.connect() as connection:
        listed = status.gather(connection, synced.program, now=synced.install.clock.now())["problems"]["unknownWords"]
    assert {"Aktiv", "Gekündigt", "Offen"} == {entry["word"] for entry in listed}
    synced.refresh()
    assert ([], notified) == (
        [step for step in synced.transitions if step[0] == "service" and step[3] in ("Cancelled", "Terminated")],
        synced.values("select count(*) from notification"),
    )
    synced.well()
    synced.sync()
    synced.refresh()
    assert notified == synced.values("select count(*) from notification")


def test_a_client_that_is_closed_may_have_an_active_service(synced: World) -> None:
    """The client's status decides nothing (Q35)."""
    client = synced.values("select client_id from snapshot.service where status = 'Active' limit 1")[0]
    count = f"select active_service_count from me_status where whmcs_client_id = {client}"
    before = synced.values(count)
    synced.install.update_client(client, status="Closed")
    assert {"changed": 1} == moved(synced.sync())
    synced.refresh()
    assert before == synced.values(count)


def test_a_status_that_moved_twice_between_two_pulls_shows_once(synced: World) -> None:
    """WHMCS keeps no history: transitions are those our snapshots saw (Q34)."""
    service = synced.values("select service_id from snapshot.service where status = 'Active' limit 1")[0]
    synced.install.set_service_status(service, "Suspended")
    synced.install.set_service_status(service, "Terminated")
    synced.sync()
    assert [("service", str(service), "Active", "Terminated")] == synced.transitions


# Dates ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Tokyo", "2026-11-01 00:30:00"),
        ("UTC", "2026-11-01 09:30:00"),
        ("America/New_York", "2026-11-01 14:30:00"),
    ],
)
def test_dates_are_of_the_configured_zone(world: World, zone: str, expected: str) -> None:
    """WHMCS names no zone anywhere; business dates stay the dates they are (Q21)."""
    client = world.keys("client")[0]
    paid = datetime(2026, 11, 1, 9, 30)  # noqa: DTZ001 - the server's own time
    invoice = world.install.add_invoice(client, status="Paid", datepaid=paid, duedate=date(2026, 11, 9))
    world.settings["whmcs_timezone"] = zone
    world.sync()
    row = world.values(f"select paid_at, due_on from snapshot.invoice where invoice_id = {invoice}")[0]
    assert (datetime.fromisoformat(expected).replace(tzinfo=UTC), date(2026, 11, 9)) == row


def test_a_date_that_is_none_refuses_its_record_and_no_other(synced: World) -> None:
    """Named with its field; what was known of it stays (nothing is guessed)."""
    before = synced.snapshot()
    invoice = synced.keys("invoice")[7]
    due = (synced.install.tables["invoices"].get(invoice) or {})["duedate"]
    row = b'"id":%d,' % invoice
    synced.spoil = lambda asked, body: (
        _within(body, row, f'"duedate":"{due}"'.encode(), b'"duedate":"31\\/12\\/2026"')
        if "GetInvoices" in asked
        else body
    )
    report = synced.sync()
    assert (3, [("invoice", str(invoice))], before) == (report.exit_code, synced.set_aside, synced.snapshot())
    assert ["duedate"] == synced.values("select field from pipeline.set_aside_record")
    synced.well()
    assert (0, [], before) == (synced.sync().exit_code, synced.set_aside, synced.snapshot())


def _within(body: bytes, row: bytes, old: bytes, new: bytes) -> bytes:
    at = body.find(row)
    return body if at < 0 else body[:at] + body[at:].replace(old, new, 1)


# Custom fields and secrets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "quirk",
    [
        {},
        {"anchored_custom_fields": True},
        {"encoded_text": True, "anchored_custom_fields": True},
        {"custom_field_names": "name", "shuffled_custom_fields": True},
        {"single_as_object": True, "ids": "str"},
    ],
    ids=str,
)
@pytest.mark.parametrize("holds", ["account_id", "account_number"])
def test_the_link_is_read_from_the_custom_field_in_every_form(world: World, quirk: dict[str, Any], holds: str) -> None:
    """KnownRows by its id alone, tags taken off, ids of 15 characters completed (Q24, Q25)."""
    field = 3 if holds == "account_id" else 4
    world.link = {"held_by": "client", "client_custom_field": field, "client_field_holds": holds}
    world.quirk(**quirk)
    assert "succeeded" == world.sync().outcome
    expected = []
    for row in world.install.tables["clients"].rows():
        held = {one["id"]: one["value"] for one in row["customfields"]}.get(field)
        expected.append(
            (row["id"], to_18(held) if held and holds == "account_id" and len(held) == 15 else held or None)
        )
    assert expected == world.values(REFERENCES)
    assert any(reference for _, reference in expected)


def test_no_secret_and_no_free_text_reaches_the_database(world: World) -> None:
    """Passwords, tokens, names, reasons: dropped where the answer is read (Q33)."""
    client = world.install.add_client(firstname="Zuzana-Marker", email="marker@example.org", companyname="Marker GmbH")
    service = world.install.add_service(client, password="marker-password", username="marker-user", notes="marker")
    world.install.add_pay_method(client, remote_token="marker-token", description="marker card")
    world.install.add_cancellation(service, reason="marker reason")
    world.sync()
    everything = str(world.snapshot()) + str(world.values("select job_run::text from job_run"))
    assert "marker" not in everything.lower()
