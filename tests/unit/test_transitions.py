"""From changes of rows to transitions and the notifications they call for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import fields
from materializer.snapshot import changes, transitions
from materializer.snapshot.history import with_steps
from materializer.snapshot.pulls import HistoricChange
from materializer.snapshot.streams import STREAMS
from materializer.snapshot.transitions import Transition, TransitionPolicy

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
WORDS = fields.load().words
POLICY = TransitionPolicy(WORDS, created_after=NOON)
DEFAULTS: dict[str, dict[str, Any]] = {
    "account": {"account_id": "a", "is_customer": True, "modified_at": NOON, "created_at": NOON},
    "order": {"order_id": "o", "account_id": "a", "modified_at": NOON, "created_at": NOON},
    "case": {"case_id": "c", "account_id": "a"},
    "service": {"service_id": 5, "client_id": 1},
    "invoice": {"invoice_id": 7, "client_id": 1},
    "cancellation": {"cancellation_id": 9, "service_id": 5, "kind": "Immediate"},
}


def found(
    name: str, old: dict[str, Any] | None, new: dict[str, Any] | None, policy: TransitionPolicy = POLICY
) -> list[Transition]:
    stream = STREAMS[name]

    def table(row: dict[str, Any] | None) -> pa.Table:
        rows = [] if row is None else [dict.fromkeys(stream.columns) | DEFAULTS[name] | row]
        return pa.Table.from_pylist(rows, schema=stream.schema)

    return transitions.from_changes(stream, changes.compare(stream, table(old), table(new)), policy)


def steps(*given: Any) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(step.field, step.old_value, step.new_value, step.notification_type) for step in found(*given)]


def eligibility(status: str) -> dict[str, Any]:
    return {"eligibility_status": status, "eligibility_known": None if status == "unknown" else status}


def order(stage: str, status: str | None, activation: str | None = None) -> dict[str, Any]:
    return {"stage": stage, "status": status, "activation_status": activation}


def state(status: str) -> dict[str, Any]:
    return {"status": status, "status_known": None if status == "Odd" else status}


@pytest.mark.parametrize(
    ("old", "new", "notified"),
    [
        ("not_requested", "pending", None),
        ("pending", "eligible", "ELIGIBILITY_ELIGIBLE"),
        ("not_requested", "ineligible", "ELIGIBILITY_INELIGIBLE"),
        ("eligible", "not_requested", None),
    ],
)
def test_eligibility_notifies_on_its_final_answers(old: str, new: str, notified: str | None) -> None:
    """Eligible and ineligible notify; pending and back to nothing do not."""
    assert [("eligibility_status", old, new, notified)] == steps("account", eligibility(old), eligibility(new))


@pytest.mark.parametrize(
    ("new", "notified"),
    [("verified", "VERIFICATION_VERIFIED"), ("rejected", "VERIFICATION_REJECTED"), ("not_submitted", None)],
)
def test_verification_notifies_on_its_final_answers(new: str, notified: str | None) -> None:
    """Verified and rejected notify."""
    before = {"verification_status": "submitted", "verification_known": "submitted"}
    after = {"verification_status": new, "verification_known": new}
    assert [("verification_status", "submitted", new, notified)] == steps("account", before, after)


def test_an_unknown_word_is_no_transition_and_the_known_one_before_it_counts() -> None:
    """Eligible, unknown, eligible is nothing; pending, unknown, eligible is one transition."""
    assert [] == steps("account", eligibility("eligible"), eligibility("unknown"))
    unknown = {"eligibility_status": "unknown", "eligibility_known": "pending"}
    expected = [("eligibility_status", "pending", "eligible", "ELIGIBILITY_ELIGIBLE")]
    assert expected == steps("account", unknown, eligibility("eligible"))


def test_a_status_never_known_before_makes_no_transition() -> None:
    """From a null known there is no way to know what moved."""
    assert [] == steps("account", eligibility("unknown"), eligibility("eligible"))


@pytest.mark.parametrize(
    ("old", "new", "types"),
    [
        (order("in_progress", "New"), order("approved", "Approved"), ["ORDER_APPROVED"]),
        (order("draft", "Draft"), order("in_progress", "New"), [None]),
        (order("approved", "Approved"), order("activated", "Approved", "Activated"), ["ORDER_ACTIVATED"]),
        (order("approved", "Approved"), order("failed", "Approved", "Failed"), ["ORDER_FAILED"]),
        (order("draft", "Draft"), order("activated", "Approved", "Activated"), [None, "ORDER_ACTIVATED"]),
        (order("activated", "Approved", "Activated"), order("activated", "Completed", "Activated"), [None]),
        (order("failed", "Approved", "Failed"), order("approved", "Approved"), [None]),
        (order("failed", "Approved", "Failed"), order("activated", "Approved", "Activated"), ["ORDER_ACTIVATED"]),
        (order("draft", "Draft"), order("unknown", None), []),
        (order("unknown", None), order("approved", "Approved"), []),
        (order("approved", "Approved"), order("closed", "Cancelled"), [None]),
    ],
)
def test_an_order_notifies_the_stage_it_enters_once(old: Any, new: Any, types: list[str | None]) -> None:
    """Only the field that makes the latest stage carries its type; unknown makes nothing."""
    assert types == [step[3] for step in steps("order", old, new)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Active", "Cancelled", [("status", "Active", "Cancelled", "CANCELLATION_COMPLETE")]),
        ("Suspended", "Terminated", [("status", "Suspended", "Terminated", "CANCELLATION_COMPLETE")]),
        ("Cancelled", "Terminated", [("status", "Cancelled", "Terminated", None)]),
        ("Terminated", "Active", [("status", "Terminated", "Active", None)]),
        ("Odd", "Cancelled", []),
        ("Active", "Odd", []),
    ],
)
def test_a_service_notifies_when_it_ends(old: str, new: str, expected: list[Any]) -> None:
    """From a known other status to cancelled or terminated; between those two nothing is notified."""
    assert expected == steps("service", state(old), state(new))


def test_a_request_to_cancel_is_told_when_it_appears_and_when_it_is_withdrawn() -> None:
    """Both belong to the service."""
    asked = found("cancellation", None, {})
    assert [("service", "5", None, "Immediate", "CANCELLATION_SCHEDULED")] == [
        (step.entity, step.entity_id, step.old_value, step.new_value, step.notification_type) for step in asked
    ]
    assert [("cancellation_requested", "Immediate", None, None)] == steps("cancellation", {}, None)


def test_invoices_and_cases_have_transitions_without_notifications() -> None:
    """They are part of the history only."""
    assert [("status", "Unpaid", "Paid", None)] == steps("invoice", state("Unpaid"), state("Paid"))
    closed = [("status", "New", "Closed", None), ("is_closed", "false", "true", None)]
    assert closed == steps("case", {"status": "New", "is_closed": False}, {"status": "Closed", "is_closed": True})


@pytest.mark.parametrize(("seconds", "count"), [(1, 1), (0, 0), (-1, 0)])
def test_a_record_that_appears_final_counts_when_created_after_the_last_pull(seconds: int, count: int) -> None:
    """Strictly after; what is older was merely not seen before."""
    created = {"created_at": NOON + timedelta(seconds=seconds)}
    assert count == len(steps("account", None, eligibility("eligible") | created))
    assert count == len(steps("order", None, order("approved", "Approved") | created))


def test_a_record_that_appears_on_its_way_is_no_transition() -> None:
    """Only final states count, and services never do."""
    created = {"created_at": NOON + timedelta(days=1)}
    assert [] == steps("account", None, eligibility("pending") | created)
    assert [] == steps("order", None, order("in_progress", "New") | created)
    assert [] == steps("service", None, state("Cancelled"))


def test_a_baseline_makes_no_transition() -> None:
    """Of a whole stream, or of a field read for the first time."""
    moved = eligibility("pending"), eligibility("eligible")
    assert [] == steps("account", *moved, TransitionPolicy(WORDS, is_baseline=True))
    assert [] == steps("account", *moved, TransitionPolicy(WORDS, baseline_fields=frozenset({"eligibility_status"})))


@given(st.sampled_from(["account", "order", "case", "service", "invoice", "cancellation"]))
def test_nothing_changed_is_no_transition(name: str) -> None:
    """A row compared with itself shows no transition."""
    row = order("approved", "Approved") if name == "order" else {}
    assert [] == found(name, row, row)


# Paths ----------------------------------------------------------------------------------------------------------------

WORD = {"pending": "Pending", "eligible": "Eligible", "ineligible": "Ineligible", "not_requested": None}


def moves(*statuses: str) -> tuple[HistoricChange, ...]:
    words = [WORD.get(status, status) for status in statuses]
    return tuple(
        HistoricChange("a", "eligibility_status", old, new, NOON + timedelta(seconds=number + 1))
        for number, (old, new) in enumerate(pairwise(words))
    )


def path(start: str, end: str, steps: tuple[HistoricChange, ...]) -> list[tuple[str | None, str | None]]:
    before = DEFAULTS["account"] | eligibility(start) | {"verification_known": None}
    after = (
        DEFAULTS["account"] | eligibility(end) | {"verification_known": None, "modified_at": NOON + timedelta(days=1)}
    )
    ends = found("account", eligibility(start), eligibility(end))
    return [(step.old_value, step.new_value) for step in with_steps(ends, {"a": (before, after)}, steps, POLICY)]


@given(st.lists(st.sampled_from(sorted(WORD)), min_size=2, max_size=8))
def test_a_path_is_told_step_by_step_and_leads_from_end_to_end(statuses: list[str]) -> None:
    """Every real step once, oldest first, each beginning where the last one ended."""
    expected = [pair for pair in pairwise(statuses) if pair[0] != pair[1]]
    assert expected == path(statuses[0], statuses[-1], moves(*statuses))


def test_unknown_words_on_the_way_are_passed_over() -> None:
    """Pending, a word nobody mapped, eligible: one step."""
    assert [("pending", "eligible")] == path("pending", "eligible", moves("pending", "Odd", "eligible"))


def test_a_path_that_does_not_end_at_the_snapshot_gives_way_to_the_ends() -> None:
    """History that disagrees with the row is not believed."""
    assert [("pending", "eligible")] == path("pending", "eligible", moves("pending", "ineligible"))
    assert [("pending", "eligible")] == path("pending", "eligible", moves("ineligible", "eligible"))


def test_steps_seen_before_are_not_told_again() -> None:
    """A step not after the known row's stamp was observed with it."""
    seen = HistoricChange("a", "eligibility_status", None, "Pending", NOON)
    assert [("pending", "eligible")] == path("pending", "eligible", (seen, *moves("pending", "eligible")))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, NOON - timedelta(hours=9), NOON - timedelta(hours=9)),
        (NOON - timedelta(days=9), NOON - timedelta(days=9), NOON),
        (None, None, NOON),
    ],
    ids=["the field for it moved along", "the field is of an earlier review", "there is none"],
)
def test_a_review_is_dated_by_the_field_for_it(
    before: datetime | None, after: datetime | None, expected: datetime
) -> None:
    """Reviewed at 03:00 and touched again at noon: 03:00 it is; SystemModstamp only where the field says nothing."""
    old = {"verification_known": "submitted", "verification_reviewed_at": before}
    new = {"verification_known": "verified", "verification_reviewed_at": after, "modified_at": NOON}
    (step,) = found("account", old, new)
    assert expected == step.source_changed_at
