"""What tasks, notifications and activity say, per language: the copy of `config/copy/`, under the operator's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from config.datafile import Table, read

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_INVOICE = frozenset({"invoice_id", "invoice_number", "amount", "due_on"})
_ORDER = frozenset({"order_id", "order_number"})
_SERVICE = frozenset({"service_id", "service_name"})
OFFERED: dict[str, frozenset[str]] = {
    "ELIGIBILITY_ELIGIBLE": frozenset(),
    "ELIGIBILITY_INELIGIBLE": frozenset(),
    "VERIFICATION_VERIFIED": frozenset(),
    "VERIFICATION_REJECTED": frozenset(),
    "ORDER_APPROVED": _ORDER,
    "ORDER_ACTIVATED": _ORDER,
    "ORDER_FAILED": _ORDER,
    "CANCELLATION_SCHEDULED": _SERVICE,
    "CANCELLATION_COMPLETE": _SERVICE,
    "PAYMENT_METHOD_EXPIRING": frozenset({"pay_method_id", "expires_on"}),
    "INVOICE_DUE": _INVOICE,
    "SYSTEM_ANNOUNCEMENT": frozenset({"message"}),
}
"""The twelve notification types, each with the names its words and its link may use in braces."""
OFFERED_BY_TASKS: dict[str, frozenset[str]] = {
    "invoice_due": _INVOICE,
    "invoice_overdue": _INVOICE,
    "add_payment_method": frozenset(),
    "order_in_progress": _ORDER,
    "eligibility_pending": frozenset(),
    "verification_rejected": frozenset(),
    "onboarding": frozenset(),
}
"""The tasks (an overdue invoice beside one that is due), each with the names its words and its link may use."""

VARIANTS: dict[str, dict[str, frozenset[str]]] = {
    "VERIFICATION_REJECTED": {"with_notes": frozenset({"reviewer_notes"})},
    "CANCELLATION_SCHEDULED": {"with_date": frozenset({"ends_on"})},
    "PAYMENT_METHOD_EXPIRING": {"without_digits": frozenset()},
    "INVOICE_DUE": {"overdue": frozenset()},
}
"""By notification type: the other messages it has, each with the names it offers besides."""
MESSAGE_ALONE: dict[str, frozenset[str]] = {"PAYMENT_METHOD_EXPIRING": frozenset({"card_last_four"})}
"""By notification type: the names that its message offers and its variants do not."""


class TaskCopy(Table):
    """What one task says."""

    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    action_label: str = Field(min_length=1)


class NotificationCopy(Table):
    """What a notification of one type says; a variant takes the message's place where it fits better."""

    title: str = Field(min_length=1)
    message: str = Field(min_length=1)
    action_label: str = Field(min_length=1)
    variants: dict[str, str] = Field(default_factory=dict)


class TaskWords(Table):
    """The operator's words for one task; None: the packaged ones."""

    title: str | None = Field(default=None, min_length=1)
    description: str | None = Field(default=None, min_length=1)
    action_label: str | None = Field(default=None, min_length=1)


class NotificationWords(Table):
    """The operator's words for one notification type; None: the packaged ones."""

    title: str | None = Field(default=None, min_length=1)
    message: str | None = Field(default=None, min_length=1)
    action_label: str | None = Field(default=None, min_length=1)
    variants: dict[str, str] = Field(default_factory=dict)


class ActivityCopy(Table):
    """The titles of recent activity; `{number}` is what people call the invoice, order or case."""

    invoice_created: str
    invoice_paid: str
    service_activated: str
    service_cancelled: str
    order_created: str
    case_created: str
    case_closed: str


class Words(Table):
    """What stands in for a name or an amount that is not known."""

    unnamed_service: str
    unknown_amount: str


