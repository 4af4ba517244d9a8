"""Which changes of a stream's rows mean something to a customer. Pure: changes and a policy in, transitions out.

Unknown never makes a transition: status columns with a last known value are compared by that value, and where either
end is unknown there is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from typing import Any, Literal

import pyarrow as pa

from config.fields import OrderWords, Words
from config.types import NotificationType, OrderStage
from materializer.snapshot.changes import Changes
from materializer.snapshot.streams import ENDED_SERVICE, UNKNOWN, Stream

Entity = Literal["account", "order", "service", "invoice", "case"]
Row = dict[str, Any]

CANCELLATION_REQUESTED = "cancellation_requested"
UNSPECIFIED = "unspecified"
"""The kind of a cancellation request that names none."""

ACCOUNT_TYPES: dict[tuple[str, str], NotificationType] = {
    ("eligibility_status", "eligible"): "ELIGIBILITY_ELIGIBLE",
    ("eligibility_status", "ineligible"): "ELIGIBILITY_INELIGIBLE",
    ("verification_status", "verified"): "VERIFICATION_VERIFIED",
    ("verification_status", "rejected"): "VERIFICATION_REJECTED",
}
ACCOUNT_KNOWN = {"eligibility_status": "eligibility_known", "verification_status": "verification_known"}
ACCOUNT_STAMPS: dict[tuple[str, str], str] = {
    ("eligibility_status", "pending"): "eligibility_requested_at",
    ("eligibility_status", "eligible"): "eligibility_checked_at",
    ("eligibility_status", "ineligible"): "eligibility_checked_at",
    ("verification_status", "submitted"): "verification_submitted_at",
    ("verification_status", "verified"): "verification_reviewed_at",
    ("verification_status", "rejected"): "verification_reviewed_at",
}
"""The field that says when an account entered a status; SystemModstamp moves with any change of the record."""
STAGE_TYPES: dict[OrderStage, NotificationType] = {
    "approved": "ORDER_APPROVED",
    "activated": "ORDER_ACTIVATED",
    "failed": "ORDER_FAILED",
}
STAGE_FIELDS = {"approved": "status", "activated": "activation_status", "failed": "activation_status"}
"""Which of an order's fields makes a stage that notifies."""


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
    notification_type: NotificationType | None = None


def from_changes(stream: Stream, changes: Changes, policy: TransitionPolicy) -> list[Transition]:
    """The transitions of a stream's changes, in key order: of changed rows first, then of those added and removed."""
    if policy.is_baseline or stream.name not in CHANGED:
        return []
    judge = CHANGED[stream.name]
    changed = [step for old, new in moved(stream, changes) for step in judge(old, new, policy)]
    appeared = APPEARED.get(stream.name, _nothing)
    added = [step for row in changes.added.to_pylist() for step in appeared(row, policy)]
    found = changed + added + of_removed(stream, changes.removed, policy)
    return [step for step in found if step.field not in policy.baseline_fields]


def of_removed(stream: Stream, rows: pa.Table, policy: TransitionPolicy | None = None) -> list[Transition]:
    """The transitions of rows that left: a cancellation request that is gone was withdrawn; nothing else is one."""
    if stream.name != "cancellation" or (policy is not None and policy.is_baseline):
        return []
    return [_requested(row, row["kind"] or UNSPECIFIED, None) for row in rows.to_pylist()]


def moved(stream: Stream, changes: Changes) -> Iterator[tuple[Row, Row]]:
    """The changed rows whose status columns differ: these columns before, and the whole row after."""
    columns = [name for name in STATUS_COLUMNS.get(stream.name, ()) if name in changes.after.schema.names]
    before, after = (rows.select(columns).to_pylist() for rows in (changes.before, changes.after))
    differs = [old != new for old, new in zip(before, after, strict=True)]
    whole = changes.after.filter(pa.array(differs, pa.bool_())).to_pylist()
    return zip(compress(before, differs), whole, strict=True)


def counted(transitions: Iterable[Transition]) -> dict[str, int]:
    """How many of each: by notification type where there is one, else by entity and field ("invoice.status")."""
    return dict(Counter(step.notification_type or f"{step.entity}.{step.field}" for step in transitions))


# Accounts -------------------------------------------------------------------------------------------------------------


