"""The methods that subscribers call, with faults on demand.

Kinds of fault, by labels such as `Subscribe /event/X__e` or `GetTopic /event/X__e`:

- `unavailable`, `unauthenticated`, `permission`, `exhausted`: the call ends with that status
- `drop`: the stream ends with UNAVAILABLE after the next response; `end`: it ends without an error
- `half`: the next event carries half of its payload
- `silence`: nothing is sent any more, keepalives neither
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc

from jobs.sandbox.salesforce.events.bus import Event, EventBus, Topic
from jobs.sandbox.salesforce.events.wire import MESSAGES

MOST_AT_ONCE = 100
ERRORS = "sfdc.platform.eventbus.grpc."
STATUS_OF_FAULT = {
    "unavailable": (grpc.StatusCode.UNAVAILABLE, "service.unavailable"),
    "unauthenticated": (grpc.StatusCode.UNAUTHENTICATED, "service.auth.error"),
    "permission": (grpc.StatusCode.PERMISSION_DENIED, "service.access.denied"),
    "exhausted": (grpc.StatusCode.RESOURCE_EXHAUSTED, "event.delivery.limit.exceeded"),
}


class Service:
    """The methods of eventbus.v1.PubSub that subscribers call."""

    def __init__(self, bus: EventBus) -> None:
        self.bus = bus

    def get_topic(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._admit(f"GetTopic {request.topic_name}", context)
        topic = self._topic(request.topic_name, context)
        return MESSAGES["TopicInfo"](
            topic_name=topic.name, can_subscribe=topic.can_subscribe, schema_id=topic.schema_id
        )

    def get_schema(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._admit(f"GetSchema {request.schema_id}", context)
        schema = self.bus.schemas.get(request.schema_id)
        if schema is None:
            _abort(context, grpc.StatusCode.NOT_FOUND, "schema.not.found")
        return MESSAGES["SchemaInfo"](schema_json=json.dumps(schema), schema_id=request.schema_id)

    def subscribe(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        first = next(requests)
        self._admit(f"Subscribe {first.topic_name}", context)
        topic = self._topic(first.topic_name, context)
        if not topic.can_subscribe:
            _abort(context, grpc.StatusCode.PERMISSION_DENIED, "topic.permission.denied")
        self.bus.presets.append(first.replay_preset)
        stream = _Open(self.bus, topic, context, self._start(topic, first, context))
        threading.Thread(target=stream.take, args=(itertools.chain([first], requests),), daemon=True).start()
        yield from stream.responses(first.topic_name)

    def _start(self, topic: Topic, first: Any, context: grpc.ServicerContext) -> bytes:
        """The replay id after which events are sent."""
        if first.replay_preset == 1:
            return b""
        if first.replay_preset == 0:
            return topic.events[-1].replay_id if topic.events else b""
        if first.replay_id == topic.beginning:
            return b""
        if first.replay_id not in {event.replay_id for event in topic.events}:
            _abort(context, grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.replayid.corrupted")
        return bytes(first.replay_id)

    def _topic(self, name: str, context: grpc.ServicerContext) -> Topic:
        topic = self.bus.topics.get(name)
        if topic is None:
            _abort(context, grpc.StatusCode.NOT_FOUND, "topic.not.found")
        assert topic is not None
        return topic

    def _admit(self, label: str, context: grpc.ServicerContext) -> None:
        given = dict(context.invocation_metadata())
        if self.bus.org.session(str(given.get("accesstoken", ""))) is None or not given.get("tenantid"):
            _abort(context, *STATUS_OF_FAULT["unauthenticated"])
        if fault := self.bus.faults.take(label, *STATUS_OF_FAULT):
            _abort(context, *STATUS_OF_FAULT[fault.kind])


@dataclass
class _Open:
    """One open stream."""

    bus: EventBus
    topic: Topic
    context: grpc.ServicerContext
    after: bytes
    wanted: int = 0
    is_over: bool = False

    def take(self, requests: Iterator[Any]) -> None:
        """Counts what the client asks for, until it ends its side."""
        try:
            for request in requests:
                with self.bus.changed:
                    self.bus.asked.append(request.num_requested)
                    self.wanted += min(request.num_requested, MOST_AT_ONCE)
                    self.bus.changed.notify_all()
        except grpc.RpcError:
            pass
        finally:
            with self.bus.changed:
                self.is_over = True
                self.bus.changed.notify_all()

    def responses(self, name: str) -> Iterator[Any]:
        with self.bus.changed:
            self.bus.streams += 1
            self.bus.open[name] = self.bus.open.get(name, 0) + 1
            self.bus.most_at_once = max(self.bus.most_at_once, self.bus.open[name])
        try:
            yield from self._responses(name)
        finally:
            with self.bus.changed:
                self.bus.open[name] -= 1

    def _responses(self, name: str) -> Iterator[Any]:
        while not self.is_over and not self.bus.closing:
            events = self._next()
            if self.is_over or self.bus.closing:
                return
            token = str(dict(self.context.invocation_metadata()).get("accesstoken", ""))
            if self.bus.org.session(token) is None:
                _abort(self.context, *STATUS_OF_FAULT["unauthenticated"])
            if self.bus.faults.take(f"Subscribe {name}", "silence"):
                self._sleep_for_ever()
                return
            yield self._response(name, events)
            if self.bus.faults.take(f"Subscribe {name}", "end"):
                return
            if self.bus.faults.take(f"Subscribe {name}", "drop"):
                _abort(self.context, *STATUS_OF_FAULT["unavailable"])

    def _next(self) -> list[Event]:
        """Waits for events that may be sent; none after the keepalive's time."""
        deadline = time.monotonic() + self.bus.keepalive
        with self.bus.changed:
            while not self.is_over and not self.bus.closing:
                later = [event for event in self.topic.events if event.replay_id > self.after] if self.wanted else []
                if later:
                    return later[: self.wanted]
                if (left := deadline - time.monotonic()) <= 0:
                    return []
                self.bus.changed.wait(min(left, 0.5))
        return []

    def _response(self, name: str, events: list[Event]) -> Any:
        self.wanted -= len(events)
        self.bus.org.deliveries_used += len(events)
        if events:
            self.after = events[-1].replay_id
        consumed = []
        for event in events:
            is_half = self.bus.faults.take(f"Subscribe {name}", "half") is not None
            payload = event.payload[: len(event.payload) // 2] if is_half else event.payload
            produced = MESSAGES["ProducerEvent"](id="event", schema_id=event.schema_id, payload=payload)
            consumed.append(MESSAGES["ConsumerEvent"](event=produced, replay_id=event.replay_id))
        return MESSAGES["FetchResponse"](
            events=consumed, latest_replay_id=self.after or self.topic.beginning, pending_num_requested=self.wanted
        )

    def _sleep_for_ever(self) -> None:
        with self.bus.changed:
            while not self.is_over and not self.bus.closing and self.context.is_active():
                self.bus.changed.wait(0.2)


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, reason: str) -> None:
    context.set_trailing_metadata((("error-code", ERRORS + reason), ("rpcid", "rpc")))
    context.abort(code, f"rpcId: rpc {reason}")
