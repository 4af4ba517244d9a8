"""How customers and WHMCS clients are linked."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text


def link(engine: Engine, accounts: list[tuple[Any, ...]], clients: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Accounts as (id, named client, number), clients as (id, reference); the links by customer."""
    with engine.begin() as connection:
        for account_id, client, number in accounts:
            connection.execute(text(
                "insert into snapshot.account (account_id, is_customer, eligibility_status, verification_status,"
                " whmcs_client_id, account_number)"
                " values (:id, :id not like 'x%', 'pending', 'verified', :client, :number)"
            ), {"id": account_id, "client": client, "number": number})  # fmt: skip
        for client_id, reference in clients:
            connection.execute(
                text("insert into snapshot.client (client_id, account_reference) values (:id, :reference)"),
                {"id": client_id, "reference": reference},
            )
        rows = connection.execute(text("select client_id, state from pipeline.link order by customer_id"))
        return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("accounts", "clients", "expected"),
    [
        ([("a", 1, None)], [(1, None)], [(1, "linked")]),
        ([("a", None, None)], [(1, None)], [(None, "none")]),
        ([("a", 1, None)], [], [(None, "dangling")]),
        ([("a", 1, None), ("b", 1, None)], [(1, None)], [(None, "conflict"), (None, "conflict")]),
        ([("a", 1, None), ("x", 1, None)], [(1, None)], [(1, "linked")]),
        ([("a", None, None)], [(1, "a")], [(1, "linked")]),
        ([("a", None, "N1")], [(1, "N1")], [(1, "linked")]),
        ([("a", None, "a")], [(1, "a")], [(1, "linked")]),
        ([("a", None, None)], [(1, "a"), (2, "a")], [(None, "conflict")]),
        ([("a", None, "N"), ("b", None, "N")], [(1, "N")], [(None, "conflict"), (None, "conflict")]),
    ],
)
def test_a_customer_is_linked_only_where_nobody_doubts_it(
    engine: Engine, accounts: list[Any], clients: list[Any], expected: list[Any]
) -> None:
    """Both rules; a conflict takes the client from everybody; accounts that are not customers claim nothing."""
    assert expected == link(engine, accounts, clients)


def test_link_problems_name_what_the_operator_should_put_right(engine: Engine) -> None:
    """Conflicts by claim, dangling links once clients are known, clients nobody claims."""
    link(engine, [("a", 1, None), ("b", 1, None), ("c", 9, None)], [(1, None), (2, None)])
    with engine.begin() as connection:
        connection.execute(text(
            "insert into pipeline.stream_state (stream, synced_at, run_id) values ('client', now(), 1)"
        ))  # fmt: skip
        found = connection.execute(
            text("select problem, customer_id, client_id from pipeline.link_problem order by 1, 2")
        )
        expected = [("conflict", "a", 1), ("conflict", "b", 1), ("dangling", "c", 9), ("unlinked_client", None, 2)]
        assert expected == [tuple(row) for row in found]
