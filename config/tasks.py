"""The task rules: tone and links of `tasks.toml`. Words are in `config/copy/`."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import model_validator

from config.datafile import Table, read
from config.portal_path import PortalPath
from config.types import Tone
from config.wording import OFFERED_BY_TASKS, Language, TaskWords, misused_by_task, names_in_braces


class TaskRule(TaskWords):
    """Tone and link of one task, and the operator's words for it (in ME_STATUS_LANGUAGE, or by language)."""

    tone: Tone
    action_url: PortalPath
    en: TaskWords | None = None
    ja: TaskWords | None = None

    def spoken(self) -> dict[Language | None, TaskWords]:
        """The operator's words by language; None: the default one."""
        own = TaskWords(title=self.title, description=self.description, action_label=self.action_label)
        by_language: dict[Language | None, TaskWords | None] = {None: own, "en": self.en, "ja": self.ja}
        return {language: words for language, words in by_language.items() if words is not None}


class TaskRules(Table):
    """The whole of `tasks.toml`."""

    invoice_due: TaskRule
    invoice_overdue: TaskRule
    add_payment_method: TaskRule
    order_in_progress: TaskRule
    eligibility_pending: TaskRule
    verification_rejected: TaskRule
    onboarding: TaskRule

    def by_name(self) -> dict[str, TaskRule]:
        """Each task's rule by its name."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    @model_validator(mode="after")
    def _only_offered_names(self) -> Self:
        faults: list[str] = []
        for name, rule in self.by_name().items():
            for words in rule.spoken().values():
                faults += misused_by_task(name, words)
            wanted = sorted(names_in_braces(rule.action_url) - OFFERED_BY_TASKS[name])
            faults += [f"{name}.action_url: {{{unknown}}} is not offered" for unknown in wanted]
        if faults:
            raise ValueError("; ".join(faults))
        return self


def load(overlay: Path | None = None) -> TaskRules:
    """The packaged rules with the operator's laid over. Raises SettingsError."""
    return read(TaskRules, "tasks.toml", overlay)
