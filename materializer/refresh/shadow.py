"""The shadow check: documents as served, compared byte for byte with what their facts give anew at the same instant.

Each refresh takes the next on a walk through everybody, customers without a document included, so many that the walk
is once around in the hours set. A difference means that an incremental refresh missed a change, or that a rule is not
pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

import sql
from config.database import Database
from config.schedule import ShadowCheck
from materializer.refresh import failures, read_model
from materializer.refresh.rebuild import differing_paths
from materializer.rules.document import build
from materializer.rules.facts import Facts
from materializer.rules.rules import Rules
from materializer.units import At

log = structlog.get_logger()
AT_MOST = 2000
"""Customers of one check."""
UNSETTLED = 100
"""Customers found to differ before that are looked at again."""
MISSING = "document"
"""The path of a document that is there and should not be, or is not and should be."""


@dataclass(frozen=True)
class Checked:
    """How many documents were compared, and how many of them differ."""

    checked: int = 0
    differing: int = 0


@dataclass(frozen=True)
class Shadow:
    """One customer's document as stored (None: there is none), and computed anew (None: there should be none).

    `failure`: why it could not be computed, if it could not.
    """

    customer_id: str
    stored: str | None
    computed: str | None
    failure: str | None = None

    @property
    def differs(self) -> bool:
        """Whether the two are not the same bytes."""
        return self.failure is not None or self.stored != self.computed

    @property
    def paths(self) -> list[str]:
        """Where two that differ do, which names the rule."""
        if self.failure is not None:
            return [self.failure]
        if self.stored is None or self.computed is None:
            return [MISSING]
        return differing_paths(self.stored, self.computed) or [MISSING]


def check(database: Database, rules: Rules, at: At, walk: ShadowCheck) -> Checked:
    """Compares the next customers and those found to differ before; keeps both bodies of a difference.

    Rows are held, then facts read, then it is asked who is marked or failed by now: those may differ.
    """
    if not walk.customers:
        return Checked()

    def work(connection: Connection) -> Checked:
        walked = _next_customers(connection, at.now, walk)
        unsettled = connection.execute(sql.statement("proof/list_unsettled"), {"at_most": UNSETTLED}).scalars().all()
        customers = sorted({*walked, *unsettled})
        held = _held_documents(connection, customers, rules, at.now)
        compared = list(_computed(connection, held, rules, at.now))
        expected = connection.execute(sql.statement("proof/list_expectations"), {"customer_ids": customers}).all()
        comparable = {row.customer_id for row in expected}
        shadows = [shadow for shadow in compared if shadow.customer_id in comparable]
        shadows += _without_document(connection, expected, rules, at.now)
        if unsettled:
            _settle(connection, shadows, at.now)
        return _note(connection, shadows, at)

    return database.transact(work)


def _next_customers(connection: Connection, now: datetime, walk: ShadowCheck) -> list[str]:
    """The next ones of the walk, which moves on."""
    place = connection.execute(sql.statement("proof/lock_shadow_walk")).one()
    steps = steps_due(place.documents, place.checked_at, now, walk)
    given = {"last_id": place.last_customer_id, "steps": steps}
    walked = list(connection.execute(sql.statement("proof/list_next_customers"), given).scalars())
    last = walked[-1] if len(walked) == steps else ""
    connection.execute(sql.statement("proof/move_shadow_walk"), {"last_id": last, "now": now})
    return walked


def steps_due(documents: int, checked_at: datetime | None, now: datetime, walk: ShadowCheck) -> int:
    """How many customers are to be checked now, so that everybody's turn comes within `walk.hours`."""
    period = timedelta(hours=walk.hours)
    since = timedelta() if checked_at is None else min(max(now - checked_at, timedelta()), period)
    return min(max(walk.customers, math.ceil(documents * (since / period))), AT_MOST)


def _held_documents(
    connection: Connection, customers: Sequence[str], rules: Rules, now: datetime
) -> dict[str, str | None]:
    """Documents of these rules whose time has not come, held so that nobody overwrites them meanwhile."""
    parameters = {"customer_ids": customers, "rules_version": rules.version, "now": now}
    rows = connection.execute(sql.statement("proof/lock_documents"), parameters)
    return {row.customer_id: row.document for row in rows}


def _without_document(connection: Connection, expected: Sequence[Any], rules: Rules, now: datetime) -> list[Shadow]:
    """Of who has no document: what a customer's would be, and nothing of those that are none (any more)."""
    absent = [row for row in expected if not row.has_document]
    shadows = [Shadow(row.customer_id, None, None) for row in absent if not row.is_customer]
    missing = {row.customer_id: None for row in absent if row.is_customer}
    return shadows + list(_computed(connection, missing, rules, now)) if missing else shadows


def _computed(
    connection: Connection, stored: Mapping[str, str | None], rules: Rules, now: datetime
) -> Iterator[Shadow]:
    for facts in read_model.read_facts(connection, list(stored), rules, now):
        yield _shadow(facts, stored[facts.customer_id], rules, now)


def _shadow(facts: Facts, stored: str | None, rules: Rules, now: datetime) -> Shadow:
    if facts.account is None:
        return Shadow(facts.customer_id, stored, None)
    try:
        return Shadow(facts.customer_id, stored, build(facts, rules, now).body.decode())
    except Exception as error:  # noqa: BLE001  whatever one customer raises
        return Shadow(facts.customer_id, stored, None, failures.reason_of(error))


def _note(connection: Connection, shadows: Sequence[Shadow], at: At) -> Checked:
    differing = [shadow for shadow in shadows if shadow.differs]
    for shadow in differing:
        log.error("document differs from its facts", customer_id=shadow.customer_id, paths=shadow.paths)
        parameters = {
            "customer_id": shadow.customer_id,
            "stored": shadow.stored,
            "computed": shadow.computed,
            "paths": shadow.paths,
            "run_id": at.run_id,
            "now": at.now,
        }
        connection.execute(sql.statement("proof/note_document_difference"), parameters)
    return Checked(len(shadows), len(differing))


def _settle(connection: Connection, shadows: Sequence[Shadow], now: datetime) -> None:
    equal = [shadow.customer_id for shadow in shadows if not shadow.differs]
    connection.execute(sql.statement("proof/settle_differences"), {"customer_ids": equal, "now": now})
