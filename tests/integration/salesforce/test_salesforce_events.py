"""Salesforce's events as hints: whom they name is read again, and nothing that happens to a stream loses a change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from config.errors import SettingsError
from config.settings import GivenSettings
from jobs.runs import listener
from jobs.sandbox.salesforce.events.bus import EventBus, event_schema
from jobs.sandbox.salesforce.events.server import PubSubStandIn
from tests.salesforce_world import ELIGIBILITY, World

TOPIC = "/event/Account_Status_Changed__e"
ACCOUNTS, ORDERS = "/data/AccountChangeEvent", "/data/OrderChangeEvent"
QUICK = listener.Pace(silence=4.0, first_wait=0.02, longest_wait=0.1, standby=0.05, before_pull=0.0, between_pulls=0.05)
PATIENCE = 60
"""Seconds until a test gives up on what should have happened."""


class Events:
    """A world whose org publishes events, and the product's listener between its bus and the table of hints."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.bus = EventBus(world.org, keepalive=0.5)
        self.bus.add_topic(TOPIC, event_schema("Account_Status_Changed__e", "Account_Id__c"))
        self.server = PubSubStandIn(self.bus, folder)
        self.channels(f"{TOPIC}:Account_Id__c", ACCOUNTS, ORDERS)

    def channels(self, *channels: str) -> None:
        self.world.settings |= {
            "salesforce_event_channels": ",".join(channels),
            "salesforce_event_endpoint": self.server.endpoint,
            "salesforce_event_ca_file": str(self.server.ca_file),
        }

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The product listens during the block, from when its streams are open."""
        stop = threading.Event()
        before = self.bus.streams
        asked = (self.world.engine, self.world.program, stop, QUICK)
        thread = threading.Thread(target=listener.listen, args=asked, daemon=True)
        thread.start()
        try:
            until(lambda: self.bus.streams >= before + len(self.world.program.settings.event_channels))
            yield
        finally:
            stop.set()
            thread.join(PATIENCE)
            assert not thread.is_alive()

    @property
    def hinted(self) -> list[str]:
        """The accounts that hints name."""
        return self.world.values("select subject_id from pipeline.hint where origin = 'salesforce' order by 1")

    def channel(self, topic: str = TOPIC) -> dict[str, Any]:
        columns = ("replay_id", "events", "broken", "lost", "pull_since", "error")
        rows = self.world.values(f"select {', '.join(columns)} from pipeline.event_channel where topic = '{topic}'")
        return dict(zip(columns, rows[0], strict=True)) if rows else {}

    @property
    def is_pulled(self) -> bool:
        """Whether no channel calls for a pull any more, and each was read."""
        asked = "select count(*) filter (where pull_since is null and heard_at is not null) from pipeline.event_channel"
        return self.world.values(asked) == [len(self.world.program.settings.event_channels)]


def until(happened: Callable[[], Any]) -> None:
    """Waits for it."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def events(changing: World, tmp_path: Path) -> Iterator[Events]:
    found = Events(changing, tmp_path)
    with found.server:
        yield found


@pytest.fixture
def changing(engine: Engine) -> Iterator[World]:
    """Three accounts, pulled."""
    world = World(engine)
    world.known = world.accounts(3)  # type: ignore[attr-defined]
    world.sync()
    yield world
    world.close()


def known(events: Events) -> list[str]:
    return events.world.known  # type: ignore[attr-defined,no-any-return]


def test_whom_an_event_names_is_noted_as_a_hint(events: Events) -> None:
    """By the field of a Platform Event, by the ids of a change; 15 characters become 18."""
    first, second, third = known(events)
    with events.listening():
        events.bus.publish(TOPIC, {"Account_Id__c": first[:15]})
        events.bus.change("Account", second, third)
        until(lambda: len(events.hinted) == 3)
    assert sorted(known(events)) == events.hinted


def test_what_is_left_of_the_days_deliveries_is_noted(events: Events) -> None:
    """As the org says; all its subscribers share them."""
    events.world.org.deliveries_total, events.world.org.deliveries_used = 10_000, 400
    left = f"select deliveries_left, deliveries_limit from pipeline.event_channel where topic = '{ACCOUNTS}'"
    with events.listening():
        until(lambda: events.world.values(left) == [(9_600, 10_000)])


def test_an_order_names_its_account(events: Events) -> None:
    """By the event where it says so, else by the snapshot; an order that neither knows calls for a pull."""
    first, second, third = known(events)
    order, stranger = events.world.order(second), events.world.order(third)
    events.world.org.update("Order", stranger, AccountId=third)
    with events.listening():
        until(lambda: events.is_pulled)
        events.bus.change("Order", order)
        events.bus.change("Order", "801000000000999AAA", AccountId=first)
        until(lambda: len(events.hinted) == 2)
        events.bus.change("Order", events.world.order(third))
        until(lambda: events.channel(ORDERS)["lost"] == 1 and events.is_pulled)
    assert 3 == events.world.values('select count(*) from snapshot."order"')[0]


