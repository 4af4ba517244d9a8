"""Hints only make a reading come sooner, by machine: histories with hints end as the same ones without.

`ME_STATUS_HINT_HISTORIES` asks for another number of histories than 1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from random import Random
from typing import Any

import psycopg
import pytest

from tests.end_to_end.stage import Stage

HISTORIES = int(os.environ.get("ME_STATUS_HINT_HISTORIES", "1"))
CUSTOMERS = 6
ROUNDS = 3
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::\d\d)?)")
OWN_TO_A_RUN = {"run_id", "content_hash", "transition_id", "notification_id", "document"}
"""Columns that say which run wrote the row and when; of the document its parts are compared."""


class History:
    """Random changes of both sources, and hints of them that may be lost, doubled, late or of nobody."""

    def __init__(self, stage: Stage, dice: Random) -> None:
        self._stage, self._dice = stage, dice
        self._late: list[str] = []
        self.hints = self.lost = 0
        self._clients = dict(zip(stage.customers, range(1, CUSTOMERS + 1), strict=True))
        self._services = {client: stage.install.add_service(client) for client in self._clients.values()}
        self._cards = {client: client for client in self._clients.values()}
        self._cases = {account: self._new_case(account) for account in self._clients}
        self._invoices = dict(zip(self._clients.values(), map(self._new_invoice, self._clients.values()), strict=True))

    def moves(self) -> Iterator[list[str]]:
        """Round after round of changes, each record changed once at most; gives the hints that come meanwhile."""
        for account, client in self._clients.items():
            change = self._dice.choice((self._pay, self._card, self._eligibility, self._close, self._suspend, None))
            if change is None:
                continue
            change(account, client)
            yield self._sent_of(self._dice.choice((account, str(client))))

    def _sent_of(self, subject: str) -> list[str]:
        """What arrives of one true hint."""
        self.hints += 1
        late, self._late = self._late, []
        match self._dice.randrange(5):
            case 0:
                self.lost += 1
                return late
            case 1:
                self._late.append(subject)
                return late
            case 2:
                return [subject, subject, *late]
            case 3:
                return [*late, str(self._dice.randrange(900, 999)), "001000000000009AAA", subject]
            case _:
                return [subject]

    def _pay(self, _: str, client: int) -> None:
        if (invoice := self._invoices.pop(client, None)) is None:
            self._invoices[client] = self._new_invoice(client)
        else:
            self._stage.install.pay_invoice(invoice)

    def _card(self, _: str, client: int) -> None:
        if (card := self._cards.pop(client, None)) is None:
            self._cards[client] = self._stage.install.add_pay_method(client)
        else:
            self._stage.install.remove_pay_method(card)

    def _eligibility(self, account: str, _: int) -> None:
        word = self._dice.choice(("Pending", "Eligible", "Ineligible"))
        self._stage.org.update("Account", account, Internet_Eligibility_Status__c=word)

    def _close(self, account: str, _: int) -> None:
        is_closed = self._dice.random() < 0.5
        self._stage.org.update(
            "Case", self._cases[account], IsClosed=is_closed, Status="Closed" if is_closed else "New"
        )

    def _suspend(self, _: str, client: int) -> None:
        status = self._dice.choice(("Active", "Suspended", "Cancelled"))
        self._stage.install.set_service_status(self._services[client], status)

    def _new_case(self, account: str) -> str:
        return self._stage.org.insert("Case", AccountId=account, Subject="No signal", Status="New", IsClosed=False)

    def _new_invoice(self, client: int) -> int:
        (invoice,) = self._stage.add_due_invoices(1, client)
        return invoice


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_hints_change_nothing_but_the_time(
    stage: Stage,
    new_database: Callable[[], AbstractContextManager[str]],
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Lost, doubled, late, of nobody: after the next syncs every table equals that of a history without hints."""
    stage.add_customers(CUSTOMERS)
    history, hinted = History(stage, Random(seed)), stage.environment["DATABASE_URL"]
    with new_database() as plain:
        for _ in range(ROUNDS):
            _sync(stage, plain)
            _sync(stage, hinted)
            assert _published(plain) == _published(hinted)
            assert CUSTOMERS == len(_published(hinted)["public.me_status"])
            for subjects in history.moves():
                stage.later(seconds=20)
                if subjects:
                    stage.me_status("hint", *subjects)
                    assert 0 == stage.run("sync-hinted").code
            stage.later(hours=2)
        _sync(stage, plain)
        _sync(stage, hinted)
        assert _published(plain) == _published(hinted)
    record_property("figure", f"hint history, seed {seed}: {history.hints} hints, {history.lost} of them lost")


def _sync(stage: Stage, database: str) -> None:
    """What the schedule does, in one of the two databases."""
    own = stage.environment["DATABASE_URL"]
    stage.monkeypatch.setenv("DATABASE_URL", database)
    done = stage.run("all", "--full")
    stage.monkeypatch.setenv("DATABASE_URL", own)
    assert 0 == done.code, done.err


def _published(database: str) -> dict[str, list[Any]]:
    """Rows of what is served and of what it rests on, instants aside."""
    with psycopg.connect(database, autocommit=True) as connection:
        tables = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'snapshot'"
            " or tablename in ('me_status', 'status_transition', 'notification') order by 1"
        )
        return {name: _rows(connection, name) for (name,) in tables.fetchall()}


def _rows(connection: psycopg.Connection, table: str) -> list[Any]:
    rows = connection.execute(f"select to_jsonb(t) from {table} as t").fetchall()  # type: ignore[arg-type]
    return sorted((_without_instants(row) for (row,) in rows), key=str)


def _without_instants(row: dict[str, Any]) -> list[Any]:
    kept = {name: value for name, value in row.items() if name not in OWN_TO_A_RUN}
    document = row.get("document")
    if isinstance(document, dict):
        activity = document["summary"].pop("recentActivity")
        kept |= {"parts": document, "activity": sorted(activity, key=lambda one: str(one["id"]))}
    return [(name, INSTANT.sub("instant", str(value))) for name, value in sorted(kept.items())]
