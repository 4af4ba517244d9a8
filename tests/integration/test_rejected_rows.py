"""A row that the database does not take is found by halving, and a stream that fails stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import stamina
from sqlalchemy import Engine

from jobs.runs import sync as syncing
from materializer.snapshot import commit
from tests.salesforce_world import World

COUNT = 9
PORTAL_USER = "Portal_User_Id__c"


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    """Accounts with the ids that the portal knows them by, which are looked up by an index."""
    world = World(engine)
    world.mapping["account"] = world.program.tables.mapping.account.model_copy(update={"portal_user_id": PORTAL_USER})
    with stamina.set_testing(True, attempts=2, cap=True):
        yield world
    world.close()


def endless(seed: int) -> str:
    """A text too long for an index, and not to be compressed."""
    return "".join(Random(seed).choices("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=9000))


@pytest.mark.parametrize("wrong", [(0,), (8,), (3, 4), tuple(range(COUNT))])
def test_rows_that_the_database_does_not_take_are_set_aside_by_name(world: World, wrong: tuple[int, ...]) -> None:
    """The first, the last, two beside each other, all: the rest goes in, and with the right value so do they."""
    accounts = [
        world.accounts(1, **{PORTAL_USER: endless(number) if number in wrong else f"user-{number}"})[0]
        for number in range(COUNT)
    ]
    assert ("succeeded", 3) == (lambda report: (report.outcome, report.exit_code))(world.sync())
    rejected = sorted(accounts[number] for number in wrong)
    assert sorted(set(accounts) - set(rejected)) == world.values("select account_id from snapshot.account order by 1")
    found = world.values("select record_id, field, reason from pipeline.set_aside_record order by 1")
    assert rejected == [record for record, *_ in found]
    assert {("row", True)} == {(field, "does not take it" in reason) for _, field, reason in found}
    world.later(minutes=5)
    for number in wrong:
        world.org.update("Account", accounts[number], **{PORTAL_USER: f"user-{number}"})
    assert ("succeeded", 0) == (lambda report: (report.outcome, report.exit_code))(world.sync())
    assert (COUNT, []) == (len(world.statuses()), world.values("select 1 from pipeline.set_aside_record"))


@pytest.mark.parametrize("name", ["account", "order", "case"])
def test_a_stream_that_fails_unexpectedly_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The run says so and fails; what the others read is kept, and the next run takes in the rest."""
    (account,) = world.accounts(1)
    world.order(account)
    world.org.insert("Case", AccountId=account, Status="New")
    apply = commit.apply

    def failing(database: Any, pulled: Any, *rest: Any) -> Any:
        if pulled.stream.name == name:
            raise RuntimeError("what nobody thought of")
        return apply(database, pulled, *rest)

    monkeypatch.setattr(syncing.commit, "apply", failing)
    report = world.sync()
    assert ("failed", True) == (report.outcome, f"{name} could not be read or stored" in (report.error or ""))
    assert [(name, True)] == world.values("select stream, reason like '%could not be%' from pipeline.incomplete_stream")
    counted = "select count(*) from snapshot."
    assert [0 if stream == name else 1 for stream in ("account", "order", "case")] == [
        world.values(f'{counted}"{stream}"')[0] for stream in ("account", "order", "case")
    ]
    monkeypatch.undo()
    world.later(minutes=5)
    assert "succeeded" == world.sync().outcome
    assert [1, 1, 1] == [world.values(f'{counted}"{stream}"')[0] for stream in ("account", "order", "case")]
    assert [] == world.values("select 1 from pipeline.incomplete_stream")
