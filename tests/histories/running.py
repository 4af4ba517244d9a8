"""What runs while readers read: jobs, operators and customers at random, and what kills them or their database."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg

from tests.crashes.hand import KILLED, Hand
from tests.histories.stage import Stage

HELD = "select run_id from pipeline.held_run where decision is null order by held_at limit 1"
DOCUMENTS = "select customer_id, cast(document #> '{summary,recentActivity}' as text) from me_status"
USAGE = 2
"""The exit code of a command that was used wrongly, which none is here."""


@dataclass(frozen=True)
class Length:
    """How long a history is, until so many answers or so many seconds, and how much is disturbed.

    `pause`: mean seconds between two acts of one of the troupe; `disturb_seconds`: between two kills of the API, and
    between two losses of the database, of which `failover_share` are failovers and the others crashes. `kill_share`: of
    the commands.
    """

    answers: int
    seconds: float
    readers: int = 64
    customers: int = 24
    pause: float = 3.0
    disturb_seconds: float = 30.0
    kill_share: float = 0.2
    failover_share: float = 0.5


@dataclass
class Tally:
    """What was done, how it ended, and what should not have been."""

    done: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    looked: int = 0
    """Database snapshots in which all documents were looked at together."""
    doubled: Counter[str] = field(default_factory=Counter)
    """Invoices that stood in more than one document, and in how many of those snapshots."""
    wrong: list[str] = field(default_factory=list)


@dataclass
class Troupe:
    """Threads that act until they are stopped."""

    stage: Stage
    seed: int
    length: Length
    tally: Tally = field(default_factory=Tally)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begins all of them."""
        for name, act in (
            ("salesforce", self._sync("sync-salesforce")), ("whmcs", self._sync("sync-whmcs")),
            ("refresh", self._refresh), ("hints", self._hint),
        ):  # fmt: skip
            self._begin(name, self._with_hand(name, act), self.length.pause)
        self._begin("changes", self._change, min(self.length.pause, 0.3))
        self._begin("look", self._look, 0.2)
        self._begin("api", self._kill_api, self.length.disturb_seconds)
        self._begin("database", self._lose_database, self.length.disturb_seconds)

    def stop(self) -> None:
        """Waits for what is under way."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _begin(self, name: str, act: Callable[[Random], None], pause: float) -> None:
        dice = Random(f"{self.seed} {name}")

        def go_on() -> None:
            while not self._stopped.wait(dice.uniform(0.5, 1.5) * pause):
                act(dice)

        thread = threading.Thread(target=go_on, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    # Commands ---------------------------------------------------------------------------------------------------------

    def _with_hand(self, name: str, act: Callable[[Hand, Random], None]) -> Callable[[Random], None]:
        hand = Hand(self.stage.environment, Path(self.stage.folder) / f"{name}.log")
        return lambda dice: act(hand, dice)

    def _run(self, hand: Hand, dice: Random, *words: str) -> None:
        """One command, perhaps killed on its way."""
        name = words[0] if words[0] == "hint" else " ".join(words[:2])
        process = hand.start(*words)
        if dice.random() < self.length.kill_share:
            time.sleep(dice.expovariate(1 / 0.4))
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        code = hand.done()
        if code == KILLED:
            self.tally.killed[name] += 1
        elif code == 1:
            self.tally.failed[name] += 1
        else:
            self.tally.done[name] += 1
        if code == USAGE:
            self.tally.wrong.append(f"{words} ended with {code}")

    def _sync(self, job: str) -> Callable[[Hand, Random], None]:
        return lambda hand, dice: self._run(hand, dice, "run", job, *(["--full"] if dice.random() < 0.3 else []))

    def _refresh(self, hand: Hand, dice: Random) -> None:
        chance = dice.random()
        if chance < 0.1:
            self._run(hand, dice, "rebuild")
        elif chance < 0.2:
            self._run(hand, dice, "announce", "--title", "Works", "--message", "On Sunday.", "--yes")
        elif chance < 0.5 and (held := self._held()):
            self._run(hand, dice, "held", dice.choice(("release", "discard")), held)
        else:
            self._run(hand, dice, "run", "refresh")

    def _held(self) -> str | None:
        with suppress(psycopg.OperationalError), psycopg.connect(self.stage.database_url) as connection:
            row = connection.execute(HELD).fetchone()
            return None if row is None else str(row[0])
        return None

    def _hint(self, hand: Hand, dice: Random) -> None:
        """Somebody is named by the operator, or asks, or is only read again since others were."""
        number = dice.randrange(len(self.stage.sources.customers))
        customer = self.stage.sources.customers[number]
        if dice.random() < 0.5:
            self._run(hand, dice, "hint", dice.choice((customer.account, str(customer.client))))
        else:
            self.tally.done[f"asked to refresh: {self.stage.post('/api/me/refresh', number)}"] += 1
        self._run(hand, dice, "run", "sync-hinted")

    # People -----------------------------------------------------------------------------------------------------------

    def _change(self, dice: Random) -> None:
        self.stage.sources.change()
        if dice.random() < 0.05:
            number = dice.randrange(len(self.stage.tokens))
            self.tally.done[f"read all: {self.stage.post('/api/notifications/read-all', number)}"] += 1

    def _look(self, _: Random) -> None:
        """All documents of one database snapshot: an invoice that changes hands is in one of them."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.stage.database_url) as connection:
            owners: dict[str, set[str]] = {}
            for customer, activity in connection.execute(DOCUMENTS):
                for event in _created(activity):
                    owners.setdefault(event, set()).add(customer)
            self.tally.looked += 1
            self.tally.doubled.update(
                f"{event} in {len(who)} documents" for event, who in owners.items() if len(who) > 1
            )

    # Chaos ------------------------------------------------------------------------------------------------------------

    def _kill_api(self, _: Random) -> None:
        self.stage.kill_api()
        self.tally.killed["serve"] += 1
        self.stage.serve()

    def _lose_database(self, dice: Random) -> None:
        """It crashes and comes back, or its standby takes its place."""
        if dice.random() < self.length.failover_share:
            self.stage.pair.fail_over()
            self.tally.killed["database, failed over"] += 1
        else:
            self.stage.pair.crash()
            self.tally.killed["database"] += 1


def _created(activity: str) -> list[str]:
    return [event["id"] for event in json.loads(activity) if event["type"] == "invoice_created"]
