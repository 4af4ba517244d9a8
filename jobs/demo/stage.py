"""The demo's stage: both stand-ins, an embedded database of its own, and settings that lead to nothing else."""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine, create_engine

import sql
from config import database, tables
from config.embedded import embedded_url
from config.errors import MeStatusError
from config.settings import GivenSettings
from jobs import migrate
from jobs.program import Program
from jobs.sandbox import salesforce, scenario, whmcs
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from jobs.sandbox.salesforce.schema import Field
from jobs.sandbox.scenario import Event

ZONE = "Asia/Tokyo"
ISSUER, AUDIENCE = "https://portal.example.jp", "me-status"
LANGUAGE = "Preferred_Language__c"
"""The Account field that names a customer's language; en where it is empty."""
SETTING_UP = timedelta(hours=1)


@dataclass(frozen=True)
class Stage:
    """Everything one demo plays with; `engine` is on a fresh database at the current schema."""

    program: Program
    engine: Engine
    clock: SimulatedClock
    org: salesforce.SalesforceOrg
    install: whmcs.WhmcsInstall
    population: Population
    script: tuple[Event, ...]
    runs: tuple[datetime, ...]

    def happens(self, until: datetime) -> list[str]:
        """Lets everything of the script up to `until` happen, and says what."""
        happened = []
        for event in self.script:
            if self.clock.now() < event.at <= until:
                self.clock.advance_to(event.at)
                happened += self._all_at(event.at)
        self.clock.advance_to(max(until, self.clock.now()))
        return happened

    def _all_at(self, instant: datetime) -> list[str]:
        now = [event for event in self.script if event.at == instant]
        for event in now:
            event.apply(self.org, self.install)
        return [event.says for event in now if event.says]


@contextmanager
def set_up(home: Path, population: Population, days: int) -> Iterator[Stage]:
    """A stage whose clock stands an hour before the first run; taken down at the end of the block.

    Raises MeStatusError when another demo plays in the same home, or the database cannot start.
    """
    runs = tuple(scenario.run_instants(population, days))
    clock = SimulatedClock(runs[0] - SETTING_UP)
    org = salesforce.SalesforceOrg(clock, tables=population.salesforce_tables())
    org.add_field("Account", Field(LANGUAGE, "picklist", picklist=("en", "ja")))
    install = whmcs.WhmcsInstall(clock, zone=population.zone, tables=population.whmcs_tables())
    with _alone(home), salesforce.serve(org) as salesforce_url, whmcs.serve(install) as whmcs_url:
        settings = _settings(home, org, install, salesforce_url.url, whmcs_url.url)
        _empty_database(home)
        engine = database.connect(settings)
        try:
            migrate.migrate(engine)
            program = Program(settings, _with_language(tables.load(settings)))
            yield Stage(
                program, engine, clock, org, install, population, tuple(scenario.events(population, days)), runs
            )
        finally:
            engine.dispose()


def _with_language(loaded: tables.Tables) -> tables.Tables:
    mapping = loaded.mapping
    account = mapping.account.model_copy(update={"language": LANGUAGE})
    return replace(loaded, mapping=mapping.model_copy(update={"account": account}))


def _settings(
    home: Path, org: salesforce.SalesforceOrg, install: whmcs.WhmcsInstall, salesforce_url: str, whmcs_url: str
) -> GivenSettings:
    return GivenSettings(
        me_status_home=home,
        me_status_timezone=ZONE,
        salesforce_instance_url=salesforce_url,
        salesforce_consumer_key=org.consumer_key,
        salesforce_consumer_secret=SecretStr(org.consumer_secret),
        whmcs_url=whmcs_url,
        whmcs_identifier=install.identifier,
        whmcs_secret=SecretStr(install.secret),
        me_status_jwt_key=SecretStr(secrets.token_urlsafe(48)),
        me_status_jwt_issuer=ISSUER,
        me_status_jwt_audience=AUDIENCE,
        me_status_ops_token=SecretStr(secrets.token_urlsafe(32)),
    )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MeStatusError(
                f"another demo runs in {home}; stop it, or set ME_STATUS_HOME to another folder"
            ) from None
        yield


def _empty_database(home: Path) -> None:
    """Drops what an earlier demo left, by way of the maintenance database."""
    url = embedded_url(home).replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    beside = create_engine(engine.url.set(database="template1"), isolation_level="AUTOCOMMIT")
    engine.dispose()
    try:
        with beside.connect() as connection:
            connection.execute(sql.statement("demo/drop_demo_database"))
            connection.execute(sql.statement("demo/create_demo_database"))
    finally:
        beside.dispose()
