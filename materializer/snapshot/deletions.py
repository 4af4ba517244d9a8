"""Records that are gone: deleted by the source, found missing, or merged into another account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

import sql
from materializer.snapshot import marks, store, transitions
from materializer.snapshot.pulls import Key
from materializer.snapshot.store import Scope
from materializer.snapshot.streams import Stream
from materializer.units import At


@dataclass(frozen=True)
class Deleted:
    """How many rows left, and the transitions that made."""

    removed: int = 0
    transitions: dict[str, int] = field(default_factory=dict)


def remove(
    connection: Connection,
    stream: Stream,
    keys: Collection[Key],
    at: At,
    *,
    is_baseline: bool = False,
) -> Deleted:
    """Removes the rows of these keys that the snapshot has, and marks the customers they concerned.

    A client takes its pay methods along, an invoice its balance: each is read by itself, so nobody would find it gone.
    """
    if not keys:
        return Deleted()
    rows = store.read_rows(connection, stream, Scope(keys=list(keys), only_keys=True))
    present = rows[stream.key].to_pylist()
    if not present:
        return Deleted()
    if stream.linking:
        marks.hold_claims_alone(connection)
    concerned = marks.customers_of(connection, stream, [rows])
    marks.mark_customers(connection, concerned, at.now)
    if stream.linking:
        marks.tie(connection, concerned)
    steps = [] if is_baseline else transitions.of_removed(stream, rows)
    store.insert_transitions(connection, steps, at)
    store.delete_rows(connection, stream, present)
    if stream.name == "client":
        connection.execute(sql.statement("snapshot/delete_clients_pay_methods"), {"client_ids": present})
    if stream.name == "invoice":
        connection.execute(sql.statement("snapshot/delete_balances"), {"invoice_ids": present})
    return Deleted(len(present), transitions.counted(steps))


def merge(connection: Connection, merged: Mapping[str, str], now: datetime) -> None:
    """Sends merged accounts to their winners, at the end of any chain, and hands over what was theirs.

    `merged` maps a losing account to the one it names as master; its row must be removed beside this. Doing it again
    changes nothing. A refresh that has one of them in hand is awaited, and so are notifications on their way to it:
    else what they write for the loser would come after it was handed over.
    """
    if not merged:
        return
    everyone = sorted({*merged, *merged.values()})
    connection.execute(sql.statement("refresh/lock_me_status"), {"customer_ids": everyone})
    parameters = {"account_ids": sorted(set(merged.values()))}
    known = {
        row.account_id: row.customer_id
        for row in connection.execute(sql.statement("snapshot/list_redirects_of"), parameters)
    }
    for loser in sorted(merged):
        winner = winner_of(loser, known | dict(merged))
        if winner != loser:
            _hand_over(connection, loser, winner, now)


def winner_of(loser: str, masters: Mapping[str, str]) -> str:
    """The account at the end of the chain of masters; the loser itself when the chain comes back to it."""
    seen = {loser}
    winner = loser
    while (master := masters.get(winner)) is not None:
        if master in seen:
            return loser
        seen.add(master)
        winner = master
    return winner


def undelete(connection: Connection, account_ids: Collection[str]) -> None:
    """Forgets the merges of accounts that are alive."""
    connection.execute(sql.statement("snapshot/delete_redirects"), {"account_ids": list(account_ids)})


def _hand_over(connection: Connection, loser: str, winner: str, now: datetime) -> None:
    connection.execute(
        sql.statement("snapshot/upsert_account_redirect"), {"loser": loser, "winner": winner, "now": now}
    )
    for statement in (
        "snapshot/list_redirect_chains",
        "snapshot/move_outbox",
        "snapshot/move_notifications",
        "snapshot/move_transitions",
        "snapshot/move_suppressed_notifications",
        "snapshot/move_notification_windows",
    ):
        connection.execute(sql.statement(statement), {"loser": loser, "winner": winner})
    marks.mark_customers(connection, [loser, winner], now)
    marks.tie(connection, [loser, winner])
