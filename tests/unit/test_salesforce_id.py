"""Salesforce ids in 15 and 18 characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.salesforce_id import completed


@pytest.mark.parametrize(
    ("eighteen", "fifteen"),
    [
        ("001Qx00000AbCdEIAV", "001Qx00000AbCdE"),
        ("801Qx000000aB1cIAE", "801Qx000000aB1c"),
        ("001000000000001AAA", "001000000000001"),
    ],
)
def test_fifteen_characters_get_their_checksum(eighteen, fifteen):
    """The check values of salesforce-api 9.2."""
    assert eighteen == completed(fifteen)
    assert eighteen == completed(eighteen)


@pytest.mark.parametrize(
    "subject", ["", "001", "001Qx00000AbCdEI", "001Qx00000AbCd-", "001Qx00000AbCdE\n", "００１Qx00000AbCdE", "é" * 15]
)
def test_what_is_not_formed_like_an_id_is_none(subject):
    """Neither 15 nor 18 ASCII letters and digits: no Account id."""
    assert completed(subject) is None


@given(st.text("ABYZabyz019", min_size=15, max_size=15), st.text("ABYZabyz019", min_size=15, max_size=15))
def test_two_ids_never_meet(one, other):
    """Ids that differ, be it in case alone, stay apart, and differ even when case is lost afterwards."""
    if one != other:
        assert completed(one) != completed(other)
        assert str(completed(one)).lower() != str(completed(other)).lower()
