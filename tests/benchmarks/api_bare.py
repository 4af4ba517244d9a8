"""The bare rival: a WSGI function that does one select of the document for the customer a header names, and no more.

`python -m tests.benchmarks.api_bare TARGET ARGUMENT PORT` serves what TARGET(ARGUMENT) gives, on the server of
`me-status serve` with its settings.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Iterable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import psycopg
from psycopg.types.json import set_json_loads

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SELECT = "select document from me_status where customer_id = %s"


def load(database_url: str) -> WSGIApplication:
    """The function: a connection per thread, the statement prepared, the json column as the bytes stored."""
    local = threading.local()

    def connection() -> psycopg.Connection:
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(database_url, autocommit=True, prepare_threshold=0)
            set_json_loads(_as_stored, local.connection)
        kept: psycopg.Connection = local.connection
        return kept

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        row = connection().execute(SELECT, (environ["HTTP_X_CUSTOMER"],), binary=True).fetchone()
        assert row is not None
        body: bytes = row[0]
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def _as_stored(document: str | bytes) -> bytes:
    return bytes(document) if isinstance(document, bytes) else document.encode()


def loaded(target: str, argument: str) -> WSGIApplication:
    """The application of one worker."""
    module, _, name = target.partition(":")
    application: WSGIApplication = getattr(import_module(module), name)(argument)
    return application


def main() -> None:
    """Serves until SIGTERM."""
    from granian.constants import Interfaces

    from readapi.server import granian_on

    target, argument, port = sys.argv[1:]
    multiprocessing.set_start_method("spawn", force=True)
    server = granian_on("127.0.0.1", int(port), workers=1, interface=Interfaces.WSGI)
    server.serve(target_loader=partial(loaded, target, argument), wrap_loader=False)


if __name__ == "__main__":
    from tests.benchmarks import api_bare

    api_bare.main()
