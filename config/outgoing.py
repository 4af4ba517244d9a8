"""Requests of ours to others: Salesforce, WHMCS, the token issuer. One guard for all of them.

Each request ends within its seconds, connecting, waiting and reading together, however slowly the peer drips; its
answer is read up to so many bytes as decoded, however small they came; no proxy, credential or certificate setting of
the environment changes where it goes, but for SSL_CERT_FILE, which names the certificates of a private CA.
"""

from __future__ import annotations

import io
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ReadTimeoutError

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes. Pages of a source have a few million."""
STEP = 64 * 1024
MOST_REDIRECTS = 5


class TooSlow(requests.exceptions.Timeout):
    """The answer was not there, or not whole, when the request's seconds were over."""


class TooLarge(requests.exceptions.RequestException):
    """The answer goes on beyond the bytes allowed."""


def session(*, seconds: float, largest: int = LARGEST_ANSWER, connections: int = 10) -> requests.Session:
    """An HTTP session whose requests end within `seconds` and whose answers have at most `largest` bytes, decoded.

    May be used by several threads: it keeps no cookies.
    """
    made = requests.Session()
    guard(made, Guarded(seconds=seconds, largest=largest, connections=connections))
    return made


def guard(made: requests.Session, adapter: HTTPAdapter) -> None:
    """Has every request of the session go through the adapter, and nothing of the environment change its way."""
    made.trust_env = False
    made.verify = os.environ.get("SSL_CERT_FILE") or True
    made.max_redirects = MOST_REDIRECTS
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.mount("https://", adapter)
    made.mount("http://", adapter)


class Guarded(HTTPAdapter):
    """Sends requests with a deadline for the whole of each, and bounds what is read of the answers."""

    def __init__(self, *, seconds: float, largest: int = LARGEST_ANSWER, connections: int = 10) -> None:
        self._seconds = seconds
        self._largest = largest
        super().__init__(pool_connections=2, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        _deadline.at = time.monotonic() + self._seconds
        kwargs["timeout"] = self._seconds
        kwargs["verify"] = kwargs.get("verify") or True
        try:
            response = super().send(request, *args, **kwargs)
        except requests.exceptions.ConnectionError as error:
            if isinstance(error, requests.exceptions.SSLError) or _remaining() > 0:
                raise
            raise TooSlow(request=request) from None
        response.raw = _Bounded(response.raw, self._largest)
        return response


def in_words(error: requests.exceptions.RequestException) -> str:
    """What went wrong, without an address: "no answer in time", "the TLS certificate was not accepted (...)"."""
    if isinstance(error, TooLarge):
        return "the answer is larger than any is expected to be"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the TLS certificate was not accepted ({_tls_reason(error)}); SSL_CERT_FILE names a private CA's"
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return f"more than {MOST_REDIRECTS} redirects"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection, or it broke"
    return f"the transport failed ({type(error).__name__})"


class _Deadline(threading.local):
    at = float("inf")


_deadline = _Deadline()
"""Of the request that this thread has under way, on time.monotonic."""


def _remaining() -> float:
    return _deadline.at - time.monotonic()


class _Timed:
    """A connected socket each of whose waits ends with the deadline of the request under way."""

    def __init__(self, connected: socket.socket) -> None:
        self._connected = connected

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connected, name)

    def recv_into(self, *args: Any) -> int:
        self._limit()
        return self._connected.recv_into(*args)

    def sendall(self, *args: Any) -> None:
        self._limit()
        self._connected.sendall(*args)

    def makefile(self, mode: str = "rb", *_: Any, **__: Any) -> io.BufferedReader:
        """A reader whose reads come through `recv_into`; http.client asks for no other kind."""
        self._connected._io_refs += 1  # type: ignore[attr-defined]  # as socket.makefile does: close waits for readers
        return io.BufferedReader(socket.SocketIO(self, "rb"))  # type: ignore[arg-type]

    def _limit(self) -> None:
        if (remaining := _remaining()) <= 0:
            raise TimeoutError("the request's time is over")
        self._connected.settimeout(remaining if remaining < float("inf") else None)


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = _Timed(self.sock)


class _TlsConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = _Timed(self.sock)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Bounded:
    """An answer's body as requests reads it, decoded step by step and never beyond the bound."""

    def __init__(self, raw: Any, largest: int) -> None:
        self._raw = raw
        self._largest = largest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        size = 0
        try:
            for part in self._raw.stream(STEP, decode_content=True):
                size += len(part)
                if size > self._largest:
                    raise TooLarge(f"more than {self._largest} bytes")
                yield part
        except ReadTimeoutError:
            raise TooSlow("the answer did not come whole in time") from None
        finally:
            if size > self._largest:
                self._raw.close()


def _tls_reason(error: BaseException) -> str:
    """What OpenSSL says, such as "self-signed certificate"; it is found at the end of a chain of errors."""
    found: Any = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return str(found.verify_message)
        if isinstance(found, ssl.SSLError) and found.reason:
            return str(found.reason).lower().replace("_", " ")
        inner = found.args[0] if isinstance(found, Exception) and found.args else None
        found = getattr(found, "reason", None) or (inner if isinstance(inner, BaseException) else None)
    return "handshake failed"
