"""The main process of `serve`: workers start anew with settings read again, and a stop is announced before it comes.

- **SIGHUP** reads settings and data files again, all or nothing: when anything is wrong with them it says so and keeps
  the old. Each new worker starts beside the old one, which goes on for ten seconds: a start that takes longer than
  that leaves a gap in which connections are refused.
- **SIGTERM** makes /readyz answer 503 first, so that a load balancer sends no more; the listener closes
  `drain_seconds` later, and requests under way are finished. A second signal, or SIGINT, does not wait.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from threading import Thread, Timer
from typing import TYPE_CHECKING, Any

from granian.server.mp import MPServer

from config import logs
from config.database import database_url
from config.errors import MeStatusError, SettingsError
from config.settings import Settings

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from readapi.front import Front

log = logs.get("serve")


class Loader:
    """Makes the application in a worker, which gets a copy of this with the settings of the moment it was started."""

    def __init__(self, make: Callable[[Settings, Callable[[], bool]], Front], settings: Settings) -> None:
        self._make = make
        self.draining: Event = multiprocessing.get_context("spawn").Event()
        self.settings = settings

    @property
    def settings(self) -> Settings:
        """With the database resolved: workers join the one of this process."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings.model_copy(update={"database_url": database_url(settings)})

    def __call__(self) -> Front:
        return self._make(self._settings, self.draining.is_set)


class MainProcess(MPServer):
    """Granian's main process with what SIGHUP and SIGTERM do here. `read`: the settings as they are now."""

    loader: Loader | None = None
    read: Callable[[], Settings] | None = None
    drain_seconds = 0.0

    def signal_handler_interrupt(self, *arguments: Any, **_: Any) -> None:
        """Ends the server: at once, or after SIGTERM when what sends requests had the time to notice."""
        is_first = self.loader is not None and not self.loader.draining.is_set()
        if self.loader is not None:
            self.loader.draining.set()
        if is_first and self.drain_seconds and arguments[:1] == (signal.SIGTERM,):
            log.info("stopping: /readyz says so, the listener closes soon", seconds=self.drain_seconds)
            closing = Timer(self.drain_seconds, super().signal_handler_interrupt)
            closing.daemon = True
            closing.start()
        else:
            super().signal_handler_interrupt()  # type: ignore[no-untyped-call]

    def signal_handler_reload(self, *_: Any, **__: Any) -> None:
        """Has settings read again, and then the workers started anew."""
        Thread(target=self._read_again, name="reload").start()

    def _read_again(self) -> None:
        if self.loader is None or self.read is None:
            return
        try:
            settings = self.read()
            settings.require("tokens")
            self.loader.settings = settings
        except SettingsError as error:
            log.error("settings not read again: the old ones stay", faults=error.faults)
        except MeStatusError as error:
            log.error("settings not read again: the old ones stay", error=logs.describe(error))
        else:
            log.info("settings read again: workers start anew")
            super().signal_handler_reload()  # type: ignore[no-untyped-call]
