"""The messages of eventbus.v1, written down once more from what Salesforce publishes.

If the product has a field number wrong, it and the stand-in do not understand each other.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = """
TopicRequest topic_name=1:string
TopicInfo topic_name=1:string tenant_guid=2:string can_publish=3:bool can_subscribe=4:bool schema_id=5:string
SchemaRequest schema_id=1:string
SchemaInfo schema_json=1:string schema_id=2:string rpc_id=3:string
FetchRequest topic_name=1:string replay_preset=2:int32 replay_id=3:bytes num_requested=4:int32 auth_refresh=5:string
EventHeader key=1:string value=2:bytes
ProducerEvent id=1:string schema_id=2:string payload=3:bytes headers=4:EventHeader*
ConsumerEvent event=1:ProducerEvent replay_id=2:bytes
FetchResponse events=1:ConsumerEvent* latest_replay_id=2:bytes rpc_id=3:string pending_num_requested=4:int32
"""
"""A message a line: its fields with number and type, `*` where it repeats."""


def _messages() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="sandbox_pubsub.proto", package="eventbus.v1", syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto
    for line in PROTO.strip().splitlines():
        name, *fields = line.split()
        message = file.message_type.add(name=name)
        for one in fields:
            (label, number), kind = one.split(":")[0].split("="), one.split(":")[1]
            added = message.field.add(name=label, number=int(number))
            added.label = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            if kind.rstrip("*")[0].isupper():
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".eventbus.v1.{kind.rstrip('*')}"
            else:
                added.type = kinds.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        found.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"eventbus.v1.{found.name}"))
        for found in file.message_type
    }


MESSAGES = _messages()
