"""`me-status serve`: the read API under granian."""

from __future__ import annotations

import errno
import gc
import multiprocessing
import os
import resource
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from config import logs, scratch
from config.errors import MeStatusError
from config.settings import Settings
from readapi.main_process import Loader, MainProcess

if TYPE_CHECKING:
    from flask import Flask

    from readapi.front import Front

THREADS = 4
"""Requests one worker has in its threads at once; each thread has a connection of its own."""
CONNECTIONS = 4096
"""Connections of peers that one worker holds; further ones wait in the kernel's queue."""
HEADER_SECONDS = 10
"""A connection ends when no whole request head came for so long: at its start, and between two requests."""
LARGEST_HEAD = 32 * 1024
STOP_SECONDS = 10
TAKE_OVER_SECONDS = 10
"""How long an old worker goes on beside the new one that is starting, when settings are read again."""


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    *,
    drain_seconds: float = 0,
    read: Callable[[], Settings] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then finishes the requests under way. Access is not logged.

    After SIGTERM /readyz answers 503 for `drain_seconds` before the listener closes. `read` gives the settings anew
    on SIGHUP.

    The embedded database, where that is the one, is started here and belongs to this process; workers join it.
    Raises SettingsError when tokens cannot be verified, MeStatusError when the embedded database cannot start or the
    port is taken.
    """
    settings.require("tokens")
    loader = Loader(front, settings)
    require_free(host, port)
    _allow_open_files(CONNECTIONS + 256)
    multiprocessing.set_start_method("spawn", force=True)  # a fork would take threads and pools of ours half along
    with scratch.folder("metrics") as folder:
        if workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        server = granian_on(host, port, workers)
        server.loader, server.read, server.drain_seconds = loader, read, drain_seconds
        server.serve(target_loader=loader, wrap_loader=False)  # type: ignore[arg-type]  # RSGI calls what it returns


def load(settings: Settings) -> Flask:
    """The application alone, for a WSGI server of the caller's."""
    from readapi.app import create_app

    return create_app(settings)


def front(settings: Settings, is_draining: Callable[[], bool]) -> Front:
    """The application of one worker process, behind what guards its threads."""
    from readapi.app import create_front

    logs.configure(settings)
    made = create_front(settings, threads=THREADS, is_draining=is_draining)
    gc.collect()
    gc.freeze()  # a look through all that was imported is 150 ms in which nobody is answered, and it finds nothing
    return made


def granian_on(host: str, port: int, workers: int, interface: Interfaces = Interfaces.RSGI) -> MainProcess:
    """The server with its settings; its `serve` takes the loader of an application."""
    return MainProcess(
        "readapi.server:front",
        address=host,
        port=port,
        interface=interface,
        workers=workers,
        blocking_threads=THREADS if interface == Interfaces.WSGI else None,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=LARGEST_HEAD),
        websockets=False,
        backpressure=CONNECTIONS,
        respawn_failed_workers=True,
        respawn_interval=TAKE_OVER_SECONDS,
        workers_kill_timeout=STOP_SECONDS,
        log_access=False,
        log_dictconfig=logs.AS_OURS,
        process_name=None,
    )


def require_free(host: str, port: int) -> None:
    """Raises MeStatusError when the address cannot be listened on: taken, reserved, or not of this machine."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise MeStatusError(_in_words(error, host, port)) from None


def _in_words(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; stop what listens there, or give another --port"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} needs more rights than this user has; give a --port from 1024 on"
    return f"{host} is not an address of this machine; give another --host"


def _allow_open_files(wanted: int) -> None:
    """Raises this process's own limit as far as the system allows: the usual 1,024 are fewer than the connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
