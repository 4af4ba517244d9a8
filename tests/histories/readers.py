"""Readers over keep-alive connections, in a process of their own: `python -m tests.histories.readers`.

`PORT NOTES CONNECTIONS SEED TOKENS`: TOKENS is a file of one token a line, a customer each. Every connection asks for
a random customer as soon as its last answer is there, a third of the time naming the tag it saw last. A connection that
breaks, since somebody killed the server, is opened again. Ends when standard input does; prints what went wrong.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.histories.notes import Notebook, header

END = b"\r\n\r\n"
AGAIN_SECONDS = 0.1
"""So long after a refused connection it is tried again."""
EXPECTED = (200, 304)
UNAVAILABLE = 503
PATIENCE_SECONDS = 30.0
CONDITIONAL_SHARE = 1 / 3


class Connection:
    """One connection and the request under way on it; `socket` is None while there is none."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.customer = 0
        self.asked = 0.0
        self.try_at = 0.0
        self.received = b""


class Readers:
    """All connections of this process."""

    def __init__(self, port: int, notebook: Notebook, tokens: list[str], dice: Random) -> None:
        self._port, self._notebook, self._dice = port, notebook, dice
        self._requests = [_request(token) for token in tokens]
        self._tags: dict[int, bytes] = {}
        self._selector = selectors.DefaultSelector()
        self._closed: list[Connection] = []
        self.broken = 0
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []

    def read(self, connections: int) -> None:
        """Asks until standard input ends."""
        self._closed = [Connection() for _ in range(connections)]
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            self._open_again()
            for key, _ in self._selector.select(AGAIN_SECONDS):
                if key.fileobj is sys.stdin:
                    return
                self._receive(key.data)

    def _open_again(self) -> None:
        now = time.time()
        for connection in [one for one in self._closed if one.try_at <= now]:
            connection.try_at = now + AGAIN_SECONDS
            with suppress(OSError):
                connection.socket = socket.create_connection(("127.0.0.1", self._port), PATIENCE_SECONDS)
                connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._selector.register(connection.socket, selectors.EVENT_READ, connection)
                self._closed.remove(connection)
                self._ask(connection)

    def _ask(self, connection: Connection) -> None:
        customer = connection.customer = self._dice.randrange(len(self._requests))
        tag = self._tags.get(customer) if self._dice.random() < CONDITIONAL_SHARE else None
        condition = b"If-None-Match: %b\r\n" % tag if tag else b""
        connection.received = b""
        connection.asked = time.time()
        try:
            assert connection.socket is not None
            connection.socket.sendall(self._requests[customer] + condition + b"\r\n")
        except OSError:
            self._break(connection)

    def _receive(self, connection: Connection) -> None:
        assert connection.socket is not None
        try:
            received = connection.socket.recv(65536)
        except OSError:
            received = b""
        if not received:
            self._break(connection)
            return
        connection.received += received
        head, end, body = connection.received.partition(END)
        if end and len(body) >= int(header(head, b"content-length") or 0):
            self._answered(connection, head, body, time.time())
            self._ask(connection)

    def _answered(self, connection: Connection, head: bytes, body: bytes, answered: float) -> None:
        status = int(head[9:12])
        self.statuses[status] += 1
        if status in EXPECTED:
            self._tags[connection.customer] = header(head, b"etag")
            self._notebook.note(connection.customer, head, body, connection.asked, answered)
        elif status != UNAVAILABLE:
            self.wrong.append(f"{status}: {body.decode()}")

    def _break(self, connection: Connection) -> None:
        assert connection.socket is not None
        self.broken += 1
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self._closed.append(connection)


def _request(token: str) -> bytes:
    return f"GET /api/me/status HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {token}\r\n".encode()


def main() -> None:
    """Reads the arguments, then the API; prints one JSON object."""
    port, path, connections, seed, tokens = sys.argv[1:]
    notebook = Notebook(Path(path))
    readers = Readers(int(port), notebook, Path(tokens).read_text().split(), Random(int(seed)))
    readers.read(int(connections))
    notebook.close()
    sys.stdout.write(json.dumps({"broken": readers.broken, "statuses": readers.statuses, "wrong": readers.wrong[:20]}))


if __name__ == "__main__":
    main()
