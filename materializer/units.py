"""Units of work: functions of a database and plain values, each one transaction, done here or handed to workers.

A unit commits under its name in the run, so that doing it twice is doing it once.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from math import ceil
from typing import Any, Protocol

from sqlalchemy import Connection

import sql
from config.database import Database
from config.errors import MeStatusError

Unit = Callable[..., dict[str, Any]]
"""unit(database, *arguments): does its work in one transaction and returns what it counted."""


class Submit(Protocol):
    """submit(unit, *arguments): runs unit(database, *arguments) somewhere, the database being that of the worker.

    `ahead`: how many units may be under way or wait beside the one awaited, which bounds the memory. `shares`: among
    how many workers little work is divided; 1 where reaching them costs more than that gains.
    """

    ahead: int
    shares: int

    def __call__(self, unit: Unit, *arguments: Any) -> Future[Any]: ...


class Watch(Protocol):
    """Whoever wants to know how far it is, such as a progress bar."""

    def expect(self, total: int) -> None:
        """Says how much there is in all."""

    def advance(self, count: int = 1) -> None:
        """Says that so much more is done."""


@dataclass(frozen=True)
class At:
    """The run that something belongs to, and its now (aware UTC): what the rules and every written row go by."""

    run_id: int
    now: datetime


@dataclass(frozen=True)
class Batching:
    """How work is divided: in units of `size` rows or customers at most, by `submit` (None: here).

    `watch` sees the counts.
    """

    size: int
    submit: Submit | None = None
    watch: Watch | None = None

    def divided(self, customers: Sequence[str]) -> Iterator[Sequence[str]]:
        """The customers of each unit, in their order: equal shares for the workers, none divided below SMALLEST."""
        count = len(customers)
        shares = 1 if self.submit is None else self.submit.shares
        rounds = ceil(count / (self.size * shares))
        units = max(ceil(count / self.size), min(rounds * shares, count // SMALLEST), 1)
        size = max(1, ceil(count / units))
        return (customers[start : start + size] for start in range(0, count, size))


SMALLEST = 200
"""Customers of a unit that is not worth dividing: what each unit costs by itself would be much of it."""
FEW = 2
"""Units that are done here where little work is not divided."""


def once(connection: Connection, at: At, unit: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the unit of the run counted: now, or when it was committed before, and then nothing is done.

    Raises MeStatusError when the run was given up.
    """
    named = {"run_id": at.run_id, "unit": unit}
    if connection.execute(sql.statement("ledger/claim_run_unit"), named).first() is None:
        committed: dict[str, Any] | None = connection.execute(
            sql.statement("ledger/read_run_unit"), named
        ).scalar_one_or_none()
        if committed is None:
            raise given_up(at.run_id)
        return committed
    counts = work()
    connection.execute(sql.statement("ledger/finish_run_unit"), named | {"counts": json.dumps(counts)})
    return counts


def given_up(run_id: int) -> MeStatusError:
    """What is said wherever a run, or a unit of it on a worker, finds that another run took the job over."""
    return MeStatusError(
        f"run {run_id} lost its lock with its database connection and another run took over; that one goes on"
    )


def done(
    database: Database, unit: Unit, calls: Iterable[tuple[Any, ...]], submit: Submit | None = None
) -> Iterator[dict[str, Any]]:
    """What unit(database, *arguments) counted for the arguments of each call, in their order.

    `calls` is read only as far as there are workers to feed. When a unit fails, those not begun are not begun.
    """
    if submit is None:
        yield from (unit(database, *arguments) for arguments in calls)
        return
    rest = iter(calls)
    few = FEW if submit.shares == 1 else 1
    first = list(islice(rest, few + 1))
    if len(first) <= few:
        yield from (unit(database, *arguments) for arguments in first)
        return
    under_way: deque[Future[Any]] = deque()
    try:
        for arguments in chain(first, rest):
            under_way.append(submit(unit, *arguments))
            if len(under_way) > submit.ahead:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()


def watched(counted: Iterable[dict[str, Any]], name: str, watch: Watch | None) -> Iterator[dict[str, Any]]:
    """The same counts, what each has under `name` given to `watch` as they come in."""
    for counts in counted:
        if watch is not None:
            watch.advance(counts.get(name, 0))
        yield counts


def added_up(counted: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The sum of what units counted: of numbers by name, of counts by name within."""
    total: Counter[str] = Counter()
    within: dict[str, Counter[str]] = {}
    for counts in counted:
        for name, count in counts.items():
            if isinstance(count, dict):
                within.setdefault(name, Counter()).update(count)
            else:
                total[name] += count
    return {**total, **{name: dict(counts) for name, counts in within.items()}}
