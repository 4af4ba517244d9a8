"""Two stand-ins, a database on a server of the tests' own, and a script of what happens and what is run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import make_url

from jobs.migrate import migrate
from jobs.sandbox import salesforce, scenario, whmcs
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from tests.conftest import settings_for
from tests.crashes.hand import Hand
from tests.crashes.points import Points
from tests.crashes.server import Server

ZONE = ZoneInfo("Asia/Tokyo")
START = date(2026, 11, 16)
DAYS = 2
VANISHING = 5
ANNOUNCEMENT = ("announce", "--title", "Maintenance", "--message", "On Sunday.", "--yes")


@dataclass(frozen=True)
class Step:
    """One command at one instant; `happens`: the sources move up to the instant first."""

    words: tuple[str, ...]
    at: datetime
    as_of: datetime

    @property
    def command(self) -> tuple[str, ...]:
        return (*self.words, "--as-of", self.as_of.isoformat())

    @property
    def refresh(self) -> tuple[str, ...]:
        """A refresh at the same instant."""
        return ("run", "refresh", "--as-of", self.as_of.isoformat())


@dataclass
class Stage:
    """Everything one play needs."""

    name: str
    server: Server
    database_url: str
    population: Population
    script: list[scenario.Event]
    clock: SimulatedClock
    org: salesforce.SalesforceOrg
    install: whmcs.WhmcsInstall
    hand: Hand
    points: Points

    def happens(self, until: datetime) -> None:
        """Lets everything of the script up to `until` happen in the sources."""
        while self.script and self.script[0].at <= until:
            event = self.script.pop(0)
            self.clock.advance_to(event.at)
            event.apply(self.org, self.install)
        self.clock.advance_to(until)
        if until == scenario.run_instants(self.population, DAYS)[4]:
            self._lose_services()

    def _lose_services(self) -> None:
        """Some services vanish without a trace, so that the shrink gate holds their removal."""
        services = self.install.tables["services"]
        for key in list(services.keys())[:VANISHING]:
            services.remove(key)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """What the database answers."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return list(connection.execute(query))  # type: ignore[arg-type]


def steps(population: Population) -> list[Step]:
    """What is run: everything at each instant of the script, whole readings and rebuilds in between, a late prune."""
    planned = []
    instants = scenario.run_instants(population, DAYS)
    for number, instant in enumerate(instants):
        whole = ("--full",) if number % 3 == 2 else ()
        planned.append(Step(("run", "all", *whole), instant, instant))
        if number % 3 == 1:
            planned.append(Step(("rebuild",), instant, instant + timedelta(minutes=1)))
        if number == 5:
            planned.append(Step(ANNOUNCEMENT, instant, instant + timedelta(minutes=1)))
    late = instants[-1] + timedelta(days=800)
    planned.append(Step(("run", "prune", "--yes"), instants[-1], late))
    return planned


@contextmanager
def set_up(name: str, server: Server, folder: Path, customers: int) -> Iterator[Stage]:
    """A stage on a fresh database of the server, its clock an hour before the first instant."""
    folder.mkdir(parents=True, exist_ok=True)
    population = Population(customers, 7, START, ZONE)
    script = scenario.events(population, DAYS)
    clock = SimulatedClock(script[0].at - timedelta(hours=1))
    org = salesforce.SalesforceOrg(clock, tables=population.salesforce_tables())
    org.track_history()
    install = whmcs.WhmcsInstall(clock, zone=ZONE, tables=population.whmcs_tables())
    url = fresh_database(server.url, name)
    with salesforce.serve(org) as crm, whmcs.serve(install) as billing:
        environment = settings(org, install, crm.url, billing.url, folder) | {"DATABASE_URL": url}
        points = Points(url)
        points.set_up()
        with Hand(environment, folder / f"{name}.log") as hand:
            yield Stage(name, server, url, population, script, clock, org, install, hand, points)
        points.close()


def fresh_database(server_url: str, name: str) -> str:
    """URL of a new database at the current schema."""
    from config.database import connect

    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')  # type: ignore[arg-type]
    url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
    engine = connect(settings_for(url))
    migrate(engine)
    engine.dispose()
    return url


def settings(
    org: salesforce.SalesforceOrg, install: whmcs.WhmcsInstall, crm: str, billing: str, folder: Path
) -> dict[str, str]:
    """An environment that leads to the stand-ins, with small windows and batches and a low flood gate."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ
    }
    return kept | {
        "ME_STATUS_TIMEZONE": ZONE.key,
        "SALESFORCE_INSTANCE_URL": crm,
        "SALESFORCE_CONSUMER_KEY": org.consumer_key,
        "SALESFORCE_CONSUMER_SECRET": org.consumer_secret,
        "WHMCS_URL": billing,
        "WHMCS_IDENTIFIER": install.identifier,
        "WHMCS_SECRET": install.secret,
        "ME_STATUS_SCHEDULE": str(_laid_over(folder, "schedule.toml", SMALL)),
        "ME_STATUS_NOTIFICATIONS": str(_laid_over(folder, "notifications.toml", LOW_FLOOR)),
    }


def _laid_over(folder: Path, name: str, text: str) -> Path:
    """A data file laid over the packaged one of that name."""
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


SMALL = """
[limits]
window_rows = 15
batch_customers = 7
attempts = 2

[shrink_gate]
rows = 2
"""
LOW_FLOOR = """
[flood_gate]
floor = 2
"""
