"""Notifications on their way out: the flood gate, sending with dedupe, and what the operator decides of held runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

import sql
from config.database import Database
from config.notifications import FloodGate
from config.wording import LANGUAGES
from materializer import holds
from materializer.rules.rules import Rules
from materializer.units import At

BATCH = 5000
"""Notifications of one commit of a sending."""
ANNOUNCEMENT = "SYSTEM_ANNOUNCEMENT"
Guests = Collection[str] | None
"""The only customers to be notified, Account ids; None: everybody."""


@dataclass(frozen=True)
class Sent:
    """What left the outbox: how many by type, and how many dedupe suppressed by type."""

    sent: dict[str, int] = field(default_factory=dict)
    suppressed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Announcement:
    """What an operator says, and to whom: every customer (None) or the listed Account ids.

    `japanese`, if any, are title and message for those who read Japanese. With a `key` it reaches each customer once,
    however often it is sent.
    """

    title: str
    message: str
    url: str | None = None
    customers: Collection[str] | None = None
    japanese: tuple[str, str] | None = None
    key: str | None = None

    def source_id(self, run_id: int) -> str:
        """What its notifications are about: the key, or else the run, so that two never suppress each other."""
        return f"announcement-{run_id}" if self.key is None else keyed(self.key)


@dataclass(frozen=True)
class NeedsConfirmation:
    """An announcement beyond the flood gate: ask the operator, then announce again with confirmed=True."""

    customers: int
    limit: int


@dataclass(frozen=True)
class Announced:
    """What an announcement did. `unknown`: listed ids that are not customers (a merged one stands for its winner)."""

    source_id: str
    sent: int
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reach:
    """Whom an announcement would reach: how many customers, how many may be sent to unasked, and ids of nobody."""

    customers: int
    limit: int
    unknown: tuple[str, ...] = ()


def keyed(key: str) -> str:
    """The source id of announcements with this key."""
    return f"announcement:{key}"


def adopt(database: Database, at: At, guests: Guests = None) -> int:
    """Takes over what a run that died had decided and not sent; how many."""

    def work(connection: Connection) -> int:
        adopted = connection.execute(sql.statement("outbox/adopt_outbox"), {"run_id": at.run_id}).rowcount
        pass_over_strangers(connection, guests, at)
        return int(adopted)

    return database.transact(work)


def pass_over_strangers(connection: Connection, guests: Guests, at: At) -> dict[str, int]:
    """Takes out of the run's outbox what is not for guests, for good; how many by type."""
    if guests is None:
        return {}
    parameters = {"run_id": at.run_id, "guests": sorted(guests), "now": at.now}
    rows = connection.execute(sql.statement("outbox/pass_over_strangers"), parameters)
    return {row.type: row.passed_over for row in rows}


def flood(database: Database, gate: FloodGate, at: At) -> dict[str, Any] | None:
    """Holds all the run's notifications when one type is beyond its limit; the summary for the operator, or None.

    Counted is what dedupe would let pass. The limit of a type is max(floor, factor x the most that one run sent of it
    in `days`); announcements have been confirmed when they are here, and pass. Hinted refreshes of the last hour
    count as one run: a mass update does not slip past in small ones.
    """

    def work(connection: Connection) -> dict[str, Any] | None:
        summary = _flooding(connection, gate, at)
        if summary is None:
            return None
        connection.execute(sql.statement("holds/hold_outbox"), {"run_id": at.run_id})
        holds.note(connection, at, "flood", summary)
        return summary

    return database.transact(work)


def send(database: Database, at: At) -> Sent:
    """Sends the run's outbox, but for what is held, with dedupe at `at.now` and created_at = `at.now`."""
    return _send(database, at, is_held=False)


def release(database: Database, at: At, guests: Guests = None) -> Sent | None:
    """Sends what the run of `at` holds, with dedupe and created_at at `at.now`; None when it waits no longer.

    A crash on the way leaves the run held with what is left of it: releasing it again sends the rest.
    """
    with database.begin() as connection:
        if not holds.lock(connection, at.run_id, "flood"):
            return None
        pass_over_strangers(connection, guests, at)
    sent = _send(database, at, is_held=True)
    database.transact(lambda connection: holds.decide(connection, at.run_id, "flood", "released", at.now))
    return sent


def discard(database: Database, at: At) -> int | None:
    """Records what the run of `at` holds as not sent; how many, None when it waits no longer.

    Reminders count from `at.now`.
    """

    def work(connection: Connection) -> int | None:
        if not holds.lock(connection, at.run_id, "flood"):
            return None
        parameters = {"run_id": at.run_id, "now": at.now}
        discarded = connection.execute(sql.statement("outbox/discard_outbox"), parameters).scalar_one()
        holds.decide(connection, at.run_id, "flood", "discarded", at.now)
        return int(discarded)

    return database.transact(work)


