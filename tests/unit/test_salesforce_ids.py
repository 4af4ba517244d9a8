"""Salesforce ids and the words of its records."""

from __future__ import annotations

import pytest

from config import fields
from config.salesforce_id import normalised
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
