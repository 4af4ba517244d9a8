"""Over all documents of one database snapshot: the balances sum to the source's, and an invoice is in exactly one.

`ME_STATUS_ROUNDS=2000 ME_STATUS_READERS=16` makes it long, `ME_STATUS_SEED` another one (docs/proof.md).
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

import pytest
import stamina
from sqlalchemy import Engine, text

from tests.whmcs_world import World

ROUNDS = int(os.environ.get("ME_STATUS_ROUNDS", "4"))
READERS = int(os.environ.get("ME_STATUS_READERS", "3"))
SEED = int(os.environ.get("ME_STATUS_SEED", "16"))
CLIENTS = 5
Seen = tuple[Decimal, frozenset[str]]
"""What all documents say together: the sum of what is due, and the invoices, each once."""


@dataclass
class Reader:
    """Reads all documents of one database snapshot, again and again, and notes each answer but repetitions."""

    engine: Engine
    stopped: threading.Event
    seen: list[Seen] = field(default_factory=list)
    doubled: list[Counter[str]] = field(default_factory=list)
    answers: int = 0

    def read(self) -> None:
        while not self.stopped.wait(0.005):
            found, doubled = together(self.engine)
            self.answers += 1
            if doubled:
                self.doubled.append(doubled)
            if not self.seen or found != self.seen[-1]:
                self.seen.append(found)


def together(engine: Engine) -> tuple[Seen, Counter[str]]:
    """All documents of one statement, which is one snapshot; and the invoices that stand in more than one."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("select amount_due, cast(document #> '{summary,recentActivity}' as text) as activity from me_status")
        ).all()
    events = Counter(event for row in rows for event in _invoices(row.activity))
    due = sum((row.amount_due for row in rows), Decimal())
    return (due, frozenset(events)), Counter({event: count for event, count in events.items() if count > 1})


def _invoices(activity: str) -> list[str]:
    return [event["id"] for event in json.loads(activity) if event["type"] == "invoice_created"]


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    """Five clients with two unpaid invoices each, pulled and refreshed once."""
    world = World(engine)
    world.empty("cancellation", "service", "invoice", "client")
    for _ in range(CLIENTS):
        client = world.install.add_client()
        for _ in range(2):
            world.install.add_invoice(client)
    world.claim_clients()
    with stamina.set_testing(True, attempts=3, cap=True):
        world.sync(accept_shrink=True)
        world.refresh()
        yield world
    world.close()


def held(world: World) -> Seen:
    """What the source holds: the sum of its unpaid invoices, and all of them by name."""
    rows = list(world.install.tables["invoices"].rows())
    due = sum((row["total"] for row in rows if row["status"] == "Unpaid"), Decimal())
    return due, frozenset(f"invoice-{row['id']}-created" for row in rows)


def change(world: World, dice: Random) -> None:
    """An invoice moves to another client, is paid, costs something else, or is new."""
    invoice, client = dice.choice(world.keys("invoice")), dice.choice(world.keys("client"))
    kind = dice.randrange(6)
    if kind < 3:
        world.install.tables["invoices"].change(invoice, userid=client)
    elif kind == 3:
        world.install.pay_invoice(invoice)
    elif kind == 4:
        world.install.tables["invoices"].change(invoice, total=Decimal(dice.randrange(1, 10**6)) / 100)
    elif len(world.keys("invoice")) < 2 * CLIENTS + 8:
        world.install.add_invoice(client, total=str(Decimal(dice.randrange(1, 10**6)) / 100))


def test_all_documents_together_say_what_the_source_held(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    """While invoices change hands: each snapshot is of one round, in order, and no invoice stands in two documents."""
    dice, stopped = Random(SEED), threading.Event()
    readers = [Reader(world.engine, stopped) for _ in range(READERS)]
    threads = [threading.Thread(target=reader.read, daemon=True) for reader in readers]
    states = [held(world)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(ROUNDS):
            for _ in range(dice.randint(1, 6)):
                change(world, dice)
            states.append(held(world))
            world.later(minutes=dice.randint(1, 30))
            world.sync(full=dice.random() < 0.2)
            world.refresh()
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    assert (states[-1], Counter()) == together(world.engine)
    for reader in readers:
        assert [] == reader.doubled
        at = 0
        for seen in reader.seen:
            at = states.index(seen, at)
    answers = sum(reader.answers for reader in readers)
    record_property("figure", f"{answers:,} database snapshots over {ROUNDS} rounds, seed {SEED}: all sums right")