def test_events_while_nobody_listened_are_read_then(events: Events) -> None:
    """The replay id is that of the last event whose hints were committed."""
    with events.listening():
        until(lambda: events.channel() and events.channel()["replay_id"])
    events.bus.publish(TOPIC, {"Account_Id__c": known(events)[0]})
    with events.listening():
        until(lambda: events.hinted)
    assert (2, 1, 0) == (events.bus.presets[-1] or 2, events.channel()["events"], events.channel()["lost"])


@pytest.mark.parametrize("lose", ["forget", "expire"])
def test_a_lost_replay_id_is_forgotten_and_the_changes_are_pulled(events: Events, lose: str) -> None:
    """Never from the newest event without the pull: what changed meanwhile is in the snapshot afterwards."""
    events.channels(f"{TOPIC}:Account_Id__c")
    with events.listening():
        until(lambda: events.is_pulled)
    events.bus.publish(TOPIC, {"Account_Id__c": known(events)[0]})
    events.world.org.update("Account", known(events)[0], **{ELIGIBILITY: "Eligible"})
    events.world.later(hours=80)
    getattr(events.bus, lose)()
    with events.listening():
        until(lambda: events.channel()["lost"] == 1 and events.is_pulled)
    assert ["eligible"] == events.world.values(
        f"select eligibility_status from snapshot.account where account_id = '{known(events)[0]}'"
    )


@pytest.mark.parametrize(
    ("kind", "ids"), [("GAP_UPDATE", 1), ("GAP_OVERFLOW", 0), ("UPDATE", "001*")], ids=["gap", "overflow", "wildcard"]
)
def test_a_gap_an_overflow_and_a_wildcard_call_for_a_pull(events: Events, kind: str, ids: object) -> None:
    """They name nobody, or not everybody."""
    events.channels(ACCOUNTS)
    with events.listening():
        until(lambda: events.is_pulled)
        events.world.org.update("Account", known(events)[1], **{ELIGIBILITY: "Eligible"})
        named = {1: [known(events)[0]], 0: ["000000000000000AAA"]}.get(ids, [ids])  # type: ignore[call-overload]
        events.bus.change("Account", *named, kind=kind)
        until(lambda: events.channel(ACCOUNTS)["lost"] == 1 and events.is_pulled)
    assert [known(events)[0]] * (ids == 1) == events.hinted
    assert 1 == len(events.world.transitions)


def test_a_broken_event_is_counted_and_passed_over(events: Events) -> None:
    """Half an event, one without an id, one of another object's id, one of an unknown schema: the others go on."""
    events.channels(f"{TOPIC}:Account_Id__c")
    events.bus.faults.add("half", TOPIC)
    good = known(events)[0]
    with events.listening():
        events.bus.publish(TOPIC, {"Account_Id__c": good}, {}, {"Account_Id__c": "003Qx00000AbCdE"})
        events.bus.topics[TOPIC].events[1].schema_id = "schema-of-nobody"
        events.bus.publish(TOPIC, {"Account_Id__c": good})
        until(lambda: events.channel()["events"] == 4)
    assert ([good], 3, None) == (events.hinted, events.channel()["broken"], events.channel()["error"])


def test_a_new_schema_is_fetched_by_its_id(events: Events) -> None:
    """Events of the old and of the new schema are read side by side."""
    first, second, _ = known(events)
    with events.listening():
        events.bus.publish(TOPIC, {"Account_Id__c": first})
        events.bus.add_topic(TOPIC, event_schema("Account_Status_Changed__e", "Added__c", "Account_Id__c"))
        events.bus.publish(TOPIC, {"Account_Id__c": second, "Added__c": "x"})
        until(lambda: len(events.hinted) == 2)
    assert 0 == events.channel()["broken"]


@pytest.mark.parametrize("kind", ["drop", "end", "unavailable", "exhausted", "permission"])
def test_a_stream_that_breaks_is_opened_again(events: Events, kind: str) -> None:
    """However it ends, and as often as it does: each event is noted, and the fault is forgotten then."""
    events.channels(f"{TOPIC}:Account_Id__c")
    with events.listening():
        for account in known(events):
            events.bus.faults.add(kind, f"Subscribe {TOPIC}", times=2)
            events.bus.faults.add("drop", f"Subscribe {TOPIC}")
            events.bus.publish(TOPIC, {"Account_Id__c": account})
            until(lambda account=account: account in events.hinted)
        until(lambda: events.channel()["error"] is None)
    assert sorted(known(events)) == events.hinted


