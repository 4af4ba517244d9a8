"""Tags, freshness and the splice that joins it to the stored bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readapi.age import FreshnessLimits, Read
from readapi.answers import conditional, instant, names, tag_of_content, with_freshness

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LIMITS = FreshnessLimits(timedelta(minutes=60), timedelta(minutes=30))


@pytest.mark.parametrize(
    ("expected", "header"),
    [
        (True, '"a"'),
        (True, 'W/"a"'),
        (True, '"b", "a"'),
        (True, '"b",W/"a","c"'),
        (True, "*"),
        (True, " * "),
        (False, '"b"'),
        (False, "a"),
        (False, ""),
        (False, '"A"'),
        (False, '"*"'),
    ],
)
def test_if_none_match_is_read_as_a_list_of_tags(expected, header):
    """Lists, weak tags and the star (RFC 9110, 13.1.2)."""
    assert expected is names(header, '"a"')


def test_a_match_leaves_out_the_body_and_its_type_only():
    """304 keeps tag, caching and Vary."""
    full, unchanged = conditional(b"{}", '"a"', None), conditional(b"{}", '"a"', '"a"')
    assert (200, b"{}", 304, b"") == (full.status, full.body, unchanged.status, unchanged.body)
    assert dict(full.headers) == dict(unchanged.headers) | {"Content-Type": "application/json"}


def test_tags_are_weak_and_tell_stale_content_from_fresh():
    """The same content under another age is another answer to show."""
    assert ('W/"a"', 'W/"a-stale"') == (tag_of_content("a", is_stale=False), tag_of_content("a", is_stale=True))


@pytest.mark.parametrize(
    ("is_stale", "salesforce", "whmcs"),
    [
        (False, NOW - timedelta(minutes=60), NOW - timedelta(minutes=30)),
        (True, NOW - timedelta(minutes=60, microseconds=1), NOW),
        (True, NOW, NOW - timedelta(minutes=30, microseconds=1)),
        (True, None, NOW),
        (True, NOW, None),
        (False, NOW + timedelta(days=1), NOW),
    ],
)
def test_stale_means_past_a_limit_or_never_read(is_stale, salesforce, whmcs):
    """Exactly at its limit a section is fresh still."""
    read = Read(NOW, salesforce, whmcs, NOW, None, has_client=True)
    assert is_stale is read.is_stale(LIMITS, NOW)


def test_a_customer_without_a_client_has_no_billing_to_age():
    """Its billing sections are as old as the account, which says that there is none."""
    read = Read(NOW, NOW, None, None, None, has_client=False)
    assert {NOW} == set(read.as_of().values())
    assert not read.is_stale(LIMITS, NOW)


def test_instants_end_in_z_whatever_their_offset():
    """RFC 3339 in UTC."""
    assert "2026-02-28T15:00:00.000Z" == instant(datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=9))))
    assert "2026-03-01T00:00:00.001Z" == instant(NOW.replace(microsecond=1999))


@given(st.dictionaries(st.text(), st.text() | st.integers(0, 9) | st.none(), min_size=1))
def test_the_splice_adds_one_member_and_changes_no_byte(document):
    """The document's bytes stand as they were; freshness comes last."""
    stored = orjson.dumps({"customerId": "x"} | {key: value for key, value in document.items() if key != "freshness"})
    whole = with_freshness(stored, b"{}")
    assert whole.startswith(stored[:-1])
    assert orjson.loads(stored) | {"freshness": {}} == orjson.loads(whole)
