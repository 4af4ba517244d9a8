"""The event bus of a made-up org: channels, their Avro schemas, and the events of the last 72 hours."""

from __future__ import annotations

import io
import itertools
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import fastavro

from jobs.sandbox.faults import Faults
from jobs.sandbox.salesforce.org import SalesforceOrg

RETENTION = timedelta(hours=72)
_HEADER: dict[str, Any] = {
    "type": "record",
    "name": "ChangeEventHeader",
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": {"type": "array", "items": "string"}},
        {"name": "changeType", "type": "string"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "changedFields", "type": {"type": "array", "items": "string"}},
    ],
}


def event_schema(name: str, *fields: str) -> dict[str, Any]:
    """The schema of a Platform Event with text fields."""
    own = [{"name": field, "type": ["null", "string"], "default": None} for field in fields]
    created = [{"name": "CreatedDate", "type": "long"}, {"name": "CreatedById", "type": "string"}]
    return {"type": "record", "name": name, "namespace": "com.sforce.eventbus", "fields": created + own}


def change_schema(entity: str, *fields: str) -> dict[str, Any]:
    """The schema of an object's change events: the header, and text fields that are null where they did not change."""
    own = [{"name": field, "type": ["null", "string"], "default": None} for field in fields]
    header: dict[str, Any] = {"name": "ChangeEventHeader", "type": _HEADER}
    return {
        "type": "record",
        "name": f"{entity}ChangeEvent",
        "namespace": "com.sforce.eventbus",
        "fields": [header, *own],
    }


@dataclass
class Event:
    replay_id: bytes
    schema_id: str
    payload: bytes
    at: datetime


@dataclass
class Topic:
    """A channel: its schema at present, whether one may subscribe, and what was published."""

    name: str
    schema_id: str
    can_subscribe: bool = True
    events: list[Event] = field(default_factory=list)
    beginning: bytes = b"the beginning"
    """The latest replay id while there is no event yet."""


class EventBus:
    """The events of one org. Publish at will; a server gives them to whoever subscribes.

    Replay ids are opaque and have gaps. `keepalive` is in seconds of the wall clock, everything else goes by the org's
    clock. `streams` counts subscriptions, `most_at_once` the streams of one topic open at the same time, `asked` holds
    what clients requested at a time.
    """

    def __init__(self, org: SalesforceOrg, *, keepalive: float = 270.0) -> None:
        self.org = org
        self.keepalive = keepalive
        self.faults = Faults()
        self.topics: dict[str, Topic] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        self.streams = 0
        self.open: dict[str, int] = {}
        self.most_at_once = 0
        self.asked: list[int] = []
        self.presets: list[int] = []
        self.closing = False
        self.changed = threading.Condition()
        self._numbers = itertools.count(100_000, 7)
        for entity, fields in (("Account", ("Name",)), ("Order", ("AccountId", "Status")), ("Case", ("AccountId",))):
            self.add_topic(f"/data/{entity}ChangeEvent", change_schema(entity, *fields))

    def add_topic(self, name: str, schema: dict[str, Any], *, can_subscribe: bool = True) -> Topic:
        """A new channel, or a new schema of one that is there."""
        schema_id = f"schema-{len(self.schemas)}"
        self.schemas[schema_id] = schema
        topic = self.topics.setdefault(name, Topic(name, schema_id, can_subscribe))
        topic.schema_id = schema_id
        return topic

    def publish(self, name: str, *records: dict[str, Any]) -> None:
        """Platform Events with these fields."""
        stamp = {"CreatedDate": int(self.org.clock.now().timestamp() * 1000), "CreatedById": "005Sd0000000001AAA"}
        self._append(name, [stamp | record for record in records])

    def change(self, entity: str, *record_ids: str, kind: str = "UPDATE", **fields: Any) -> None:
        """One change event of records of an object; `kind` such as CREATE, GAP_UPDATE or GAP_OVERFLOW."""
        header = {
            "entityName": entity,
            "recordIds": list(record_ids),
            "changeType": kind,
            "commitTimestamp": int(self.org.clock.now().timestamp() * 1000),
            "changedFields": [],
        }
        self._append(f"/data/{entity}ChangeEvent", [{"ChangeEventHeader": header} | fields])

    def _append(self, name: str, records: list[dict[str, Any]]) -> None:
        topic = self.topics[name]
        with self.changed:
            for record in records:
                payload = io.BytesIO()
                fastavro.schemaless_writer(payload, fastavro.parse_schema(dict(self.schemas[topic.schema_id])), record)
                number = next(self._numbers).to_bytes(10, "big")
                topic.events.append(Event(number, topic.schema_id, payload.getvalue(), self.org.clock.now()))
            self.changed.notify_all()

    def expire(self) -> None:
        """Drops what is older than the retention, by the org's clock."""
        for topic in self.topics.values():
            topic.events = [event for event in topic.events if event.at > self.org.clock.now() - RETENTION]
            topic.beginning = b"a later beginning"

    def forget(self) -> None:
        """Drops every event, and with them the replay ids: as after a migration of the org."""
        for topic in self.topics.values():
            topic.events.clear()
            topic.beginning = b"another beginning"
