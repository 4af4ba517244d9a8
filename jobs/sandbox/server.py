"""A WSGI app on a loopback port, HTTP/1.1 with a connection for each request, and transport faults on demand."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.faults import Fault, Faults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HTML = b"<html><head><title>Just a moment...</title></head><body>Maintenance</body></html>"
TRANSPORT_KINDS = (
    "status",  # arguments: status (such as "503 Service Unavailable"), body, content_type
    "html",  # 200 with an HTML page
    "empty_body",  # 200 with nothing
    "truncated_json",  # 200 with the first half of the answer, correctly framed
    "truncated_body",  # the connection ends before the announced length
    "wrong_type",  # the answer as text/plain
    "slow",  # arguments: seconds before the answer
    "reset",  # the connection is reset without an answer
)


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with suppress(OSError):  # what is left of a connection that was reset
            super().handle()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Stand-ins are silent."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        clock: SimulatedClock = self.server.clock  # type: ignore[attr-defined]
        return format_datetime(clock.now(), usegmt=True)


class StandIn:
    """A running stand-in: `url` until `close()`. Usable as a context manager."""

    def __init__(self, app: WSGIApplication, clock: SimulatedClock, *, port: int = 0) -> None:
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Handler)
        self._server.clock = clock  # type: ignore[attr-defined]
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def with_transport_faults(
    app: WSGIApplication, faults: Faults, label: Callable[[WSGIEnvironment], str]
) -> WSGIApplication:
    """The app behind a layer that misbehaves as `faults` say, for requests whose label a fault matches."""

    def faulty(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        fault = faults.take(label(environ), *TRANSPORT_KINDS)
        if fault is None:
            return app(environ, start_response)
        return _misbehave(fault, app, environ, start_response)

    return faulty


def _misbehave(
    fault: Fault, app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    arguments = fault.arguments
    if fault.kind == "slow":
        time.sleep(arguments["seconds"])
        return app(environ, start_response)
    if fault.kind == "reset":
        _reset(environ["werkzeug.socket"])
        raise ConnectionError("reset on demand")
    if fault.kind in ("truncated_json", "truncated_body", "wrong_type"):
        return _spoiled(fault.kind, app, environ, start_response)
    status, body, content_type = {
        "status": (
            arguments.get("status", "503 Service Unavailable"),
            arguments.get("body", HTML),
            arguments.get("content_type", "text/html"),
        ),
        "html": ("200 OK", HTML, "text/html; charset=utf-8"),
        "empty_body": ("200 OK", b"", "application/json"),
    }[fault.kind]
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]


def _spoiled(
    kind: str, app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    answer: dict[str, Any] = {}

    def keep(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        answer.update(status=status, headers=headers)
        return lambda _: None

    body = b"".join(app(environ, keep))
    headers = [
        (name, value)
        for name, value in answer["headers"]
        if name.lower() not in ("content-length", "content-type", "content-encoding")
    ]
    content_type = "text/plain" if kind == "wrong_type" else "application/json"
    sent = body if kind == "wrong_type" else body[: len(body) // 2]
    announced = len(body) if kind == "truncated_body" else len(sent)
    start_response(
        answer["status"],
        [*headers, ("Content-Type", content_type), ("Content-Length", str(announced)), ("Connection", "close")],
    )
    return [sent]


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())  # close() would wait for the handler's files on the same socket