def test_a_session_that_ends_in_mid_stream_is_renewed(events: Events) -> None:
    """One more login; the stream goes on after the last event noted."""
    events.channels(f"{TOPIC}:Account_Id__c")
    with events.listening():
        until(lambda: events.channel() and events.channel()["replay_id"] and events.is_pulled)  # a pull logs in too
        logins = events.world.org.logins
        events.world.org.expire_sessions()
        events.bus.publish(TOPIC, {"Account_Id__c": known(events)[0]})
        until(lambda: events.hinted)
    assert (logins + 1, None) == (events.world.org.logins, events.channel()["error"])


def test_silence_is_ended_by_us(events: Events) -> None:
    """Neither events nor the keepalives that Salesforce promises: the stream is opened again."""
    events.channels(f"{TOPIC}:Account_Id__c")
    with events.listening():
        until(lambda: events.channel() and events.channel()["replay_id"])
        events.bus.faults.add("silence", TOPIC)
        streams = events.bus.streams
        until(lambda: events.bus.streams > streams)
        events.bus.publish(TOPIC, {"Account_Id__c": known(events)[0]})
        until(lambda: events.hinted)


def test_a_burst_is_one_hint_a_customer(events: Events) -> None:
    """At most a hundred events are asked for at a time, however many wait."""
    events.channels(f"{TOPIC}:Account_Id__c")
    with events.listening():
        for _ in range(20):
            events.bus.publish(TOPIC, *({"Account_Id__c": account} for account in known(events) * 33))
        until(lambda: events.channel()["events"] == 1980)
    assert sorted(known(events)) == events.hinted
    assert {100} == set(events.bus.asked)


def test_one_of_several_listens(events: Events) -> None:
    """However many processes there are; when it stops another goes on where it was."""
    events.channels(f"{TOPIC}:Account_Id__c")
    with events.listening():
        stop = threading.Event()
        arguments = (events.world.engine, events.world.program, stop, QUICK)
        others = [threading.Thread(target=listener.listen, args=arguments, daemon=True) for _ in range(2)]
        for thread in others:
            thread.start()
        events.bus.publish(TOPIC, {"Account_Id__c": known(events)[0]})
        until(lambda: events.hinted)
    events.bus.publish(TOPIC, {"Account_Id__c": known(events)[1]})
    until(lambda: len(events.hinted) == 2)
    stop.set()
    for thread in others:
        thread.join(PATIENCE)
    assert (1, 2) == (events.bus.most_at_once, events.channel()["events"])


def test_a_listener_that_loses_its_connection_goes_on_with_another(events: Events) -> None:
    """A hundred times: the server ends the sessions that hold the locks, in the middle of whatever they do."""
    events.channels(f"{TOPIC}:Account_Id__c")
    kill = (
        "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid() "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    with events.listening():
        until(lambda: events.channel() and events.channel()["replay_id"])
        for number in range(100):
            events.bus.publish(TOPIC, {"Account_Id__c": known(events)[number % 3]})
            events.world.values(kill)
        until(lambda: events.channel()["events"] == 100)
    assert sorted(known(events)) == events.hinted


def test_what_keeps_from_listening_is_named_at_once(events: Events) -> None:
    """An unknown channel, one without permission, a field that is not there, events named as changes."""
    events.bus.add_topic("/event/Closed__e", event_schema("Closed__e", "Id__c"), can_subscribe=False)
    events.bus.add_topic("/data/Odd__chn", event_schema("Odd", "Id__c"))
    events.channels("/event/Nobody__e:Id__c", "/event/Closed__e:Id__c", f"{TOPIC}:Other__c", "/data/Odd__chn", ACCOUNTS)
    with pytest.raises(SettingsError) as raised:
        listener.check(events.world.program)
    parts = ("no such", "may not subscribe", "no field Other__c", "is not a channel of Change Data Capture")
    assert len(parts) == len(raised.value.faults)
    assert all(part in fault for part, fault in zip(parts, raised.value.faults, strict=True))


def test_settings_and_the_extra_are_asked_for_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is missing, at once; no request was sent."""
    monkeypatch.setattr(listener, "_is_there", lambda name: name != "grpc")
    with pytest.raises(SettingsError) as raised:
        listener.require(GivenSettings(salesforce_event_ca_file=Path("/nowhere")))
    for part in ("SALESFORCE_EVENT_CHANNELS", "me-status[events]", "SALESFORCE_EVENT_CA_FILE", "credentials"):
        assert any(part in fault for fault in raised.value.faults)
