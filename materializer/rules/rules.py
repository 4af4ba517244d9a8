"""The rules of one process as a value: wording, windows, steps and business zone, with a version that rows store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from zoneinfo import ZoneInfo

from config.notifications import NotificationRules
from config.tasks import TaskCopies

RULES_VERSION = 2
"""Raised with every change of the code that gives a document other bytes for the same facts."""


@dataclass(frozen=True)
class Rules:
    """What documents and notifications are judged by. `zone` is the business time zone."""

    notifications: NotificationRules
    tasks: TaskCopies
    zone: ZoneInfo

    @cached_property
    def version(self) -> str:
        """12 hex digits over the code's version, the wording, the thresholds and the zone."""
        parts = (str(RULES_VERSION), self.notifications.model_dump_json(), self.tasks.model_dump_json(), self.zone.key)
        return blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()

    @property
    def due_days(self) -> int:
        """How many days before its due date an unpaid invoice counts as due."""
        return self.notifications.types["INVOICE_DUE"].days_ahead
