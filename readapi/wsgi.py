"""Between granian's RSGI and the WSGI application: a request whose body is here already, and a whole answer."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

from readapi.answers import Answer
from readapi.threads import Threads

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from granian.rsgi import Scope


class LongWay:
    """A WSGI application that answers in threads."""

    def __init__(self, application: WSGIApplication, threads: Threads) -> None:
        self._application = application
        self._threads = threads

    @property
    def at_once(self) -> int:
        """So many requests are answered at once."""
        return self._threads.count

    async def answer(self, scope: Scope, body: bytes) -> Answer:
        """What the application answers to a request whose body is here."""
        return await self._threads.run(self._call, scope, body)

    def close(self) -> None:
        """The threads end with what they have been given before."""
        self._threads.close()

    def _call(self, scope: Scope, body: bytes) -> Answer:
        return call(self._application, environ_of(scope, body))


def environ_of(scope: Scope, body: bytes) -> WSGIEnvironment:
    """The environment of PEP 3333. Names with an underscore are left out: they would pass for others with a hyphen."""
    name, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for header, value in scope.headers.items():
        if header == "content-type":
            environ["CONTENT_TYPE"] = value
        elif header not in ("content-length", "transfer-encoding") and "_" not in header:
            key = f"HTTP_{header.upper().replace('-', '_')}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def call(application: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """What the application answers, read whole."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None, /) -> Any:
        started.append((status, headers))

    parts = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()
    status, headers = started[-1]
    return Answer(int(status[:3]), headers, body)
