"""Which changes of a stream's rows mean something to a customer. Pure: changes and a policy in, transitions out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from config.fields import Words

Entity = Literal["account", "order", "service", "invoice", "case"]


@dataclass(frozen=True)
class TransitionPolicy:
    """How to judge a stream's changes.

    `is_baseline`: nothing is a transition. `baseline_fields`: these columns are read for the first time and make none.
    `created_after` (aware UTC): a record that appears in a final state counts only when it was created after this;
    None: never.
    """

    words: Words
    is_baseline: bool = False
    baseline_fields: frozenset[str] = frozenset()
    created_after: datetime | None = None


@dataclass(frozen=True)
class Transition:
    """A change of a status. `owner` is the id that leads to the customer (account, client or service id, as text)."""

    entity: Entity
    entity_id: str
    owner: str | None
    field: str
    old_value: str | None
    new_value: str | None
    source_changed_at: datetime | None = None
    notification_type: str | None = None
