"""What analysts rely on, put in place by every migrate: the views of schema analytics, and who may read what."""

from __future__ import annotations

import json
import re
from graphlib import TopologicalSorter
from hashlib import blake2b

from sqlalchemy import Connection

import sql
from config.database import Database
from config.schedule import Schedule
from materializer.rules.rules import Rules

REFERENCE = re.compile(r"\banalytics\.(\w+)")


def publish(connection: Connection) -> None:
    """Replaces the views and repeats the grants when their files, the schema or the roles are not those of last time.

    Views are replaced in place, so that views of others upon them stay; PostgreSQL then refuses to drop, rename or
    retype one of their columns, which is the stability we promise.
    """
    found = connection.execute(sql.statement("published/read_published_state")).one()
    fingerprint = _fingerprint(found.schema_revision)
    if found.fingerprint == fingerprint and found.is_granted:
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    for text in (*views().values(), sql.roles()):
        driver.execute(text)
    connection.execute(sql.statement("published/note_published_source"), {"fingerprint": fingerprint})


def note_settings(database: Database, rules: Rules, schedule: Schedule) -> None:
    """Publishes the settings that figures depend on in analytics.settings."""
    parameters = {
        "zone": rules.zone.key,
        "rules_version": rules.version,
        "invoice_due_days": rules.due_days,
        "card_expiring_days": max(rules.notifications.types["PAYMENT_METHOD_EXPIRING"].steps),
        "freshness_minutes": json.dumps(schedule.freshness_minutes.model_dump()),
        "retention_days": json.dumps(schedule.retention_days.model_dump()),
    }
    database.transact(lambda connection: connection.execute(sql.statement("published/note_settings"), parameters))


def views() -> dict[str, str]:
    """The statements of each view by its name, each after those it reads from."""
    texts = sql.views()
    reads = {name: {other for other in REFERENCE.findall(text) if other in texts} for name, text in texts.items()}
    order = TopologicalSorter({name: others - {name} for name, others in reads.items()}).static_order()
    return {name: texts[name] for name in order}


def _fingerprint(revision: str) -> str:
    text = "\n".join([revision, *views().values(), sql.roles()])
    return blake2b(text.encode(), digest_size=12).hexdigest()
