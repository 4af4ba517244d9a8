"""Every request that goes out ends in time and takes in no more than it may, over real sockets."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest
import requests

from config import outgoing

Peer = Callable[[socket.socket], None]
HEAD = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(bytes(64 * 1024 * 1024))


@contextmanager
def peer(behave: Peer) -> Iterator[str]:
    """The URL of a server that reads a request and then does as it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.recv(65536)
                behave(connection)

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def drip(connection: socket.socket, start: bytes, piece: bytes) -> None:
    connection.sendall(start)
    for _ in range(10_000):
        connection.sendall(piece)
        time.sleep(0.02)


SLOW: dict[str, Peer] = {
    "silent": lambda connection: time.sleep(60),
    "drips its head": lambda connection: drip(connection, HEAD + b"X: ", b"a"),
    "drips its body": lambda connection: drip(connection, HEAD + b"Content-Length: 100000\r\n\r\n", b"a"),
    "drips chunks": lambda connection: drip(connection, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
}
LARGE: dict[str, Peer] = {
    "announces much": lambda connection: connection.sendall(HEAD + b"Content-Length: 9999999\r\n\r\n" + bytes(9999999)),
    "bomb": lambda connection: connection.sendall(
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB
    ),
    "bomb in chunks": lambda connection: connection.sendall(
        HEAD
        + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BOMB)
        + BOMB
        + b"\r\n0\r\n\r\n"
    ),
}


@pytest.mark.parametrize("behave", SLOW.values(), ids=SLOW)
def test_a_request_ends_with_its_time(behave):
    """However the peer drips: connecting, waiting and reading have one deadline together."""
    with peer(behave) as url, pytest.raises(requests.exceptions.RequestException) as caught:
        outgoing.session(seconds=0.5).get(url)
    assert "no answer in time" == outgoing.in_words(caught.value)


@pytest.mark.parametrize("behave", LARGE.values(), ids=LARGE)
def test_an_answer_is_read_up_to_its_bound(behave):
    """As decoded: a small bomb is refused as a large answer is."""
    with peer(behave) as url, pytest.raises(outgoing.TooLarge):
        outgoing.session(seconds=30, largest=1024 * 1024).get(url)


def test_a_good_answer_comes_whole_and_connections_are_kept():
    """Two requests on one connection, each with its time; an answer as large as the bound is good."""
    connections = []

    def behave(connection: socket.socket) -> None:
        connections.append(connection)
        while True:
            connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n" + b"a" * 1000)
            if not connection.recv(65536):
                return

    with peer(behave) as url:
        session = outgoing.session(seconds=30, largest=1000)
        assert [b"a" * 1000] * 2 == [session.get(url).content for _ in range(2)]
    assert 1 == len(connections)


def test_nothing_of_the_environment_changes_the_way(monkeypatch):
    """No proxy, no credentials of a netrc, no other certificates but those of SSL_CERT_FILE."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/private-ca.pem")
    session = outgoing.session(seconds=30)
    assert (False, "/etc/private-ca.pem") == (session.trust_env, session.verify)
    with peer(lambda connection: connection.sendall(HEAD + b"Content-Length: 0\r\n\r\n")) as url:
        assert 200 == session.get(url).status_code


def test_a_certificate_that_is_not_accepted_is_said_to_be(tmp_path):
    """A TLS failure reads as one, with OpenSSL's reason and the remedy."""
    with (
        peer(lambda connection: connection.sendall(b"not TLS at all")) as url,
        pytest.raises(requests.exceptions.SSLError) as caught,
    ):
        outgoing.session(seconds=30).get(url.replace("http://", "https://"))
    assert "the TLS certificate was not accepted (" in outgoing.in_words(caught.value)
    assert "SSL_CERT_FILE" in outgoing.in_words(caught.value)
