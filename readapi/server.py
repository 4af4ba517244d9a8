"""`me-status serve`: the read API under granian."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from functools import partial
from typing import TYPE_CHECKING

from granian.constants import Interfaces
from granian.server.mp import MPServer

from config.database import database_url
from config.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

THREADS = 4
"""Requests one worker has under way at once; each has a connection of its own."""
STOP_SECONDS = 10


def serve(settings: Settings, host: str = "127.0.0.1", port: int = 8000, workers: int = 1) -> None:
    """Serves until SIGTERM or SIGINT, then finishes the requests under way. Access is not logged.

    The embedded database, where that is the one, is started here and belongs to this process; workers join it.
    Raises SettingsError when tokens cannot be verified, MeStatusError when the embedded database cannot start.
    """
    settings.require("tokens")
    resolved = settings.model_copy(update={"database_url": database_url(settings)})
    multiprocessing.set_start_method("spawn", force=True)  # a fork would take threads and pools of ours half along
    with tempfile.TemporaryDirectory(prefix="me-status-metrics-") as folder:
        if workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        granian_on(host, port, workers).serve(target_loader=partial(load, resolved), wrap_loader=False)


def load(settings: Settings) -> Flask:
    """The application of one worker process."""
    from readapi.app import create_app

    return create_app(settings)


def granian_on(host: str, port: int, workers: int) -> MPServer:
    """The server with its settings; its `serve` takes the loader of an application."""
    return MPServer(
        "readapi.server:load",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_access=False,
        process_name=None,
    )
