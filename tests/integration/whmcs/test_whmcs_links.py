"""Links in doubt: neither side shows billing data, and the operator sees it (issue of the sources, part 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from jobs.commands import status
from jobs.commands.doctor import check_links
from tests.whmcs_world import World

A, B, C = "0015i0000003qKKAAY", "0015i0000003qKLAAY", "0015i0000003qKMAAY"


def claim(world: World, account: str, client: int | None = None, number: str | None = None) -> None:
    """A customer that names a client, or that a client may name."""
    with world.engine.begin() as connection:
        connection.execute(
            text(
                "insert into snapshot.account (account_id, is_customer, eligibility_status, verification_status,"
                " whmcs_client_id, account_number) values (:id, true, 'eligible', 'verified', :client, :number)"
            ),
            {"id": account, "client": client, "number": number},
        )


def shows_billing(world: World) -> dict[str, bool]:
    """By customer, whether the document says anything of services, invoices or pay methods."""
    world.refresh()
    return dict(
        world.values(
            "select customer_id, num_nonnulls(active_service_count, unpaid_invoice_count, amount_due,"
            " payment_method_count, whmcs_client_id) > 0 from me_status order by 1"
        )
    )


def problems(world: World) -> dict[str, Any]:
    """What `status --json` lists of links."""
    with world.engine.connect() as connection:
        state = status.gather(connection, world.program, now=world.install.clock.now())
    listed = json.loads(json.dumps(state["problems"]))
    return {name: listed[name] for name in ("linkConflicts", "danglingLinks")}


def test_two_customers_on_one_client_both_see_nothing(world: World) -> None:
    """Whose bill it is nobody knows; a third one is served as ever."""
    first, second = world.keys("client")[:2]
    for account, client in ((A, first), (B, first), (C, second)):
        claim(world, account, client)
    world.sync()
    assert {A: False, B: False, C: True} == shows_billing(world)
    both = [{"customerId": A, "clientId": first}, {"customerId": B, "clientId": first}]
    assert {"linkConflicts": both, "danglingLinks": []} == problems(world)


def test_a_client_that_is_not_there_shows_nothing(world: World) -> None:
    """A dangling link, shown with the client it names."""
    claim(world, A, 999_999)
    world.sync()
    assert {A: False} == shows_billing(world)
    dangling = [{"customerId": A, "clientId": 999_999}]
    assert {"linkConflicts": [], "danglingLinks": dangling} == problems(world)


@pytest.mark.parametrize(("held", "number"), [(A, None), (A[:15], None), ("A-77", "A-77")])
def test_two_clients_that_name_one_customer_both_stay_dark(world: World, held: str, number: str | None) -> None:
    """Under the other rule, by id of 15 or 18 characters or by number; mended by taking one claim away."""
    holds = "account_id" if number is None else "account_number"
    world.link = {"held_by": "client", "client_custom_field": 9, "client_field_holds": holds}
    first, second = world.keys("client")[:2]
    for client in (first, second):
        world.install.update_client(client, customfields={9: held})
    claim(world, A, None, number)
    world.sync()
    assert {A: False} == shows_billing(world)
    claims = [{"customerId": A, "clientId": first}, {"customerId": A, "clientId": second}]
    assert claims == problems(world)["linkConflicts"]
    world.install.update_client(second, customfields={9: ""})
    world.later(hours=24)
    world.sync()
    assert {A: True} == shows_billing(world)
    assert [] == problems(world)["linkConflicts"]


def billing(world: World) -> Any:
    """What A's document says of billing, and its tasks."""
    world.refresh()
    [body] = world.values(f"select document::text from me_status where customer_id = '{A}'")
    document = json.loads(body)
    return document["billing"]["state"], [task["type"] for task in document["tasks"]]


def test_before_clients_are_pulled_a_link_held_by_them_is_in_doubt(world: World) -> None:
    """Nobody is said to have no billing, nor welcomed as new; once pulled, a customer that no client names has none."""
    world.link = {"held_by": "client", "client_custom_field": 9, "client_field_holds": "account_id"}
    claim(world, A, None)
    with world.engine.begin() as connection:
        connection.execute(text(f"insert into pipeline.refresh_mark values ('{A}', now())"))
        connection.execute(
            text("insert into pipeline.stream_state (stream, synced_at, run_id) values ('order', now(), 1)")
        )
    assert ("in_doubt", []) == billing(world)
    world.sync()
    assert ("none", ["onboarding"]) == billing(world)


def test_before_clients_are_pulled_a_link_held_by_the_account_is_in_doubt(world: World) -> None:
    """The client it names is not there yet."""
    claim(world, A, world.keys("client")[0])
    with world.engine.begin() as connection:
        connection.execute(text(f"insert into pipeline.refresh_mark values ('{A}', now())"))
    assert ("in_doubt", []) == billing(world)
    world.sync()
    assert "linked" == billing(world)[0]


def test_links_in_doubt_are_listed_for_analysts_and_by_doctor(world: World) -> None:
    """One view, one yellow line per kind of problem with its remedy."""
    world.sync()
    first, *others = world.keys("client")
    for account, client in ((A, first), (B, first), (C, 999_999)):
        claim(world, account, client)
    counts = dict(world.values("select problem, count(*) from analytics.link_problem group by 1"))
    assert {"conflict": 2, "dangling": 1, "unlinked_client": len(others)} == counts
    with world.engine.connect() as connection:
        lines = list(check_links(connection))
    assert ["warn"] * 3 == [line.level for line in lines]
    assert all(line.remedy for line in lines)
    assert ["2 claims in conflict,", "1 accounts naming"] == [
        " ".join(line.finding.split()[:n]) for line, n in zip(lines, (4, 3), strict=False)
    ]
