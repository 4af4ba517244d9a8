"""The shadow check: documents as served, compared byte for byte with what their facts give anew at the same instant.

Each refresh takes the next customers on a walk through everybody, so many that the walk is once around in the hours
set. A difference means that an incremental refresh missed a change, or that a rule is not pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

import sql
from config.database import Database
from config.schedule import ShadowCheck
from materializer.refresh import read_model
from materializer.refresh.rebuild import differing_paths
from materializer.rules.document import build
from materializer.rules.rules import Rules
from materializer.units import At

log = structlog.get_logger()
AT_MOST = 2000
"""Customers of one check."""
UNSETTLED = 100
"""Customers found to differ before that are looked at again."""
NO_DOCUMENT = "document"
"""The path of a document that is there and should not be."""


@dataclass(frozen=True)
class Checked:
    """How many documents were compared, and how many of them differ."""

    checked: int = 0
    differing: int = 0


@dataclass(frozen=True)
class Shadow:
    """One customer's document as stored, and computed anew (None: there should be none)."""

    customer_id: str
    stored: str
    computed: str | None

    @property
    def paths(self) -> list[str]:
        """Where the two differ, which names the rule; nowhere when they are equal."""
        if self.computed is None:
            return [NO_DOCUMENT]
        return differing_paths(self.stored, self.computed) or ([NO_DOCUMENT] if self.stored != self.computed else [])


def check(database: Database, rules: Rules, at: At, walk: ShadowCheck) -> Checked:
    """Compares the next customers and those found to differ before; keeps both bodies of a difference."""
    if not walk.customers:
        return Checked()

    def work(connection: Connection) -> Checked:
        stored = _next_documents(connection, rules, at.now, walk)
        shadows = list(_computed(connection, stored, rules, at.now))
        marked = set(connection.execute(sql.statement("proof/list_marked"), {"customer_ids": list(stored)}).scalars())
        return _note(connection, [shadow for shadow in shadows if shadow.customer_id not in marked], at)

    return database.transact(work)


def _next_documents(connection: Connection, rules: Rules, now: datetime, walk: ShadowCheck) -> dict[str, str]:
    """Documents of these rules whose time has not come, held so that nobody overwrites them meanwhile."""
    place = connection.execute(sql.statement("proof/lock_shadow_walk")).one()
    steps = steps_due(place.documents, place.checked_at, now, walk)
    given = {"last_id": place.last_customer_id, "steps": steps}
    walked = list(connection.execute(sql.statement("proof/list_next_customers"), given).scalars())
    last = walked[-1] if len(walked) == steps else ""
    connection.execute(sql.statement("proof/move_shadow_walk"), {"last_id": last, "now": now})
    unsettled = connection.execute(sql.statement("proof/list_unsettled"), {"at_most": UNSETTLED}).scalars()
    parameters = {"customer_ids": [*unsettled, *walked], "rules_version": rules.version, "now": now}
    rows = connection.execute(sql.statement("proof/lock_documents"), parameters)
    return {row.customer_id: row.document for row in rows}


def steps_due(documents: int, checked_at: datetime | None, now: datetime, walk: ShadowCheck) -> int:
    """How many customers are to be checked now, so that everybody's turn comes within `walk.hours`."""
    period = timedelta(hours=walk.hours)
    since = timedelta() if checked_at is None else min(max(now - checked_at, timedelta()), period)
    return min(max(walk.customers, math.ceil(documents * (since / period))), AT_MOST)


def _computed(connection: Connection, stored: dict[str, str], rules: Rules, now: datetime) -> Iterator[Shadow]:
    for facts in read_model.read_facts(connection, list(stored), rules, now):
        document = None if facts.account is None else build(facts, rules, now).body.decode()
        yield Shadow(facts.customer_id, stored[facts.customer_id], document)


def _note(connection: Connection, shadows: Sequence[Shadow], at: At) -> Checked:
    differing = [shadow for shadow in shadows if shadow.stored != shadow.computed]
    for shadow in differing:
        log.error("document differs from its facts", customer_id=shadow.customer_id, paths=shadow.paths)
        parameters = vars(shadow) | {"paths": shadow.paths, "run_id": at.run_id, "now": at.now}
        connection.execute(sql.statement("proof/note_document_difference"), parameters)
    equal = [shadow.customer_id for shadow in shadows if shadow.stored == shadow.computed]
    connection.execute(sql.statement("proof/settle_differences"), {"customer_ids": equal, "now": at.now})
    return Checked(len(shadows), len(differing))
