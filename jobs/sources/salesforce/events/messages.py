"""The messages of the Pub/Sub API that a subscriber needs, with the field numbers Salesforce publishes (eventbus.v1).

They are declared here rather than generated: no build step, and no generated code that fits only some versions of
protobuf. Members that a subscriber neither sends nor reads are left out, which the wire format allows.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

PACKAGE = "eventbus.v1"
SERVICE = f"/{PACKAGE}.PubSub"
LATEST, CUSTOM = 0, 2
"""Where a subscription starts: at the tip, or after a replay id."""

TEXT, BYTES, NUMBER, YES_OR_NO = (
    FieldDescriptorProto.TYPE_STRING,
    FieldDescriptorProto.TYPE_BYTES,
    FieldDescriptorProto.TYPE_INT32,
    FieldDescriptorProto.TYPE_BOOL,
)
FIELDS: dict[str, dict[str, tuple[int, Any]]] = {
    "TopicRequest": {"topic_name": (1, TEXT)},
    "TopicInfo": {"topic_name": (1, TEXT), "can_subscribe": (4, YES_OR_NO), "schema_id": (5, TEXT)},
    "SchemaRequest": {"schema_id": (1, TEXT)},
    "SchemaInfo": {"schema_json": (1, TEXT), "schema_id": (2, TEXT)},
    "FetchRequest": {
        "topic_name": (1, TEXT),
        "replay_preset": (2, NUMBER),
        "replay_id": (3, BYTES),
        "num_requested": (4, NUMBER),
    },
    "ProducerEvent": {"id": (1, TEXT), "schema_id": (2, TEXT), "payload": (3, BYTES)},
    "ConsumerEvent": {"event": (1, "ProducerEvent"), "replay_id": (2, BYTES)},
    "FetchResponse": {
        "events": (1, ["ConsumerEvent"]),
        "latest_replay_id": (2, BYTES),
        "pending_num_requested": (4, NUMBER),
    },
}
"""By message and field: number, and type; a name is another message, a list of one repeats. An enum is a number."""


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="me_status_pubsub.proto", package=PACKAGE, syntax="proto3")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            declared = message.field.add(name=field, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
            if isinstance(kind, list):
                kind, declared.label = kind[0], FieldDescriptorProto.LABEL_REPEATED
            if isinstance(kind, str):
                declared.type, declared.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            else:
                declared.type = kind
    return file


_POOL = DescriptorPool()
_POOL.Add(_file())


def _message(name: str) -> Any:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


TopicRequest, TopicInfo = _message("TopicRequest"), _message("TopicInfo")
SchemaRequest, SchemaInfo = _message("SchemaRequest"), _message("SchemaInfo")
FetchRequest, FetchResponse = _message("FetchRequest"), _message("FetchResponse")