def announce(
    database: Database, rules: Rules, announcement: Announcement, at: At, *, confirmed: bool
) -> Announced | NeedsConfirmation:
    """Sends a SYSTEM_ANNOUNCEMENT to everybody or to the listed, at once; with a key, to those it has not reached.

    Beyond the flood gate it sends nothing and asks for confirmation. One that is sent again under the same run goes to
    nobody twice.
    """
    source_id = announcement.source_id(at.run_id)

    def work(connection: Connection) -> tuple[list[str], NeedsConfirmation | None]:
        listed, unknown = _listed(connection, announcement.customers, rules.guests)
        reach = _announcement_reach(connection, rules.notifications.flood_gate, listed, source_id, at.now)
        if reach.customers > reach.limit and not confirmed:
            return unknown, NeedsConfirmation(reach.customers, reach.limit)
        parameters = _announcement_words(rules, announcement) | {
            "source_id": source_id,
            "customer_ids": listed,
            "now": at.now,
            "run_id": at.run_id,
        }
        connection.execute(sql.statement("outbox/insert_announcement"), parameters)
        return unknown, None

    unknown, question = database.transact(work)
    if question is not None:
        return question
    sent = send(database, at)
    return Announced(source_id, sent.sent.get(ANNOUNCEMENT, 0), tuple(unknown))


def reach(connection: Connection, rules: Rules, announcement: Announcement, now: datetime) -> Reach:
    """Whom it would reach if it were sent at `now`."""
    listed, unknown = _listed(connection, announcement.customers, rules.guests)
    found = _announcement_reach(connection, rules.notifications.flood_gate, listed, announcement.source_id(0), now)
    return Reach(found.customers, found.limit, tuple(unknown))


def withdraw(database: Database, key: str, at: At) -> tuple[int, int]:
    """Resolves what was sent under the key, so that it is not unread any longer: how many now, of how many sent."""

    def work(connection: Connection) -> tuple[int, int]:
        parameters = {"source_id": keyed(key), "now": at.now}
        row = connection.execute(sql.statement("outbox/withdraw_announcement"), parameters).one()
        return int(row.withdrawn), int(row.sent)

    return database.transact(work)


def _announcement_words(rules: Rules, announcement: Announcement) -> dict[str, Any]:
    """Title, message and label by language; a language for which the operator gave none reads the first words."""
    rule = rules.notifications.types[ANNOUNCEMENT]
    said = dict.fromkeys(LANGUAGES, (announcement.title, announcement.message))
    if announcement.japanese is not None:
        said["ja"] = announcement.japanese
    texts = {language: rules.wording.of(language).notifications[ANNOUNCEMENT] for language in said}
    return {
        "languages": list(said),
        "titles": [title for title, _ in said.values()],
        "messages": [texts[language].message.format(message=message) for language, (_, message) in said.items()],
        "action_labels": [text.action_label if announcement.url else None for text in texts.values()],
        "language": rules.wording.of(None).language,
        "action_url": announcement.url or rule.action_url,
        "tone": rule.tone,
        "window_seconds": rule.window_hours * 3600,
    }


def _flooding(connection: Connection, gate: FloodGate, at: At) -> dict[str, Any] | None:
    parameters = {"run_id": at.run_id, "now": at.now} | gate.model_dump()
    rows = connection.execute(sql.statement("outbox/count_outbox"), parameters).all()
    rows = [row for row in rows if row.type != ANNOUNCEMENT]
    if not any(_is_beyond(row) for row in rows):
        return None
    types = {
        row.type: {
            "notifications": row.notifications,
            "recipients": row.recipients,
            "title": row.title,
            "limit": row.allowed,
            "mostSent": row.most_sent,
            "alreadySent": row.already_sent,
            "isBeyondLimit": _is_beyond(row),
            "customers": list(row.samples),
        }
        for row in rows
    }
    return {"types": types, "floor": gate.floor, "factor": gate.factor, "days": gate.days}


def _is_beyond(row: Any) -> bool:
    return bool(row.notifications + row.already_sent > row.allowed)


def _send(database: Database, at: At, *, is_held: bool) -> Sent:
    """Batch by batch, each its own transaction, until nothing of the run is left."""
    sent: Counter[str] = Counter()
    suppressed: Counter[str] = Counter()
    parameters = {"run_id": at.run_id, "now": at.now, "is_held": is_held, "batch": BATCH}

    def work(connection: Connection) -> Sequence[Any]:
        return connection.execute(sql.statement("outbox/send_outbox"), parameters).all()

    while rows := database.transact(work):
        sent.update({row.type: row.sent for row in rows if row.sent})
        suppressed.update({row.type: row.suppressed for row in rows if row.suppressed})
    return Sent(dict(sent), dict(suppressed))


def _listed(
    connection: Connection, customers: Collection[str] | None, guests: Guests
) -> tuple[list[str] | None, list[str]]:
    """The customers that the listed ids stand for (None: everybody), guests alone; and the ids that stand for none."""
    if customers is None:
        return None if guests is None else sorted(guests), []
    rows = connection.execute(
        sql.statement("outbox/select_announced_customers"), {"account_ids": list(customers)}
    ).all()
    found = {row.customer_id for row in rows if row.customer_id is not None}
    invited = found if guests is None else found & set(guests)
    return sorted(invited), sorted({row.account_id for row in rows if row.customer_id is None})


def _announcement_reach(
    connection: Connection, gate: FloodGate, listed: list[str] | None, source_id: str, now: datetime
) -> Reach:
    parameters = {"customer_ids": listed, "source_id": source_id, "now": now} | gate.model_dump()
    row = connection.execute(sql.statement("outbox/count_announcement"), parameters).one()
    return Reach(row.customers, row.allowed)
