"""Rebuild: recomputes documents from the snapshot, in place, notifying nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from config.database import Database
from materializer import units
from materializer.refresh import failures, read_model
from materializer.rules.document import build
from materializer.rules.facts import Facts
from materializer.rules.notifications import decide
from materializer.rules.reminders import NOTHING_FRESH
from materializer.rules.rules import Rules
from materializer.units import At, Batching

Ends = tuple[str, str]
"""The first and the last of a range of customers."""
ORDINARY = Batching(2000)
SAMPLES = 5
DOCUMENT = read_model.COLUMNS.index("document")
REMIND_AT = read_model.COLUMNS.index("next_notification_at")


@dataclass(frozen=True)
class Difference:
    """One path of the documents that comes out another: in how many, with a few customer ids."""

    documents: int
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did, or would do.

    Of a forecast only: `differences` by path, such as "summary.stats.amountDue", and `reminding`, the customers of whom
    the rules call for a reminder by now.
    """

    customers: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0
    failed: int = 0
    differences: dict[str, Difference] = field(default_factory=dict)
    reminding: tuple[str, ...] = ()


def rebuild(
    database: Database, rules: Rules, at: At, batching: Batching = ORDINARY, *, customer: str | None = None
) -> Rebuilt:
    """Recomputes every document, or that of `customer` (an Account id), batch by batch while the API serves.

    Those between whom something changed hands are recomputed first, together, as a refresh would; with one of them
    come the others. Marks, transitions and the outbox stay as they are.
    """
    together = _rebuilt_together(database, rules, at, customer)
    ranges = _ranges(database, batching.size, customer)
    calls = [(f"batch-{number}", ends, rules, at) for number, ends in enumerate(ranges)]
    if batching.watch is not None:
        batching.watch.expect(len(calls) * batching.size)
    done = units.watched(units.done(database, rebuild_batch, calls, batching.submit), "customers", batching.watch)
    return Rebuilt(**units.added_up((together, *done)))


def _rebuilt_together(database: Database, rules: Rules, at: At, customer: str | None) -> dict[str, Any]:
    """What rebuilding those who stay together counted; nothing when they are none, or `customer` is not one of them."""
    with database.begin() as connection:
        together = read_model.changing_hands(connection)
    if not together or customer not in (None, *together):
        return {}

    def work(connection: Connection, some: Sequence[str]) -> dict[str, Any]:
        return _rebuild(connection, some, rules, at, are_apart=len(some) < len(together))

    return failures.isolating(database, "batch-together", together, at, work)


def _ranges(database: Database, size: int, customer: str | None) -> list[Ends]:
    """The first and the last of each `size` customers; one that appears between two is marked, and a refresh's."""
    if customer is not None:
        return [(customer, customer)]
    with database.begin() as connection:
        return read_model.ranges_of_customers(connection, size)


def rebuild_batch(database: Database, unit: str, ends: Ends, rules: Rules, at: At) -> dict[str, Any]:
    """Rebuilds a range of customers in one transaction; done again under the same run and unit it does nothing."""

    def work(connection: Connection, some: Sequence[str]) -> dict[str, Any]:
        return _rebuild(connection, some, rules, at)

    with database.begin() as connection:
        customers = read_model.customers_between(connection, *ends)
    return failures.isolating(database, unit, customers, at, work)


def recompute(database: Database, rules: Rules, at: At, batching: Batching, *, at_most: int) -> Rebuilt:
    """Recomputes some of the documents that other rules made, as a rebuild does; nobody is notified because of it.

    A reminder that only these rules call for by now is not due because of this: it is decided when the customer's own
    time comes. (A `rebuild` by hand has the next refresh send it.)
    """
    with database.begin() as connection:
        customers = read_model.customers_of_other_rules(connection, rules, at_most)
    if batching.watch is not None and customers:
        batching.watch.expect(len(customers))
    calls = [(f"other-rules-{number}", part, rules, at) for number, part in enumerate(batching.divided(customers))]
    done = units.watched(units.done(database, recompute_batch, calls, batching.submit), "customers", batching.watch)
    return Rebuilt(**units.added_up(done))


def recompute_batch(database: Database, unit: str, customers: Sequence[str], rules: Rules, at: At) -> dict[str, Any]:
    """Recomputes some customers in one transaction; done again under the same run and unit it does nothing."""

    def work(connection: Connection, some: Sequence[str]) -> dict[str, Any]:
        return _rebuild(connection, some, rules, at, is_quiet=True)

    return failures.isolating(database, unit, customers, at, work)


