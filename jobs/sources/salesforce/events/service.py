"""The Pub/Sub API as a subscriber sees it: topics, schemas, streams; its errors as errors of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Lock
from typing import Any, TypeVar

import grpc
from fastavro.types import Schema

from config.event_channels import EventChannel
from config.settings import Settings
from jobs.sources.errors import PermissionDenied, ProtocolError, SourceError, TransientError
from jobs.sources.salesforce.events import messages
from jobs.sources.salesforce.events.decoding import HEADER, fields_of, schema_of
from jobs.sources.salesforce.session import SalesforceSession

AT_ONCE = 100
"""Events asked for at a time: what Salesforce allows."""
TIMEOUT = 20.0
"""Seconds for a call that is not a stream."""
OPTIONS = (
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_receive_message_length", 16 * 2**20),
)
T = TypeVar("T")


class SessionEndedError(SourceError):
    """The session's token is no longer accepted."""


class ReplayIdLostError(SourceError):
    """The replay id is unknown or older than the 72 hours that events are kept: what was missed has to be pulled."""


class UnknownChannelError(SourceError):
    """There is no such topic."""


class Stream:
    """One subscription. Iterate over it for responses; `more()` asks for the next events, `cancel()` ends it."""

    def __init__(self, call: Any, requests: SimpleQueue[Any], topic: str) -> None:
        self._call = call
        self._requests = requests
        self._topic = topic

    def __iter__(self) -> Iterator[Any]:
        """Responses, empty ones included. Raises SourceError when the stream breaks or ends."""
        try:
            yield from self._call
        except grpc.RpcError as error:
            raise understood(error, self._topic) from None
        finally:
            self.cancel()
        raise TransientError(f"Salesforce events: {self._topic}: the server ended the stream; it is opened again")

    def more(self) -> None:
        self._requests.put(messages.FetchRequest(topic_name=self._topic, num_requested=AT_ONCE))

    def cancel(self) -> None:
        self._call.cancel()
        self._requests.put(None)


class PubSub:
    """One connection to the Pub/Sub API, for the streams of all channels. Close it when done."""

    def __init__(self, settings: Settings, session: SalesforceSession) -> None:
        self._session = session
        self._instance_url = settings.salesforce_instance_url
        self._tenant = session.organization_id()
        authority = settings.salesforce_event_ca_file
        credentials = grpc.ssl_channel_credentials(authority.read_bytes() if authority else None)
        self._channel = grpc.secure_channel(settings.salesforce_event_endpoint, credentials, options=OPTIONS)
        self._schemas: dict[str, Schema] = {}
        self._lock = Lock()

    def close(self) -> None:
        self._channel.close()

    def subscribe(self, topic: str, replay_id: bytes | None) -> Stream:
        """A stream after `replay_id`, from the tip when it is None; the first events are asked for already."""
        requests: SimpleQueue[Any] = SimpleQueue()
        start = messages.LATEST if replay_id is None else messages.CUSTOM
        requests.put(
            messages.FetchRequest(
                topic_name=topic, replay_preset=start, replay_id=replay_id or b"", num_requested=AT_ONCE
            )
        )
        call = self._channel.stream_stream(
            f"{messages.SERVICE}/Subscribe", messages.FetchRequest.SerializeToString, messages.FetchResponse.FromString
        )
        return Stream(call(iter(requests.get, None), metadata=self._metadata()), requests, topic)

    def schema(self, schema_id: str) -> Schema:
        """The schema of an id, kept. Raises SourceError; ValueError when there is none or it cannot be read."""
        with self._lock:
            if schema_id not in self._schemas:
                try:
                    asked = messages.SchemaRequest(schema_id=schema_id)
                    answer = self._ask("GetSchema", asked, messages.SchemaInfo, f"schema {schema_id}")
                except UnknownChannelError:
                    raise ValueError("has a schema that Salesforce does not know") from None
                self._schemas[schema_id] = schema_of(answer.schema_json)
            return self._schemas[schema_id]

    def faults(self, channel: EventChannel) -> list[str]:
        """What keeps a channel from being listened to, a sentence each. Raises SourceError when that is not known."""
        try:
            asked = messages.TopicRequest(topic_name=channel.topic)
            topic = self._ask("GetTopic", asked, messages.TopicInfo, channel.topic)
            if not topic.can_subscribe:
                return [f"{channel.topic}: the user may not subscribe; grant it Read on the event or its object"]
            fields = fields_of(self.schema(topic.schema_id))
        except (UnknownChannelError, PermissionDenied) as error:
            return [str(error)]
        except ValueError as error:
            return [f"{channel.topic}: its schema {error}"]
        if channel.field is not None and channel.field not in fields:
            return [f"{channel.topic}: has no field {channel.field}; name the one that holds the Account id"]
        if channel.field is None and HEADER not in fields:
            return [f"{channel.topic}: is not a channel of Change Data Capture; write it as /event/NAME__e:FIELD"]
        return []

    def _ask(self, method: str, request: Any, answer: Any, what: str) -> Any:
        call = self._channel.unary_unary(
            f"{messages.SERVICE}/{method}", type(request).SerializeToString, answer.FromString
        )
        return self._with_session(lambda: call(request, timeout=TIMEOUT, metadata=self._metadata()), what)

    def _with_session(self, ask: Callable[[], T], what: str) -> T:
        for is_last in (False, True):
            token = self._session.token
            try:
                return ask()
            except grpc.RpcError as error:
                meant = understood(error, what)
            if is_last or not isinstance(meant, SessionEndedError):
                raise meant
            self._session.renew(token)
        raise AssertionError("the second try returns or raises")

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (
            ("accesstoken", self._session.token),
            ("instanceurl", str(self._instance_url)),
            ("tenantid", self._tenant),
        )


def understood(error: Any, what: str) -> SourceError:
    """Our error for one of gRPC; `what` names the channel or schema. The server's text is left out."""
    code, reason = error.code(), _reason(error)
    said = f"Salesforce events: {what}"
    if code is grpc.StatusCode.UNAUTHENTICATED or "auth" in reason:
        return SessionEndedError(f"{said}: the session is no longer accepted; check the app and its user")
    if "replayid" in reason:
        return ReplayIdLostError(f"{said}: the replay id is unknown or older than 72 hours; changes since are pulled")
    if code is grpc.StatusCode.PERMISSION_DENIED:
        return PermissionDenied(f"{said}: the user may not subscribe; grant it Read on the event or its object")
    if code is grpc.StatusCode.NOT_FOUND or (code is grpc.StatusCode.INVALID_ARGUMENT and "topic" in reason):
        return UnknownChannelError(f"{said}: there is no such thing; check SALESFORCE_EVENT_CHANNELS")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return TransientError(f"{said}: the org's allocation of delivered events or of clients is used up")
    if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED):
        return ProtocolError(f"{said}: {code.name} {reason}".rstrip() + "; check SALESFORCE_EVENT_ENDPOINT")
    return TransientError(f"{said}: {code.name}; it is tried again")


def _reason(error: Any) -> str:
    """Salesforce's own code, such as sfdc.platform.eventbus.grpc.subscription.fetch.replayid.corrupted."""
    trailers = dict(error.trailing_metadata() or ())
    return str(trailers.get("error-code", "")).removeprefix("sfdc.platform.eventbus.grpc.")
