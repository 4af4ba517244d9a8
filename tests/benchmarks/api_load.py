"""A load generator in a process of its own: keep-alive connections on one selector, no threads and no asyncio, so that
it takes far less of a core than the servers it drives.

`python -m tests.benchmarks.api_load PORT SECONDS CONNECTIONS RATE REQUESTS`: REQUESTS is a file of raw requests, one
after the other, each ending in an empty line; RATE 0 sends the next as soon as an answer is there, otherwise so many
per second are due at even distances, and their latency counts from when they were due, so that a server that stalls
cannot hide it. Prints one JSON object.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
from collections import Counter, deque
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from time import perf_counter, sleep

END = b"\r\n\r\n"
WARM_SHARE = 0.2
"""The first fifth of the time warms both sides up and is not counted."""


class Connection:
    """One kept-alive connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._received = b""

    def send(self, request: bytes, due: float) -> None:
        """Starts a request that was due then."""
        self.due = due
        self.socket.sendall(request)

    def answered(self) -> int | None:
        """The status once the whole answer is here; None while it is not."""
        self._received += self.socket.recv(65536)
        head = self._received.find(END)
        if head < 0:
            return None
        headers = self._received[:head].lower()
        at = headers.find(b"content-length:")
        length = int(headers[at + 15 :].split(b"\r", 1)[0]) if at >= 0 else 0
        if len(self._received) < head + 4 + length:
            return None
        status, self._received = int(self._received[9:12]), b""
        return status


class Load:
    """Drives one port and notes each answer's latency."""

    def __init__(self, port: int, connections: int, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._idle = deque(Connection(port) for _ in range(connections))
        self._selector = selectors.EpollSelector()
        for connection in self._idle:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []

    def run(self, seconds: float, rate: float) -> None:
        """Sends for so many seconds, counting from after the warm-up."""
        started = perf_counter()
        counts_from, ends = started + seconds * WARM_SHARE, started + seconds
        due = started
        while (now := perf_counter()) < ends:
            while self._idle and (not rate or due <= now):
                self._idle.popleft().send(next(self._requests), due if rate else now)
                due += 1 / rate if rate else 0
            self._collect(max(due - now, 0) if rate and self._idle else 0.05, counts_from)

    def _collect(self, timeout: float, counts_from: float) -> None:
        for key, _ in self._selector.select(timeout):
            connection: Connection = key.data
            status = connection.answered()
            if status is None:
                continue
            now = perf_counter()
            if now >= counts_from:
                self.statuses[status] += 1
                self.latencies.append(now - connection.due)
            self._idle.append(connection)


def wait_for(port: int) -> None:
    """Until something listens there. Raises ConnectionRefusedError after a minute."""
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            sleep(0.1)
        else:
            return
    raise ConnectionRefusedError(port)


def main() -> None:
    """Reads the arguments, drives, prints requests per second, percentiles in seconds, and statuses."""
    port, seconds, connections, rate = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    requests = [request + END for request in Path(sys.argv[5]).read_bytes().split(END) if request]
    load = Load(port, connections, cycle(requests))
    load.run(seconds, rate)
    latencies = sorted(load.latencies) or [0.0]
    percentiles = {str(share): latencies[int(len(latencies) * share / 100)] for share in (50, 90, 99)}
    per_second = len(load.latencies) / (seconds * (1 - WARM_SHARE))
    sys.stdout.write(json.dumps({"per_second": per_second, "latency": percentiles, "statuses": load.statuses}))


if __name__ == "__main__":
    main()
