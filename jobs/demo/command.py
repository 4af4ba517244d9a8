"""`me-status demo`: the whole job for some scripted days, on stand-ins of both sources and a database of its own."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console

from config import database, logs
from config.errors import MeStatusError, SettingsError
from config.settings import Settings
from config.types import TASK_TYPES
from jobs import progress
from jobs.demo import live, report
from jobs.demo import play as script
from jobs.demo.live import Acted
from jobs.demo.portal.app import Portal, create
from jobs.demo.portal.hints import following
from jobs.demo.stage import ZONE, Stage, set_up
from jobs.program import FAILED, SUCCESS, answer
from jobs.sandbox.clock import WallClock
from jobs.sandbox.population import Population
from jobs.sandbox.scenario import MOST_DAYS
from jobs.sandbox.server import StandIn

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

FEWEST, MOST = 10, 1_000_000
PORT, PORTAL_PORT = 8000, 8080
PLAIN_WIDTH = 160
"""Columns of output that goes to no terminal."""
SEED = 1


@dataclass(frozen=True)
class Doors:
    """The read API, handed in by the command line: how to serve it, and the application itself."""

    serve: Callable[[Settings, str, int], None]
    load: Callable[[Settings], WSGIApplication]


def run(home: Path, doors: Doors, *, customers: int, days: int, once: bool, as_json: bool = False) -> int:
    """Plays the days, says what happened and where to look, then serves until interrupted, or not when `once`.

    0 when all twelve notification types and six tasks occurred and no run failed, else 1. Only `home`/demo is touched.
    Raises SettingsError for a size or number of days there is no script for.
    """
    _check(customers, days)
    logs.configure(level=logging.WARNING)
    console = Console(
        file=sys.stdout, quiet=as_json, highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH
    )
    zone = ZoneInfo(ZONE)
    start = datetime.now(UTC).astimezone(zone).date() - timedelta(days=days)
    with set_up(home / "demo", Population(customers, SEED, start, zone), days) as stage:
        play = _play(stage, days, console)
        return _show(stage, play, doors, console, once=once, as_json=as_json)


def _check(customers: int, days: int) -> None:
    faults = []
    if not FEWEST <= customers <= MOST:
        faults.append(f"--customers {customers}: give a number from {FEWEST} to {MOST:,}")
    if not 1 <= days <= MOST_DAYS:
        faults.append(f"--days {days}: the script has 1 to {MOST_DAYS} days")
    if faults:
        raise SettingsError(faults)


def _play(stage: Stage, days: int, console: Console) -> script.Play:
    report.opening(console, stage, days)
    play = script.Play()
    for number in range(days):
        on = stage.population.start + timedelta(days=number)
        with progress.shown() as bars:
            played = script.play_day(stage, play, on, bars, is_last=number == days - 1)
        report.day(console, number + 1, played)
    with progress.shown() as bars:
        report.day(console, None, script.catch_up(stage, play, bars))
    report.totals(console, play)
    return play


def _show(stage: Stage, play: script.Play, doors: Doors, console: Console, *, once: bool, as_json: bool) -> int:
    customer = play.customer
    if customer is None:
        raise MeStatusError("the demo ended without any customer in me_status; see the failed runs above")
    token = report.token_for(stage, customer)
    url = database.database_url(stage.program.settings)
    document, acted = _ask(stage, doors, token, url)
    report.tasks(console, customer, document)
    report.acted(console, acted)
    port = _free_port(PORT)
    report.where_to_look(console, stage, token, url, port, once=once)
    if as_json:
        answer(_as_json(stage, play, customer, document, url) | {"acted": [vars(one) for one in acted]})
    if not once:
        _serve(stage, doors, console, port)
    return FAILED if play.missing or play.failed else SUCCESS


def _serve(stage: Stage, doors: Doors, console: Console, port: int) -> None:
    """The API and, beside it, the portal to look at, whose hints are followed as `schedule` does; until interrupted."""
    api = f"http://127.0.0.1:{port}"
    portal = Portal(stage, api)
    with StandIn(create(portal), WallClock(), port=_free_port(PORTAL_PORT)) as served, following(portal):
        settings = stage.program.settings.model_copy(update={"me_status_cors_origins": served.url})
        console.print(f"\nServing on {api} until Ctrl-C. Look at it as a customer: [bold]{served.url}[/bold]")
        doors.serve(settings, "127.0.0.1", port)


def _ask(stage: Stage, doors: Doors, token: str, url: str) -> tuple[dict[str, Any], list[Acted]]:
    """One GET /api/me/status over HTTP, then what customers did. Raises MeStatusError when it does not answer 200."""
    application = doors.load(stage.program.settings.model_copy(update={"database_url": url}))
    with StandIn(application, WallClock()) as api:
        answered = httpx.get(
            f"{api.url}/api/me/status", headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )
        if answered.status_code != httpx.codes.OK:
            raise MeStatusError(f"GET /api/me/status answered {answered.status_code}: {answered.text[:200]}")
        document: dict[str, Any] = answered.json()
        return document, live.act(Portal(stage, api.url))


def _as_json(stage: Stage, play: script.Play, customer: str, document: dict[str, Any], url: str) -> dict[str, Any]:
    return {
        "customers": stage.population.customers,
        "days": [
            {
                "date": day.on,
                "events": day.events,
                "runs": day.runs,
                "records": dict(day.records),
                "sent": dict(day.sent),
                "suppressed": day.suppressed,
                "resolved": day.resolved,
                "operator": day.operator,
                "seconds": round(day.seconds, 2),
            }
            for day in play.days
        ],
        "notifications": play.notifications,
        "tasks": {task: play.tasks.get(task, 0) for task in TASK_TYPES},
        "tasksSeen": sorted(play.tasks_seen),
        "missing": play.missing,
        "failed": play.failed,
        "databaseUrl": url,
        "customer": customer,
        "status": document,
    }


def _free_port(wanted: int) -> int:
    """The wanted port of 127.0.0.1, or any free one when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted
