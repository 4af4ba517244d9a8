"""The shadow check raises no false alarm: both sources move, every job runs, and documents are what their facts give.

`ME_STATUS_SHADOW_CHECKS=100000` makes it long, `ME_STATUS_SEED` another history (docs/proof.md).
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from sqlalchemy import Engine, text

from config import tables
from config.database import LiveDatabase
from config.schedule import ShadowCheck
from config.settings import Settings
from jobs.runs.dispatch import rules
from materializer.refresh.shadow import check
from materializer.units import At
from tests.end_to_end.stage import Done, Stage

CHECKS = int(os.environ.get("ME_STATUS_SHADOW_CHECKS", "60"))
SEED = int(os.environ.get("ME_STATUS_SEED", "16"))
CUSTOMERS = 8 if CHECKS < 1000 else 250
EVERYBODY = ShadowCheck(customers=1000, hours=24)
SPANS = (
    timedelta(seconds=20),
    timedelta(minutes=7),
    timedelta(hours=1),
    timedelta(hours=9),
    timedelta(days=1),
    timedelta(days=4),
)
JOBS = ("sync-salesforce", "sync-whmcs", "all", "all", "all --full", "hinted", "hinted", "rebuild", "announce")


@dataclass
class Checker:
    """Compares all documents at the stand-ins' instant; `counts` are the documents compared, by when.

    How many are compared beside jobs depends on the machine, so the length of a history does not depend on those.
    """

    stage: Stage
    engine: Engine
    counts: Counter[str] = field(default_factory=Counter)
    beside_jobs: int = 0

    def __post_init__(self) -> None:
        settings = Settings(_env_file=None)  # type: ignore[call-arg]
        self.rules = rules(settings, tables.load(settings))

    def check(self, when: str) -> None:
        """Compares. Raises AssertionError when a document differs."""
        self.counts[when] += self._checked()

    def _checked(self) -> int:
        with self.engine.connect() as connection:
            run = connection.execute(text("select max(run_id) from job_run")).scalar_one()
        found = check(LiveDatabase(self.engine), self.rules, At(run, self.stage.clock.now()), EVERYBODY)
        assert 0 == found.differing, self._differences()
        return found.checked

    def _differences(self) -> str:
        with self.engine.connect() as connection:
            return str(connection.execute(text("select * from pipeline.document_difference")).mappings().all())

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Checks again and again, in a thread, while the block runs."""
        stopped, failures = threading.Event(), list[BaseException]()

        def go_on() -> None:
            try:
                while not stopped.wait(0.1):
                    self.beside_jobs += self._checked()
            except BaseException as error:  # noqa: BLE001, raised below, by the test's own thread
                failures.append(error)

        thread = threading.Thread(target=go_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()
        if failures:
            raise failures[0]


class Life:
    """What customers and staff do, by the dice."""

    def __init__(self, stage: Stage, dice: Random) -> None:
        self.stage, self.dice = stage, dice
        self.org, self.install = stage.org, stage.install
        self.orders = [self._new_order(account) for account in stage.customers]
        self.cases = [self._new_case(account) for account in stage.customers]
        self.services = [self.install.add_service(client) for client in self._clients]
        self.deleted: list[str] = []
        for client in self._clients:
            self.bills(client)

    @property
    def _clients(self) -> range:
        return range(1, CUSTOMERS + 1)

    def goes_on(self) -> None:
        """One thing happens to one customer."""
        what = self.dice.choice((self.pays, self.pays, self.moves, self.card, self.account, self.link, self.order,
                                 self.case, self.service, self.comes_or_goes, self.bills))  # fmt: skip
        what(self.dice.choice(self._clients))

    def bills(self, client: int) -> None:
        due = self.stage.clock.now().date() + timedelta(days=self.dice.choice((-30, -1, 0, 1, 6, 7, 8, 40)))
        self.stage.add_due_invoices(1, client, due)

    def pays(self, client: int) -> None:
        """An invoice of theirs, or a part of it, which only GetInvoice says."""
        if not (unpaid := self._unpaid(client)):
            self.bills(client)
        elif self.dice.random() < 0.7:
            self.install.pay_invoice(self.dice.choice(unpaid))
        else:
            self.install.tables["invoices"].change(self.dice.choice(unpaid), balance=f"{self.dice.randrange(3300)}.00")

    def moves(self, client: int) -> None:
        """An invoice changes hands."""
        if unpaid := self._unpaid(client):
            self.install.tables["invoices"].change(self.dice.choice(unpaid), userid=self.dice.choice(self._clients))

    def card(self, client: int) -> None:
        held = [row["id"] for row in self.install.lookups["pay_methods"].rows_of(client)]
        if held and self.dice.random() < 0.5:
            self.install.remove_pay_method(held[0])
        else:
            self.install.add_pay_method(client)

    def account(self, client: int) -> None:
        eligibility = self.dice.choice((None, "Pending", "Eligible", "Ineligible", "Perhaps"))
        verification = self.dice.choice((None, "Submitted", "Verified", "Rejected"))
        self._update(client, Internet_Eligibility_Status__c=eligibility, Id_Verification_Status__c=verification)

    def link(self, client: int) -> None:
        """The account names no client, somebody else's, one that is not there, what is not a number, or its own."""
        other = self.dice.choice(self._clients)
        self._update(client, WHMCS_Client_Id__c=self.dice.choice((None, other, 99999, "none", client, client, client)))

    def order(self, client: int) -> None:
        status = self.dice.choice(("Draft", "Approved", "Activated", "Completed", "Cancelled"))
        activation = self.dice.choice((None, "Activated", "Failed"))
        self.org.update("Order", self.orders[client - 1], Status=status, Activation_Status__c=activation)

    def case(self, client: int) -> None:
        is_closed = self.dice.random() < 0.5
        self.org.update("Case", self.cases[client - 1], IsClosed=is_closed, Status="Closed" if is_closed else "New")

    def service(self, client: int) -> None:
        status = self.dice.choice(("Active", "Suspended", "Cancelled", "Terminated", "Pending"))
        self.install.set_service_status(self.services[client - 1], status)

    def comes_or_goes(self, client: int) -> None:
        """An account is deleted, or one comes back from the bin."""
        account = self.stage.customers[client - 1]
        if self.deleted:
            self.org.undelete("Account", self.deleted.pop())
        else:
            self.org.delete("Account", account)
            self.deleted.append(account)

    def _update(self, client: int, **fields: object) -> None:
        account = self.stage.customers[client - 1]
        if account not in self.deleted:
            written = {name: None if value is None else str(value) for name, value in fields.items()}
            self.org.update("Account", account, **written)

    def _unpaid(self, client: int) -> list[int]:
        rows = self.install.lookups["invoices"].rows_of(client)
        return [row["id"] for row in rows if row["status"] == "Unpaid"]

    def _new_order(self, account: str) -> str:
        return self.org.insert("Order", AccountId=account, EffectiveDate=self.stage.clock.now().date())

    def _new_case(self, account: str) -> str:
        return self.org.insert("Case", AccountId=account, Subject="No signal", Status="New", IsClosed=False)


def run(stage: Stage, job: str, dice: Random) -> Done:
    """One job as of the stand-ins' clock."""
    if job == "rebuild":
        return stage.me_status("rebuild", "--as-of", stage.now)
    if job == "announce":
        return stage.me_status("announce", "--title", "Works", "--message", "On Sunday", "--yes")
    if job == "hinted":
        stage.me_status("hint", *dice.sample(stage.customers, 3), *dice.sample(range(1, CUSTOMERS + 9), 3))
        return stage.run("sync-hinted")
    return stage.run(*job.split())


def decide(stage: Stage, dice: Random) -> None:
    """What a gate holds goes on or is dropped, or waits."""
    for held in stage.me_status("held", "list", "--json").answer["held"]:
        action = dice.choice(("release", "discard", "wait"))
        if action != "wait":
            assert stage.me_status("held", action, held["runId"], "--as-of", stage.now).code in (0, 3)


def test_no_document_is_said_to_differ_that_does_not(
    stage: Stage, engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    """After jobs, before refreshes and beside them, as time goes on: whoever is compared is what the facts give."""
    dice = Random(SEED)
    stage.add_customers(CUSTOMERS)
    life, checker = Life(stage, dice), Checker(stage, engine)
    stage.run("all")
    jobs = Counter[str]()
    while sum(checker.counts.values()) < CHECKS:
        for _ in range(dice.randint(1, max(3, CUSTOMERS // 8))):
            life.goes_on()
        stage.clock.advance_to(stage.clock.now() + dice.choice(SPANS))
        checker.check("as time went on")
        for job in (dice.choice(JOBS), "refresh"):
            with checker.beside():
                done = run(stage, job, dice)
            assert done.code in (0, 3), f"{job}: {done.err}"
            jobs[job] += 1
            checker.check(f"after {'a refresh' if job == 'refresh' else 'a job'}")
        decide(stage, dice)
    compared = ", ".join(f"{count:,} {when}" for when, count in checker.counts.items())
    record_property(
        "figure",
        f"shadow checks, seed {SEED}, {CUSTOMERS} customers: {compared}, {checker.beside_jobs:,} beside; {dict(jobs)}",
    )
