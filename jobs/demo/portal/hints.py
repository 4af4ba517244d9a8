"""What `me-status schedule` does with hints, at the demo's time: whoever is named is read again within a second."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from config import logs
from config.types import HINTED
from jobs.demo.portal.app import Portal
from jobs.runs import hinted
from jobs.runs.ledger import RunOptions
from jobs.runs.run import by_hand

log = logs.get("demo")
LOOK_SECONDS = 0.3


@contextmanager
def following(portal: Portal) -> Iterator[None]:
    """Hints are followed by a thread of its own for the block, and one that is being followed is finished."""
    stop = threading.Event()
    thread = threading.Thread(target=_follow, args=(portal, stop), name="hints")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _follow(portal: Portal, stop: threading.Event) -> None:
    while not stop.wait(LOOK_SECONDS):
        try:
            follow_once(portal)
        except Exception as error:  # noqa: BLE001, the demo goes on; the next look tries again
            log.warning("hints are not followed for the moment", error=logs.describe(error))


def follow_once(portal: Portal) -> None:
    """Reads again whom the waiting hints name."""
    stage = portal.stage
    if hinted.is_waiting(stage.engine, stage.program.tables.schedule.hints):
        with portal.lock:
            by_hand(stage.engine, stage.program, HINTED, RunOptions(), portal.clock.now())
