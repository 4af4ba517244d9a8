"""The history checker: what readers are answered while everything runs is what the source held, and never goes back.

A short play in every test run; `ME_STATUS_ROUNDS=2000 ME_STATUS_READERS=64` makes it a long one (docs/proof.md).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import jwt
import pytest
import stamina
from flask.testing import FlaskClient
from sqlalchemy import Engine

from config.settings import Settings
from jobs.runs.dispatch import rules
from jobs.runs.ledger import RunOptions, started
from jobs.runs.run import by_hand
from materializer.refresh.rebuild import rebuild
from materializer.units import Batching
from readapi.app import create_app
from readapi.connections import Connections
from tests.salesforce_world import World

ROUNDS = int(os.environ.get("ME_STATUS_ROUNDS", "8"))
READERS = int(os.environ.get("ME_STATUS_READERS", "4"))
SEED = int(os.environ.get("ME_STATUS_SEED", "16"))
NOTES = "Internet_Eligibility_Notes__c"
KEY = "the answers over time are signed with this key"


@dataclass
class Reader:
    """Asks for one customer after the other and notes every answer: customer, and the round its notes speak of."""

    client: FlaskClient
    customers: list[str]
    dice: Random
    stopped: threading.Event
    answers: list[tuple[str, int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def read(self) -> None:
        while not self.stopped.is_set():
            customer = self.dice.choice(self.customers)
            answer = self.client.get("/api/me/status", headers={"Authorization": f"Bearer {token(customer)}"})
            if answer.status_code != 200:
                self.wrong.append(f"{answer.status_code}: {answer.get_data(as_text=True)}")
                continue
            self.answers.append((customer, int(answer.get_json()["internetEligibility"]["notes"])))


def token(customer: str) -> str:
    claims = {"sub": customer, "iss": "portal", "aud": "me-status", "exp": datetime.now(UTC) + timedelta(hours=1)}
    return jwt.encode(claims, KEY, "HS256")


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    """Twelve customers whose notes say the round in which they were written, pulled and refreshed once."""
    world = World(engine)
    world.accounts(12, **{NOTES: "0"})
    with stamina.set_testing(True, attempts=3, cap=True):
        world.sync()
        world.refresh()
        yield world
    world.close()


def play(world: World, dice: Random, customers: list[str]) -> dict[str, list[int]]:
    """All rounds: some notes rewritten, pulled, refreshed, at times rebuilt, in any order; what each customer held."""
    held = {customer: [0] for customer in customers}
    for number in range(1, ROUNDS + 1):
        for customer in dice.sample(customers, dice.randint(1, len(customers))):
            world.org.update("Account", customer, **{NOTES: str(number)})
            held[customer].append(number)
        now = world.later(minutes=dice.randint(1, 30))
        works = [
            lambda: world.sync(full=dice.random() < 0.2),
            lambda now=now: by_hand(world.engine, world.program, "refresh", RunOptions(), now),
        ]
        if dice.random() < 0.3:
            works.append(lambda now=now: rebuilt(world, now))
        dice.shuffle(works)
        for work in works:
            work()
    return held


def rebuilt(world: World, now: datetime) -> None:
    with started(world.engine, "rebuild", now=now) as run:
        rebuild(run.database, rules(world.program.settings, world.program.tables), run.at, Batching(5))


def test_answers_are_what_the_source_held_and_never_go_back(
    world: World, database_url: str, record_property: Callable[[str, object], None]
) -> None:
    """Every answer under load is of one state the source had, no older than the one before; the last is the newest."""
    customers = world.values("select customer_id from me_status order by customer_id")
    settings = Settings(_env_file=None, database_url=database_url, me_status_jwt_key=KEY, me_status_jwt_issuer="portal",
                        me_status_jwt_audience="me-status")  # type: ignore[call-arg]  # fmt: skip
    connections, stopped = Connections(database_url), threading.Event()
    app = create_app(settings, connections)
    readers = [Reader(app.test_client(), customers, Random(SEED + n), stopped) for n in range(READERS)]
    threads = [threading.Thread(target=reader.read, daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        held = play(world, Random(SEED), customers)
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
    world.sync()
    world.refresh()
    final = Reader(app.test_client(), customers, Random(0), stopped)
    for reader in readers:
        assert [] == reader.wrong
        last = dict.fromkeys(customers, 0)
        for customer, number in reader.answers:
            assert number in held[customer]
            assert last[customer] <= number
            last[customer] = number
    answers = sum(len(reader.answers) for reader in readers)
    record_property("figure", f"{answers:,} answers over {ROUNDS} rounds, {READERS} readers, seed {SEED}: none wrong")
    assert answers > ROUNDS
    for customer in customers:
        answer = final.client.get("/api/me/status", headers={"Authorization": f"Bearer {token(customer)}"})
        assert str(held[customer][-1]) == answer.get_json()["internetEligibility"]["notes"]
    connections.close()
