"""The notification rules: the wording, links, windows and steps of `notifications.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Self

from pydantic import Field, model_validator

from config.datafile import Table, read

OFFERED: Mapping[str, frozenset[str]] = {
    "ELIGIBILITY_ELIGIBLE": frozenset(),
    "ELIGIBILITY_INELIGIBLE": frozenset(),
    "VERIFICATION_VERIFIED": frozenset(),
    "VERIFICATION_REJECTED": frozenset(),
    "ORDER_APPROVED": frozenset({"order_number"}),
    "ORDER_ACTIVATED": frozenset({"order_number"}),
    "ORDER_FAILED": frozenset({"order_number"}),
    "CANCELLATION_SCHEDULED": frozenset({"service_name"}),
    "CANCELLATION_COMPLETE": frozenset({"service_name"}),
    "PAYMENT_METHOD_EXPIRING": frozenset({"card", "expires_on"}),
    "INVOICE_DUE": frozenset({"invoice_number", "amount", "due_on"}),
    "SYSTEM_ANNOUNCEMENT": frozenset({"message"}),
}
"""The twelve types, each with the names its wording may use in braces."""


class FloodGate(Table):
    """A run is held when it would send more of a type than max(floor, factor x the most of one run in `days`)."""

    floor: int = Field(ge=0)
    factor: float = Field(ge=1)
    days: int = Field(ge=1)


class NotificationRule(Table):
    """What a notification of one type says and how often it may be sent."""

    title: str = Field(min_length=1)
    message: str = Field(min_length=1)
    action_url: str = Field(pattern="^/")
    action_label: str | None = None
    window_hours: int = Field(ge=0)
    days_ahead: int = Field(default=0, ge=0)
    steps: tuple[int, ...] = ()
    then_every_days: int | None = Field(default=None, ge=1)


class NotificationRules(Table):
    """The whole of `notifications.toml`: exactly the twelve types."""

    flood_gate: FloodGate
    types: dict[str, NotificationRule]

    @model_validator(mode="after")
    def _twelve_types_with_offered_names(self) -> Self:
        faults = [f"types.{name} is missing" for name in OFFERED if name not in self.types]
        faults += [f"types.{name} is not a notification type" for name in self.types if name not in OFFERED]
        for name, rule in self.types.items():
            faults += [
                f"types.{name}: {{{wanted}}} is not offered"
                for wanted in names_in_braces(rule.title) | names_in_braces(rule.message)
                if wanted not in OFFERED.get(name, {wanted})
            ]
        if "PAYMENT_METHOD_EXPIRING" in self.types and not self.types["PAYMENT_METHOD_EXPIRING"].steps:
            faults.append("types.PAYMENT_METHOD_EXPIRING.steps must name at least one number of days")
        if faults:
            raise ValueError("; ".join(faults))
        return self


def names_in_braces(template: str) -> set[str]:
    """The names a template uses, such as {order_number}. Raises ValueError when the braces do not match."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def load(overlay: Path | None = None) -> NotificationRules:
    """The packaged rules with the operator's laid over. Raises SettingsError."""
    return read(NotificationRules, "notifications.toml", overlay)