def _rebuild(
    connection: Connection,
    customers: Sequence[str],
    rules: Rules,
    at: At,
    *,
    is_quiet: bool = False,
    are_apart: bool = False,
) -> dict[str, Any]:
    """Rows there are held first, so that facts read here are never older than those of the row overwritten.

    Who is to be refreshed together with others who are not here is left to that, unless they `are_apart` already.
    """
    stored = read_model.lock(connection, customers)
    facts = list(read_model.read_facts(connection, customers, rules, at.now))
    waiting = set() if are_apart else _waiting_for_others(connection, customers)
    rows, gone, failed = _computed((one for one in facts if one.customer_id not in waiting), rules, at.now)
    if is_quiet:
        rows = [_reminding_as_before(row, stored, at.now) for row in rows]
    kept = waiting.union(failed)
    failures.forget(connection, [customer for customer in customers if customer not in kept])
    missing = [row for row in rows if row[0] not in stored]
    differing = read_model.differing([row for row in rows if row[0] in stored], stored, rules)
    added = read_model.write(connection, missing, rules, at, may_overwrite=False)
    changed = read_model.write(connection, differing, rules, at)
    removed = read_model.remove(connection, gone, at.now)
    counts = {"customers": len(rows), "changed": changed, "added": added, "removed": removed}
    return counts | failures.note(connection, failed, at)


def _waiting_for_others(connection: Connection, customers: Sequence[str]) -> set[str]:
    """Those between whom something changed hands, as far as facts read before can say, unless all are here."""
    together = set(read_model.changing_hands(connection))
    return together if together - set(customers) else set()


def _computed(
    known: Iterable[Facts], rules: Rules, now: datetime
) -> tuple[list[read_model.Row], list[str], dict[str, str]]:
    """The rows of the customers, those that are none (any more), and why the rules raised, by customer."""
    rows: list[read_model.Row] = []
    gone: list[str] = []
    failed: dict[str, str] = {}
    for facts in known:
        if facts.account is None:
            gone.append(facts.customer_id)
            continue
        try:
            reminders = decide(facts, rules, now, NOTHING_FRESH)
            rows.append(read_model.row(facts, build(facts, rules, now), reminders.next_notification_at))
        except Exception as error:  # noqa: BLE001  whatever one customer raises
            failed[facts.customer_id] = failures.reason_of(error)
    return rows, gone, failed


def _reminding_as_before(row: read_model.Row, stored: read_model.Stored, now: datetime) -> read_model.Row:
    """The row, whose reminders are not due earlier than the stored one says unless they are still to come."""
    if row[0] not in stored or row[REMIND_AT] is None or row[REMIND_AT] > now:
        return row
    compared, _ = stored[row[0]]
    return (*row[:REMIND_AT], compared[-1], *row[REMIND_AT + 1 :])


# What would differ ----------------------------------------------------------------------------------------------------


def forecast(
    database: Database, rules: Rules, now: datetime, *, batch_customers: int = 2000, customer: str | None = None
) -> Rebuilt:
    """What a rebuild would do, with where the documents would differ; writes nothing."""
    found: dict[str, list[str]] = {}
    reminding: list[str] = []
    total = changed = added = removed = 0
    for ends in _ranges(database, batch_customers, customer):
        with database.begin() as connection:
            batch = read_model.customers_between(connection, *ends)
            stored = read_model.read_documents(connection, batch)
            rows, gone, _ = _computed(read_model.read_facts(connection, batch, rules, now), rules, now)
        for row in sorted(rows, key=lambda row: str(row[0])):
            customer, new = row[0], row[DOCUMENT]
            old = stored.get(customer)
            added += old is None
            changed += old is not None and old != new
            for path in differing_paths(old, new) if old is not None and old != new else ():
                found.setdefault(path, []).append(customer)
        reminding += (str(row[0]) for row in rows if row[REMIND_AT] is not None and row[REMIND_AT] <= now)
        total += len(rows)
        removed += sum(leaving in stored for leaving in gone)
    differences = {path: Difference(len(found[path]), tuple(found[path][:SAMPLES])) for path in sorted(found)}
    return Rebuilt(total, changed, added, removed, differences=differences, reminding=tuple(reminding))


def differing_paths(old: str, new: str) -> list[str]:
    """The paths at which two JSON documents differ: into objects, not into lists. Same bytes, no paths."""
    return list(_differing(msgspec.json.decode(old), msgspec.json.decode(new), ""))


def _differing(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old | new:
            yield from _differing(old.get(name, ...), new.get(name, ...), f"{path}.{name}" if path else name)
    elif old != new:
        yield path
