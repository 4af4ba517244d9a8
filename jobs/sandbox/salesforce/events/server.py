"""The event bus on a loopback port, over TLS with a certificate of its own."""

from __future__ import annotations

import ipaddress
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jobs.sandbox.salesforce.events.bus import EventBus
from jobs.sandbox.salesforce.events.streams import Service
from jobs.sandbox.salesforce.events.wire import MESSAGES


class PubSubStandIn:
    """A running server: `endpoint` (host:port), `ca_file` to trust it by, until `close()`. A context manager."""

    def __init__(self, bus: EventBus, folder: Path, *, port: int = 0) -> None:
        self.bus = bus
        key, certificate = _certificate()
        self.ca_file = folder / "pubsub-ca.pem"
        self.ca_file.write_bytes(certificate)
        self._server = grpc.server(ThreadPoolExecutor(32), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((_handlers(Service(bus)),))
        number = self._server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials([(key, certificate)]))
        self.endpoint = f"127.0.0.1:{number}"
        self._server.start()

    def close(self) -> None:
        self.bus.closing = True
        with self.bus.changed:
            self.bus.changed.notify_all()
        self._server.stop(0).wait()

    def __enter__(self) -> PubSubStandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _handlers(service: Service) -> grpc.GenericRpcHandler:
    def unary(method: Any, request: str) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(
            method, MESSAGES[request].FromString, lambda answer: answer.SerializeToString()
        )

    return grpc.method_handlers_generic_handler(
        "eventbus.v1.PubSub",
        {
            "GetTopic": unary(service.get_topic, "TopicRequest"),
            "GetSchema": unary(service.get_schema, "SchemaRequest"),
            "Subscribe": grpc.stream_stream_rpc_method_handler(
                service.subscribe, MESSAGES["FetchRequest"].FromString, lambda answer: answer.SerializeToString()
            ),
        },
    )


def _certificate() -> tuple[bytes, bytes]:
    """A key and a certificate for 127.0.0.1 that signs itself, both PEM; valid on any day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pub/Sub stand-in")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2000, 1, 1))  # noqa: DTZ001, the library wants UTC without saying so
        .not_valid_after(datetime(2999, 1, 1))  # noqa: DTZ001
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, made.public_bytes(serialization.Encoding.PEM)