def _account_changed(old: Row, new: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    for field, known in ACCOUNT_KNOWN.items():
        if old[known] is not None and new[known] is not None and old[known] != new[known]:
            changed_at = _account_changed_at(old, new, field, new[known])
            yield account_step(new["account_id"], field, old[known], new[known], changed_at)


def _account_appeared(row: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    for field, known in ACCOUNT_KNOWN.items():
        if (field, row[known]) in ACCOUNT_TYPES and _is_new(row, policy):
            yield account_step(
                row["account_id"], field, None, row[known], _account_changed_at({}, row, field, row[known])
            )


def _account_changed_at(old: Row, new: Row, field: str, status: str) -> datetime | None:
    """When the source says that the status was entered: by the field for it, when that moved along, else its stamp."""
    stamp = ACCOUNT_STAMPS.get((field, status), "modified_at")
    has_moved = new[stamp] is not None and new[stamp] != old.get(stamp)
    changed_at: datetime | None = new[stamp if has_moved else "modified_at"]
    return changed_at


def account_step(account_id: str, field: str, old: str | None, new: str, changed_at: datetime | None) -> Transition:
    """One step of an account's status, with the notification it calls for."""
    notification_type = ACCOUNT_TYPES.get((field, new))
    return Transition("account", account_id, account_id, field, old, new, changed_at, notification_type)


# Orders ---------------------------------------------------------------------------------------------------------------


def _order_changed(old: Row, new: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    if UNKNOWN in (old["stage"], new["stage"]):
        return
    for field in ("status", "activation_status"):
        if old[field] != new[field]:
            entered = new["stage"] != old["stage"] and STAGE_FIELDS.get(new["stage"]) == field
            entered = entered and old[field] not in _stage_words(new["stage"], policy.words.order)
            yield _order_step(old[field], new, field, STAGE_TYPES[new["stage"]] if entered else None)


def _order_appeared(row: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    if row["stage"] in STAGE_TYPES and _is_new(row, policy):
        yield _order_step(None, row, STAGE_FIELDS[row["stage"]], STAGE_TYPES[row["stage"]])


def _stage_words(stage: str, words: OrderWords) -> tuple[str, ...]:
    return {"approved": words.approved, "activated": words.activated, "failed": words.failed}[stage]


def _order_step(old: str | None, new: Row, field: str, notification_type: NotificationType | None) -> Transition:
    return Transition(
        "order", new["order_id"], new["account_id"], field, old, new[field], new["modified_at"], notification_type
    )


# Cases, invoices, services, cancellation requests ---------------------------------------------------------------------


def _case_changed(old: Row, new: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    changed_at = new["closed_at"] if new["is_closed"] and not old["is_closed"] else new["modified_at"]
    for field in ("status", "is_closed"):
        before, after = _text(old[field]), _text(new[field])
        if before is not None and after is not None and before != after:
            yield Transition("case", new["case_id"], new["account_id"], field, before, after, changed_at)


def _invoice_changed(old: Row, new: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    before, after = old["status_known"], new["status_known"]
    if before is not None and after is not None and before != after:
        paid_at = new["paid_at"] if after == "Paid" else None
        yield Transition("invoice", str(new["invoice_id"]), str(new["client_id"]), "status", before, after, paid_at)


def _service_changed(old: Row, new: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    before, after = old["status_known"], new["status_known"]
    if before is not None and after is not None and before != after:
        ends = after in ENDED_SERVICE and before not in ENDED_SERVICE
        completed: NotificationType | None = "CANCELLATION_COMPLETE" if ends else None
        owner = str(new["client_id"])
        yield Transition("service", str(new["service_id"]), owner, "status", before, after, None, completed)


def _cancellation_changed(old: Row, new: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    if old["service_id"] != new["service_id"]:
        yield _requested(old, old["kind"] or UNSPECIFIED, None)
        yield from _cancellation_appeared(new, policy)
    elif old["kind"] != new["kind"]:
        yield _requested(new, old["kind"] or UNSPECIFIED, new["kind"] or UNSPECIFIED)


def _cancellation_appeared(row: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    yield _requested(row, None, row["kind"] or UNSPECIFIED, "CANCELLATION_SCHEDULED")


def _requested(
    row: Row, old: str | None, new: str | None, notification_type: NotificationType | None = None
) -> Transition:
    service_id = str(row["service_id"])
    requested_at = row["requested_at"] if old is None else None
    return Transition(
        "service", service_id, service_id, CANCELLATION_REQUESTED, old, new, requested_at, notification_type
    )


def _nothing(row: Row, policy: TransitionPolicy) -> Iterator[Transition]:
    return iter(())


def _is_new(row: Row, policy: TransitionPolicy) -> bool:
    created_at = row["created_at"]
    return policy.created_after is not None and created_at is not None and created_at > policy.created_after


def _text(value: bool | str | None) -> str | None:
    return str(value).lower() if isinstance(value, bool) else value


CHANGED: dict[str, Callable[[Row, Row, TransitionPolicy], Iterator[Transition]]] = {
    "account": _account_changed,
    "order": _order_changed,
    "case": _case_changed,
    "invoice": _invoice_changed,
    "service": _service_changed,
    "cancellation": _cancellation_changed,
}
APPEARED: dict[str, Callable[[Row, TransitionPolicy], Iterator[Transition]]] = {
    "account": _account_appeared,
    "order": _order_appeared,
    "cancellation": _cancellation_appeared,
}
STATUS_COLUMNS: dict[str, tuple[str, ...]] = {
    "account": ("eligibility_known", "verification_known", *sorted(set(ACCOUNT_STAMPS.values()))),
    "order": ("status", "activation_status", "stage"),
    "case": ("status", "is_closed"),
    "invoice": ("status_known",),
    "service": ("status_known",),
    "cancellation": ("service_id", "kind"),
}
"""The columns whose change can be a transition, or says when there was one."""
