"""Salesforce ids and the words of its records."""

from __future__ import annotations

from typing import Any

import pytest

from config import fields
from config.salesforce_id import normalised
from jobs.sources.salesforce.lookup import confirmer
from jobs.sources.salesforce.rows import salesforce_streams, stage

MAPPING = fields.load()


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("001Qx00000AbCdE", "001Qx00000AbCdEIAV"),
        ("801Qx000000aB1c", "801Qx000000aB1cIAE"),
        ("001000000000001", "001000000000001AAA"),
    ],
)
def test_fifteen_characters_are_completed(short: str, whole: str) -> None:
    """The check values of the reference (salesforce-api 9.2)."""
    assert whole == normalised(short) == normalised(whole)


def test_what_is_no_id_is_refused() -> None:
    """An id is never guessed."""
    assert None is normalised(None) is normalised("")
    with pytest.raises(ValueError, match="is not a Salesforce id"):
        normalised("SF-0017")


class Answering:
    """A session whose every query answers with one page of these records."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self._records = list(records)

    def pages(self, *_: object, **__: object) -> list[dict[str, Any]]:
        return [{"records": self._records}]


def test_a_look_up_with_an_id_that_cannot_be_read_takes_nothing_away() -> None:
    """It may be any of those that were asked for; an unreadable winner of a merge is none."""
    first, second = normalised("001000000000001"), normalised("001000000000002")
    merged: dict[str, str] = {}
    confirm = confirmer(Answering({"Id": first, "IsDeleted": True, "MasterRecordId": 7}), "Account", merged)  # type: ignore[arg-type]
    assert ({first, second}, {}) == (confirm([first or "", second or ""]), merged)
    unreadable = Answering({"Id": first, "IsDeleted": True}, {"Id": [], "IsDeleted": False})
    assert set() == confirmer(unreadable, "Account", merged)([first or "", second or ""])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "activation", "expected"),
    [
        ("Draft", None, "draft"),
        ("Submitted", None, "in_progress"),
        ("Approved", "Pending", "approved"),
        ("Approved", "Activated", "activated"),
        ("Approved", "Failed", "failed"),
        ("Cancelled", None, "closed"),
        (None, None, "unknown"),
    ],
)
def test_the_stage_of_an_order(status: str | None, activation: str | None, expected: str) -> None:
    """What activation says weighs more than the order's own status."""
    assert expected == stage(status, activation, MAPPING.words.order)


def test_an_unknown_word_is_unknown_and_a_null_is_not() -> None:
    """A null has a meaning; a word no mapping knows has none, and no known status."""
    records = [
        {"Id": f"00100000000000{n}AAA", "Internet_Eligibility_Status__c": word, "SystemModstamp": None}
        for n, word in enumerate(("Eligible", None, "Maybe"), start=1)
    ]
    read = salesforce_streams(MAPPING)["account"].rows(records, 0)
    rows = read.rows
    assert [] == read.set_aside
    assert ["eligible", "not_requested", "unknown"] == rows["eligibility_status"].to_pylist()
    assert ["eligible", "not_requested", None] == rows["eligibility_known"].to_pylist()
    assert ["not_submitted"] * 3 == rows["verification_status"].to_pylist()


def test_the_account_filter_admits_by_value() -> None:
    """An account is a customer when the filter's field has one of its values; booleans in every spelling."""
    ruled = MAPPING.model_copy(update={"account_filter": fields.AccountFilter(field="Is_Customer__c", any_of=(True,))})
    records = [
        {"Id": f"00100000000000{n}AAA", "Is_Customer__c": value} for n, value in enumerate((True, False, "true"))
    ]
    rows = salesforce_streams(ruled)["account"].rows(records, 0).rows
    assert [True, False, True] == rows["is_customer"].to_pylist()