class Copy(Table):
    """One language: the whole of `config/copy/<language>.toml`."""

    tasks: dict[str, TaskCopy]
    notifications: dict[str, NotificationCopy]
    activity: ActivityCopy
    words: Words
    language: Language = "en"

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        faults = [f"{name} is missing" for name in sorted(OFFERED.keys() ^ self.notifications.keys())]
        faults += [f"{name} is missing" for name in sorted(OFFERED_BY_TASKS.keys() ^ self.tasks.keys())]
        for name, copy in self.notifications.items():
            missing = VARIANTS.get(name, {}).keys() - copy.variants.keys()
            faults += [f"{name}.variants.{variant} is missing" for variant in sorted(missing)]
            faults += misused_by_notification(name, copy)
        for task, words in self.tasks.items():
            faults += misused_by_task(task, words)
        if faults:
            raise ValueError("; ".join(faults))
        return self


@dataclass(frozen=True)
class Wording:
    """The copy of every language; `default` is for a customer who names none of them."""

    default: Language
    copies: Mapping[Language, Copy]

    def of(self, language: str | None) -> Copy:
        """The copy in a customer's language ("en", "ja"), or in the default one."""
        for known, copy in self.copies.items():
            if known == language:
                return copy
        return self.copies[self.default]

    def as_text(self) -> str:
        """All of it as one text, equal for equal words."""
        return "\n".join([self.default, *(copy.model_dump_json() for copy in self.copies.values())])


def language_of(value: str | None) -> Language | None:
    """The language that a value such as "ja", "ja_JP", "Japanese" or "en-US" begins with; None for any other."""
    start = (value or "").strip().lower()[:2]
    return next((language for language in LANGUAGES if language == start), None)


def misused_by_task(name: str, copy: TaskCopy | TaskWords) -> list[str]:
    """The names in braces that a task's words use and that it does not offer, in sentences."""
    offered = OFFERED_BY_TASKS.get(name, frozenset())
    return [*_misused(name, "title", copy.title, offered), *_misused(name, "description", copy.description, offered)]


def misused_by_notification(name: str, copy: NotificationCopy | NotificationWords) -> list[str]:
    """The same of a notification type, and the variants it does not have."""
    offered, variants = OFFERED.get(name, frozenset()), VARIANTS.get(name, {})
    faults = [
        *_misused(name, "title", copy.title, offered),
        *_misused(name, "message", copy.message, offered | MESSAGE_ALONE.get(name, frozenset())),
    ]
    for variant, text in copy.variants.items():
        if variant not in variants:
            faults.append(f"{name}.variants.{variant} is not a variant of it")
        else:
            faults += _misused(name, f"variants.{variant}", text, offered | variants[variant])
    return faults


def _misused(name: str, key: str, text: str | None, offered: frozenset[str]) -> list[str]:
    return [f"{name}.{key}: {{{wanted}}} is not offered" for wanted in sorted(names_in_braces(text or "") - offered)]


def names_in_braces(template: str) -> set[str]:
    """The names a template uses, such as {order_number}. Raises ValueError when the braces do not match."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@cache
def packaged(language: Language) -> Copy:
    """The packaged copy of a language. Raises SettingsError."""
    return read(Copy, f"copy/{language}.toml", None).model_copy(update={"language": language})


def load(
    default: Language = "en",
    notifications: Mapping[str, Mapping[Language | None, NotificationWords]] | None = None,
    tasks: Mapping[str, Mapping[Language | None, TaskWords]] | None = None,
) -> Wording:
    """The packaged copies with the operator's words over them, by name and language (None: the default one)."""
    copies = {language: packaged(language) for language in LANGUAGES}
    for name, spoken in (notifications or {}).items():
        for language, words in spoken.items():
            copies[language or default] = _with_notification(copies[language or default], name, words)
    for name, said in (tasks or {}).items():
        for language, task in said.items():
            copies[language or default] = _with_task(copies[language or default], name, task)
    return Wording(default, copies)


def _with_notification(copy: Copy, name: str, words: NotificationWords) -> Copy:
    stands = copy.notifications[name]
    update = words.model_dump(exclude_none=True) | {"variants": stands.variants | words.variants}
    return copy.model_copy(update={"notifications": copy.notifications | {name: stands.model_copy(update=update)}})


def _with_task(copy: Copy, name: str, words: TaskWords) -> Copy:
    changed = copy.tasks[name].model_copy(update=words.model_dump(exclude_none=True))
    return copy.model_copy(update={"tasks": copy.tasks | {name: changed}})
