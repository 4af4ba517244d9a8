"""The four data files, read together so that the faults of all of them are named at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from config import fields, guests, notifications, schedule, tasks, wording
from config.errors import SettingsError
from config.fields import FieldMapping
from config.notifications import NotificationRules
from config.schedule import Schedule
from config.settings import Settings
from config.tasks import TaskRules
from config.wording import Wording

Loaded = TypeVar("Loaded")
DATA_FILES = ("fields", "notifications", "tasks", "schedule")
"""Names of the data files: config/<name>.toml, with the file of ME_STATUS_<NAME> laid over it."""


@dataclass(frozen=True)
class Tables:
    """What the data files say: packaged, with the operator's laid over them. `guests`: who alone is notified."""

    mapping: FieldMapping
    notifications: NotificationRules
    tasks: TaskRules
    schedule: Schedule
    wording: Wording
    guests: frozenset[str] | None = None


def load(settings: Settings) -> Tables:
    """The data files these settings name. Raises SettingsError with the faults of all files."""
    faults: list[str] = []

    def attempt(read: Callable[[], Loaded]) -> Loaded | None:
        try:
            return read()
        except SettingsError as error:
            faults.extend(error.faults)
            return None

    mapping = attempt(lambda: fields.load(settings.me_status_fields))
    rules = attempt(lambda: notifications.load(settings.me_status_notifications))
    task_rules = attempt(lambda: tasks.load(settings.me_status_tasks))
    timing = attempt(lambda: schedule.load(settings.me_status_schedule))
    invited = None if timing is None else attempt(lambda: guests.load(timing.notify.only, settings.me_status_schedule))
    if faults or mapping is None or rules is None or task_rules is None or timing is None:
        raise SettingsError(faults)
    words = wording.load(
        settings.me_status_language,
        {name: rule.spoken() for name, rule in rules.types.items()},
        {name: rule.spoken() for name, rule in task_rules.by_name().items()},
    )
    return Tables(mapping, rules, task_rules, timing, words, invited)
