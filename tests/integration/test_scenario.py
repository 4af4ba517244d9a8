"""The script of the sandbox, applied to both stand-ins."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.scenario import events, run_instants
from jobs.sandbox.whmcs import WhmcsInstall

START = date(2026, 11, 16)
ZONE = ZoneInfo("Asia/Tokyo")


def played(customers: int, days: int) -> tuple[SalesforceOrg, WhmcsInstall]:
    """Both stand-ins after the whole script."""
    people = Population(customers, 1, START, ZONE)
    script = events(people, days)
    clock = SimulatedClock(script[0].at)
    org = SalesforceOrg(clock, tables=people.salesforce_tables())
    install = WhmcsInstall(clock, zone=ZONE, tables=people.whmcs_tables())
    for event in script:
        clock.advance_to(event.at)
        event.apply(org, install)
    return org, install


@pytest.mark.parametrize("customers", [10, 60, 2000])
@pytest.mark.parametrize("days", [1, 2, 5, 30])
def test_the_script_plays_on_any_size_and_number_of_days(customers: int, days: int) -> None:
    """Every step finds what it is about."""
    org, _ = played(customers, days)
    stages = {(row["Status"], row.get("Activation_Status__c")) for row in org.tables["Order"].rows()}
    assert {("Activated", "Activated"), ("Approved", "Failed")} <= stages


def test_the_same_population_gives_the_same_script() -> None:
    """Deterministic by seed."""
    people = Population(200, 7, START, ZONE)
    assert [(one.at, one.says) for one in events(people, 5)] == [(one.at, one.says) for one in events(people, 5)]


def test_every_event_lies_between_two_runs() -> None:
    """What happens is seen by the next run, and nothing happens after the last."""
    people = Population(200, 1, START, ZONE)
    runs = run_instants(people, 5)
    at = [event.at for event in events(people, 5)]
    assert sorted(at) == at
    assert at[-1] < runs[-1]
    assert not set(at) & set(runs)


@pytest.mark.parametrize("days", [0, 31])
def test_a_number_of_days_without_a_script_is_refused(days: int) -> None:
    """1 to 30."""
    with pytest.raises(ValueError, match="1 to 30 days"):
        run_instants(Population(10, 1, START, ZONE), days)


def test_customers_come_and_go() -> None:
    """Sign-ups, a merge and a deletion."""
    org, install = played(200, 5)
    accounts = list(org.tables["Account"].rows())
    assert len([row for row in accounts if row["IsDeleted"]]) == 2
    assert len([row for row in accounts if row["IsDeleted"] and row["MasterRecordId"]]) == 1
    assert len(accounts) > 200
    assert any(row["status"] == "Cancelled" for row in install.tables["services"].rows())
