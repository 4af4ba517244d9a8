"""SOQL as the stand-in reads and answers it (salesforce-api 3.3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.salesforce.soql import SoqlError, parse
from jobs.sandbox.salesforce.soql_run import bind, find_ids

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def org() -> SalesforceOrg:
    """Accounts named a to e, one minute apart; c and e have no industry; e is a customer's of decimals and quotes."""
    org = SalesforceOrg(SimulatedClock(START))
    for minute, (name, industry) in enumerate([("a", "Rail"), ("b", "Air"), ("c", None), ("d", "rail"), ("e's", None)]):
        org.clock.advance_to(START + timedelta(minutes=minute, milliseconds=700))
        org.insert("Account", Name=name, Industry=industry)
    org.insert(
        "Order", AccountId=next(iter(org.tables["Account"].keys())), EffectiveDate=date(2026, 12, 1), TotalAmount=9.5
    )
    return org


def _names(org: SalesforceOrg, rest: str) -> str:
    bound = bind(org, parse(f"SELECT Id FROM Account {rest}"), include_deleted=False)
    return "".join(str(org.tables["Account"].get(key)["Name"])[0] for key in find_ids(org, bound))  # type: ignore[index]


@pytest.mark.parametrize(
    ("rest", "names"),
    [
        ("WHERE Name = 'A'", "a"),
        ("WHERE Name != 'a'", "bcde"),
        ("WHERE Name IN ('a', 'c') OR Name = 'd'", "acd"),
        ("WHERE Name NOT IN ('a', 'c') AND Industry = null", "e"),
        ("WHERE NOT (Name = 'a' OR Name = 'b')", "cde"),
        (r"WHERE Name = 'e\'s'", "e"),
        ("WHERE Name LIKE 'E%'", "e"),
        ("WHERE Industry = 'RAIL'", "ad"),
        ("WHERE Industry != 'Air'", "acde"),
        ("WHERE IsDeleted = false", "abcde"),
        ("WHERE IsDeleted = true", ""),
        ("ORDER BY Name DESC", "edcba"),
        ("ORDER BY Industry, Name", "cebad"),
        ("ORDER BY Industry DESC NULLS LAST, Name DESC", "dabec"),
        ("ORDER BY Id LIMIT 2 OFFSET 1", "bc"),
        ("ORDER BY Id DESC LIMIT 1", "e"),
    ],
)
def test_conditions_and_orders_choose_records(org: SalesforceOrg, rest: str, names: str) -> None:
    """Text compares regardless of case; `!=` lets null through; nulls come first unless said otherwise."""
    assert names == _names(org, rest)


@pytest.mark.parametrize(
    ("rest", "names"),
    [
        ("WHERE SystemModstamp >= 2026-11-20T10:02:00Z", "cde"),
        ("WHERE SystemModstamp > 2026-11-20T10:02:00.900+00:00", "de"),
        ("WHERE SystemModstamp >= 2026-11-20T05:01:00-05:00 AND SystemModstamp < 2026-11-20T10:03:00Z", "bc"),
        ("WHERE SystemModstamp = 2026-11-20T10:03:00Z", "d"),
        ("WHERE SystemModstamp > 2026-11-20T10:03:00Z OR Name = 'a'", "ae"),
        ("WHERE (SystemModstamp >= 2026-11-20T10:01:00Z AND (Name = 'b' OR Name = 'e''s'))", None),
    ],
)
def test_windows_of_the_stamp_compare_whole_seconds(org: SalesforceOrg, rest: str, names: str | None) -> None:
    if names is None:
        with pytest.raises(SoqlError):
            _names(org, rest)
    else:
        assert names == _names(org, rest)


def test_records_follow_an_id(org: SalesforceOrg) -> None:
    keys = list(org.tables["Account"].keys())
    assert "de" == _names(org, f"WHERE Id > '{keys[2]}' ORDER BY Id")
    assert "de" == _names(org, f"WHERE Id > '{keys[2][:15]}' ORDER BY Id")
    assert "cd" == _names(org, f"WHERE Id >= '{keys[2]}' AND Id < '{keys[4]}' ORDER BY Id LIMIT 9")
    assert "ac" == _names(org, f"WHERE Id IN ('{keys[2]}', '{keys[0][:15]}', '001000000000000AAA')")


def test_numbers_dates_and_parents_can_be_asked_for(org: SalesforceOrg) -> None:
    soql = "SELECT Id FROM Order WHERE TotalAmount > 9 AND EffectiveDate = 2026-12-01 AND Account.Name = 'a'"
    assert 1 == len(find_ids(org, bind(org, parse(soql), include_deleted=False)))


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT Foo__c FROM Account", "INVALID_FIELD", "No such column 'Foo__c' on entity 'Account'"),
        ("SELECT Foo__c FROM Account", "INVALID_FIELD", "ERROR at Row:1:Column:8"),
        ("SELECT Id FROM Account WHERE Foo = 1", "INVALID_FIELD", "No such column 'Foo'"),
        ("SELECT Foo.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Foo'"),
        ("SELECT Id FROM Foo__c", "INVALID_TYPE", "sObject type 'Foo__c' is not supported."),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: <EOF>"),
        ("SELECT Id, FROM Account", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-11-20T10:00:00 00:00", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-11-20T10:00:00Z'", "INVALID_FIELD", "enclosed in quotes"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-11-20", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT of at most 200"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(org: SalesforceOrg, soql: str, code: str, message: str) -> None:
    with pytest.raises(SoqlError) as refused:
        bind(org, parse(soql), include_deleted=False)
    assert code == refused.value.code
    assert message in refused.value.message
