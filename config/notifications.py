"""The notification rules: tone, links, windows and steps of `notifications.toml`. Words are in `config/copy/`."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from config.datafile import Table, read
from config.portal_path import PortalPath
from config.types import Tone
from config.wording import OFFERED, Language, NotificationWords, misused_by_notification, names_in_braces


class FloodGate(Table):
    """A run is held when it would send more of a type than max(floor, factor x the most of one run in `days`)."""

    floor: int = Field(ge=0)
    factor: float = Field(ge=1)
    days: int = Field(ge=1)


class NotificationRule(NotificationWords):
    """Tone and link of a type, how often it may be sent, and the operator's words for it (in ME_STATUS_LANGUAGE)."""

    tone: Tone = "info"
    overdue_tone: Tone | None = None
    action_url: PortalPath
    window_hours: int = Field(ge=0)
    days_ahead: int = Field(default=0, ge=0)
    steps: tuple[int, ...] = ()
    then_every_days: int | None = Field(default=None, ge=1)
    en: NotificationWords | None = None
    ja: NotificationWords | None = None

    def spoken(self) -> dict[Language | None, NotificationWords]:
        """The operator's words by language; None: the default one."""
        own = NotificationWords(
            title=self.title, message=self.message, action_label=self.action_label, variants=self.variants
        )
        by_language: dict[Language | None, NotificationWords | None] = {None: own, "en": self.en, "ja": self.ja}
        return {language: words for language, words in by_language.items() if words is not None}


class NotificationRules(Table):
    """The whole of `notifications.toml`: exactly the twelve types."""

    flood_gate: FloodGate
    types: dict[str, NotificationRule]

    @model_validator(mode="after")
    def _twelve_types_with_offered_names(self) -> Self:
        faults = [f"types.{name} is missing" for name in OFFERED if name not in self.types]
        faults += [f"types.{name} is not a notification type" for name in self.types if name not in OFFERED]
        for name in self.types.keys() & OFFERED.keys():
            rule = self.types[name]
            for words in rule.spoken().values():
                faults += [f"types.{fault}" for fault in misused_by_notification(name, words)]
            wanted = sorted(names_in_braces(rule.action_url) - OFFERED[name])
            faults += [f"types.{name}.action_url: {{{unknown}}} is not offered" for unknown in wanted]
        if "PAYMENT_METHOD_EXPIRING" in self.types and not self.types["PAYMENT_METHOD_EXPIRING"].steps:
            faults.append("types.PAYMENT_METHOD_EXPIRING.steps must name at least one number of days")
        if faults:
            raise ValueError("; ".join(faults))
        return self


def load(overlay: Path | None = None) -> NotificationRules:
    """The packaged rules with the operator's laid over. Raises SettingsError."""
    return read(NotificationRules, "notifications.toml", overlay)
