"""The task copy: wording, tone and links of `tasks.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from config.datafile import Table, read
from config.notifications import names_in_braces
from config.types import Tone

OFFERED: dict[str, frozenset[str]] = {
    "invoice_due": frozenset({"invoice_number", "amount", "due_on"}),
    "invoice_overdue": frozenset({"invoice_number", "amount", "due_on"}),
    "order_in_progress": frozenset({"order_number"}),
}
"""The names each task's wording may use in braces; the other tasks offer none."""


class TaskCopy(Table):
    """What one task says."""

    tone: Tone
    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    action_label: str = Field(min_length=1)
    action_url: str = Field(pattern="^/")


class TaskCopies(Table):
    """The whole of `tasks.toml`."""

    invoice_due: TaskCopy
    invoice_overdue: TaskCopy
    add_payment_method: TaskCopy
    order_in_progress: TaskCopy
    eligibility_pending: TaskCopy
    verification_rejected: TaskCopy
    onboarding: TaskCopy

    @model_validator(mode="after")
    def _only_offered_names(self) -> Self:
        for task in type(self).model_fields:
            copy: TaskCopy = getattr(self, task)
            wanted = names_in_braces(copy.title) | names_in_braces(copy.description)
            if unknown := sorted(wanted - OFFERED.get(task, frozenset())):
                raise ValueError(f"{task}: {', '.join(unknown)} is not offered")
        return self


def load(overlay: Path | None = None) -> TaskCopies:
    """The packaged copy with the operator's laid over. Raises SettingsError."""
    return read(TaskCopies, "tasks.toml", overlay)
