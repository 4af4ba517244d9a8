"""Refresh: recomputes the documents of the customers concerned, and decides and sends their notifications."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

import sql
from config.database import Database
from config.schedule import Freshness
from materializer import units
from materializer.refresh import failures, outbox, read_model
from materializer.rules.document import build
from materializer.rules.facts import Facts, Unresolved
from materializer.rules.notifications import Candidate, decide, is_over
from materializer.rules.reminders import FreshFacts
from materializer.rules.rules import Rules
from materializer.units import At, Batching

TOGETHER = "batch-together"
"""The unit of those between whom something changed hands. When one of them ends its transaction, they come apart."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did. `held` is the flood gate's summary when it held the run's notifications.

    `failed` customers keep the document they have; they are set aside with the reason and tried again later.
    """

    customers: int = 0
    failed: int = 0
    changed: int = 0
    removed: int = 0
    resolved: int = 0
    sent: dict[str, int] = field(default_factory=dict)
    suppressed: dict[str, int] = field(default_factory=dict)
    held: dict[str, Any] | None = None


@dataclass
class Batch:
    """What was decided about some customers, not stored yet."""

    rows: list[read_model.Row] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    over: list[tuple[str, Unresolved]] = field(default_factory=list)
    decided: list[tuple[str, Candidate]] = field(default_factory=list)
    judged: list[int] = field(default_factory=list)
    look_again: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def refresh(
    database: Database,
    rules: Rules,
    at: At,
    freshness: Freshness,
    batching: Batching,
    customers: Sequence[str] | None = None,
) -> Refreshed:
    """Refreshes every customer that is marked or whose time has come, then sends what that decided.

    1. What a run that died had decided is taken over. 2. Batches of customers, each one transaction. 3. The flood
    gate. 4. Sending. A crash between any two steps loses nothing and sends nothing twice: the next run goes on.
    Reminders are sent only from facts that are within `freshness`. Of `customers` (Account ids) only
    these are refreshed, and those whose records changed hands; that may happen beside another refresh.
    """
    outbox.adopt(database, at, rules.guests)
    with database.begin() as connection:
        fresh = read_model.fresh_facts(connection, at.now, freshness)
        if customers is None:
            customers = read_model.customers_to_refresh(connection, at.now, fresh, rules)
        together = read_model.changing_hands(connection)
    calls = [(unit, batch, rules, at, fresh) for unit, batch in _batches(together, customers, batching)]
    if batching.watch is not None:
        batching.watch.expect(sum(len(batch) for _, batch, *_ in calls))
    done = units.watched(units.done(database, refresh_batch, calls, batching.submit), "customers", batching.watch)
    counts = {"customers": 0} | units.added_up(done)
    suppressed: Counter[str] = Counter(counts.pop("suppressed", {}))
    held = outbox.flood(database, rules.notifications.flood_gate, at)
    sent = outbox.send(database, at)
    return Refreshed(**counts, sent=sent.sent, suppressed=dict(suppressed + Counter(sent.suppressed)), held=held)


def marked_among(connection: Connection, customers: Sequence[str]) -> list[str]:
    """Those of the customers whose facts changed since their document was computed."""
    marked = connection.execute(sql.statement("refresh/list_marked_among"), {"customer_ids": list(customers)})
    return list(marked.scalars())


def _batches(
    together: Sequence[str], customers: Sequence[str], batching: Batching
) -> Iterator[tuple[str, Sequence[str]]]:
    """The name of each unit, and its customers; first those who stay together, however many."""
    if together:
        yield TOGETHER, together
        customers = sorted(set(customers) - set(together))
    for number, batch in enumerate(batching.divided(customers)):
        yield f"batch-{number}", batch


def refresh_batch(
    database: Database, unit: str, customers: Sequence[str], rules: Rules, at: At, fresh: FreshFacts
) -> dict[str, Any]:
    """Refreshes some customers in one transaction; done a second time under the same run and unit it does nothing."""

    def work(connection: Connection, some: Sequence[str]) -> dict[str, Any]:
        are_apart = unit == TOGETHER and len(some) < len(customers)
        free = read_model.take_marks(connection, some, are_apart=are_apart)
        stored = read_model.lock(connection, free)
        batch = Batch()
        for facts in read_model.read_facts(connection, free, rules, at.now):
            _judge_alone(batch, facts, rules, at.now, fresh)
        batch.rows = read_model.differing(batch.rows, stored, rules)
        failures.forget(connection, [customer for customer in free if customer not in batch.failed])
        counts = {"customers": len(free)} | _store(connection, batch, rules, at)
        return counts | failures.note(connection, batch.failed, at)

    return failures.isolating(database, unit, customers, at, work)


def _judge_alone(batch: Batch, facts: Facts, rules: Rules, now: datetime, fresh: FreshFacts) -> None:
    """Judges one customer; where the rules raise, that is this customer's failure and no other's."""
    try:
        judge(batch, facts, rules, now, fresh)
    except Exception as error:  # noqa: BLE001  whatever one customer raises
        batch.failed[facts.customer_id] = failures.reason_of(error)


def judge(batch: Batch, facts: Facts, rules: Rules, now: datetime, fresh: FreshFacts) -> None:
    """Adds what becomes of one customer to the batch: all of it, or, where the rules raise, nothing."""
    customer = facts.customer_id
    if facts.account is None:
        batch.gone.append(customer)
        return
    decision = decide(facts, rules, now, fresh)
    row = read_model.row(facts, build(facts, rules, now), decision.next_notification_at)
    is_over_already = any(
        is_over(Unresolved(candidate.type, candidate.source_id), facts, rules, now) for candidate in decision.candidates
    )
    batch.rows.append(row)
    batch.over += [(customer, unresolved) for unresolved in decision.over]
    batch.decided += [(customer, candidate) for candidate in decision.candidates]
    batch.judged += [pending.transition_id for pending in facts.pending]
    if is_over_already:
        batch.look_again.append(customer)


def _store(connection: Connection, batch: Batch, rules: Rules, at: At) -> dict[str, Any]:
    counts = {
        "changed": read_model.write(connection, batch.rows, rules, at),
        "removed": read_model.remove(connection, batch.gone, at.now),
        "resolved": read_model.resolve(connection, batch.over, at.now),
        "suppressed": read_model.enqueue(connection, batch.decided, at),
    }
    outbox.pass_over_strangers(connection, rules.guests, at)
    read_model.consume(connection, batch.judged, batch.gone)
    read_model.mark(connection, batch.look_again, at.now)
    return counts
