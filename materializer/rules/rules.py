"""The rules of one process as a value: wording, windows, steps and business zone, with a version that rows store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from zoneinfo import ZoneInfo

from config.notifications import NotificationRules
from config.tasks import TaskRules
from config.wording import Copy, Wording
from materializer.rules.facts import Facts

RULES_VERSION = 4
"""Raised with every change of the code that gives a document other bytes for the same facts."""


@dataclass(frozen=True)
class Rules:
    """What documents and notifications are judged by.

    `zone` is the business time zone. `guests`: the only customers (Account ids) to be notified; None: everybody.
    `is_link_at_client`: a WHMCS client names its account, so that before clients were pulled no link is known.
    """

    notifications: NotificationRules
    tasks: TaskRules
    zone: ZoneInfo
    wording: Wording
    guests: frozenset[str] | None = None
    is_link_at_client: bool = False

    @cached_property
    def version(self) -> str:
        """12 hex digits over the code's version, the wording, the thresholds and the zone."""
        parts = (
            str(RULES_VERSION),
            self.notifications.model_dump_json(),
            self.tasks.model_dump_json(),
            self.zone.key,
            self.wording.as_text(),
            *(["link held by the client"] if self.is_link_at_client else []),
        )
        return blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()

    def copy_for(self, facts: Facts) -> Copy:
        """The words for a customer, in the language the account names, or else the default one."""
        return self.wording.of(facts.account.language if facts.account else None)

    @property
    def due_days(self) -> int:
        """How many days before its due date an unpaid invoice counts as due."""
        return self.notifications.types["INVOICE_DUE"].days_ahead
