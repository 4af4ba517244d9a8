"""The operator's seat in tests: commands run in this process against stand-ins of both sources."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from config.settings import Settings
from jobs.__main__ import main
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.whmcs import WhmcsInstall

TOKYO = ZoneInfo("Asia/Tokyo")
START = datetime(2026, 3, 10, 0, 0, tzinfo=UTC)
"""2026-03-10 09:00 in Tokyo."""
DUE = date(2026, 3, 12)


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code and what it wrote to either stream."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


@dataclass
class Stage:
    """Both stand-ins, the settings that lead to them, and the command line."""

    clock: SimulatedClock
    org: SalesforceOrg
    install: WhmcsInstall
    environment: dict[str, str]
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    customers: list[str] = field(default_factory=list)

    def prepare(self, folder: Path) -> None:
        """Works in the folder with these settings and no others."""
        self.monkeypatch.chdir(folder)
        for name in Settings.model_fields:
            self.monkeypatch.delenv(name.upper(), raising=False)
        for name, value in self.environment.items():
            self.monkeypatch.setenv(name, value)

    def me_status(self, *words: object) -> Done:
        """Runs the command as it is written."""
        self.capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as wrong_use:
            code = int(wrong_use.code or 0)
        written = self.capsys.readouterr()
        return Done(code, written.out, written.err)

    def run(self, job: str, *words: object) -> Done:
        """One run as of the stand-ins' clock."""
        return self.me_status("run", job, "--as-of", self.now, *words)

    @property
    def now(self) -> str:
        return self.clock.now().isoformat().replace("+00:00", "Z")

    def later(self, **span: float) -> None:
        self.clock.advance_to(self.clock.now() + timedelta(**span))

    def add_customers(self, count: int, **fields: Any) -> list[str]:
        """Accounts, each linked to a client of its own that has one card."""
        added = []
        with self.org.open_transaction() as step:
            for _ in range(count):
                client = self.install.add_client()
                self.install.add_pay_method(client)
                added.append(step.insert("Account", Name="Sato", WHMCS_Client_Id__c=str(client), **fields))
        self.customers += added
        return added

    def add_due_invoices(self, count: int, client: int = 1, due: date = DUE) -> list[int]:
        return [self.install.add_invoice(client, total="3300.00", duedate=due) for _ in range(count)]

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """What the database answers."""
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            return list(connection.execute(question))  # type: ignore[call-overload]

    def everything(self) -> dict[str, list[str]]:
        """Every row of every table as text, sequences aside: to compare before and after."""
        tables = self.rows(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema') order by 1"
        )
        return {name: [row for (row,) in self.rows(f"select t::text from {name} t order by 1")] for (name,) in tables}


def environment(org: SalesforceOrg, install: WhmcsInstall, salesforce_url: str, whmcs_url: str) -> dict[str, str]:
    """The settings that lead to the stand-ins."""
    return {
        "ME_STATUS_TIMEZONE": TOKYO.key,
        "SALESFORCE_INSTANCE_URL": salesforce_url,
        "SALESFORCE_CONSUMER_KEY": org.consumer_key,
        "SALESFORCE_CONSUMER_SECRET": org.consumer_secret,
        "WHMCS_URL": whmcs_url,
        "WHMCS_IDENTIFIER": install.identifier,
        "WHMCS_SECRET": install.secret,
    }
