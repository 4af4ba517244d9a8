"""`me-status doctor` against an org and an install that misbehave: a line each, with the remedy."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import stamina
from sqlalchemy import Engine, text

from config import schedule
from jobs.commands import doctor
from jobs.commands.doctor import Line
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.salesforce import SalesforceOrg, app
from jobs.sandbox.server import StandIn
from jobs.sandbox.whmcs import WhmcsInstall
from jobs.sandbox.whmcs.single import ACTIONS
from tests.whmcs_world import PEOPLE, TOKYO, World

PROBLEMS = """
insert into snapshot.account
    (account_id, is_customer, eligibility_status, eligibility_word, verification_status, whmcs_client_id,
     unreadable_link)
values ('0015i0000003qKKAAY', true, 'eligible', 'Eligible', 'verified', 999, null),
       ('0015i0000003qKLAAY', true, 'unknown', 'Perhaps', 'verified', null, '1.01E+05');
insert into pipeline.stream_state (stream, synced_at, run_id) values ('client', now(), 1);
insert into pipeline.set_aside_record (stream, record_id, field, reason, first_seen_at, last_seen_at, run_id)
values ('invoice', '1042', 'total', 'is not a number', now(), now(), 1);
insert into pipeline.failed_customer (customer_id, reason, failures, first_failed_at, last_failed_at, retry_at, run_id)
values ('0015i0000003qKKAAY', 'unexpected OverflowError', 1, now(), now(), now(), 1);
insert into pipeline.incomplete_stream (stream, reason, first_seen_at, last_seen_at, run_id)
values ('invoice', 'announced 167 rows', now(), now(), 1);
"""
"""One of each kind."""


class Patient(World):
    """An install and an org whose clocks show `now` as the wall clock does, or `ahead` of it."""

    def __init__(self, engine: Engine, ahead: timedelta = timedelta()) -> None:
        super().__init__(engine)
        self.standin.close()
        clock = SimulatedClock(datetime.now(UTC) + ahead)
        self.install = WhmcsInstall(clock, zone=TOKYO, tables=PEOPLE.whmcs_tables())
        self.org = SalesforceOrg(clock)
        self.standin = StandIn(self._watched(self.install.app()), clock)
        self.org_standin = StandIn(app(self.org), clock)
        self.settings |= {
            "database_url": engine.url.set(drivername="postgresql").render_as_string(hide_password=False),
            "whmcs_url": self.standin.url,
            "salesforce_instance_url": self.org_standin.url,
            "salesforce_consumer_key": self.org.consumer_key,
            "salesforce_consumer_secret": self.org.consumer_secret,
        }

    def close(self) -> None:
        super().close()
        self.org_standin.close()

    def lines(self) -> list[Line]:
        return list(doctor.check(self.program))

    def line(self, thing: str) -> Line:
        """The last line about a thing."""
        return [line for line in self.lines() if line.thing == thing][-1]


@pytest.fixture
def patient(engine: Engine) -> Iterator[Patient]:
    patient = Patient(engine)
    with stamina.set_testing(True, attempts=1):
        yield patient
    patient.close()


def test_of_the_healthy_nothing_fails(patient: Patient) -> None:
    """Green but for what is a matter of taste, and for the rights of the tests' own login."""
    assert [] == [line for line in patient.lines() if line.level == "fail"]
    assert {"API tokens", "database rights"} == {line.thing for line in patient.lines() if line.level == "warn"}


@pytest.mark.parametrize(
    ("kind", "thing", "remedy"),
    [
        ("auth_failed", "WHMCS login", "check WHMCS_IDENTIFIER, WHMCS_SECRET"),
        ("invalid_ip", "WHMCS login", "API IP Access Restriction"),
        ("html", "WHMCS login", "maintenance"),
        ("admin_required", "WHMCS login", "give WHMCS_URL without"),
        ("reset", "WHMCS login", "check WHMCS_URL and the network"),
    ],
)
def test_a_whmcs_that_refuses_is_one_red_line(patient: Patient, kind: str, thing: str, remedy: str) -> None:
    """The rest is checked all the same."""
    patient.install.faults.add(kind, times=None)
    line = patient.line(thing)
    assert ("fail", True) == (line.level, remedy in line.finding + line.remedy)
    assert "ok" == patient.line("Salesforce login").level


@pytest.mark.parametrize("action", sorted(doctor.ACTIONS.keys() - {"GetClients"}))
def test_an_action_that_is_not_allowed_is_named(patient: Patient, action: str) -> None:
    """With what is lost without it."""
    patient.install.role = set(ACTIONS) - {action}
    line = patient.line(f"WHMCS {action}")
    assert ("fail", "allow the action in the credentials' API role") == (line.level, line.remedy)
    assert 1 == sum(line.level == "fail" for line in patient.lines())


@pytest.mark.parametrize(
    ("what", "field", "level", "remedy"),
    [
        ("hide", "Internet_Eligibility_Status__c", "fail", "grant Read on it"),
        ("remove", "Id_Verification_Status__c", "fail", "create it"),
        ("hide", "Internet_Eligibility_Notes__c", "warn", "grant Read on it"),
        ("remove", "WHMCS_Client_Id__c", "warn", "create it"),
        ("formula", "Internet_Eligibility_Status__c", "warn", "full_every_hours"),
    ],
)
def test_a_field_that_is_hidden_missing_or_computed_is_named(
    patient: Patient, what: str, field: str, level: str, remedy: str
) -> None:
    """Red for the two required fields, yellow for the others."""
    if what == "formula":
        account = patient.org.insert("Account", Name="Kanto Denki")
        patient.org.set_formula("Account", account, **{field: "Pending"})
    else:
        getattr(patient.org, f"{what}_field")("Account", field)
    line = patient.line(f"Account.{field}")
    assert (level, True) == (line.level, remedy in line.remedy)


def test_a_salesforce_that_refuses_is_one_red_line(patient: Patient) -> None:
    """WHMCS is checked all the same."""
    patient.settings["salesforce_consumer_secret"] = "wrong-secret-value"
    line = patient.line("Salesforce login")
    assert ("fail", False) == (line.level, "wrong-secret-value" in f"{line}")
    assert "ok" == patient.line("WHMCS login").level


@pytest.mark.parametrize(("minutes", "finding"), [(10, "ahead of this machine's"), (-10, "behind this machine's")])
def test_a_clock_that_is_off_is_yellow_either_way(engine: Engine, minutes: int, finding: str) -> None:
    """Both servers' clocks, against this machine's."""
    patient = Patient(engine, timedelta(minutes=minutes))
    for source in ("Salesforce", "WHMCS"):
        line = patient.line(f"{source} clock")
        assert ("warn", True) == (line.level, finding in line.finding)
    patient.close()


@pytest.mark.parametrize(("zone", "level"), [("Asia/Tokyo", "ok"), ("UTC", "warn")])
def test_a_wrong_zone_of_the_server_is_yellow(patient: Patient, zone: str, level: str) -> None:
    """Its own clock shows it (whmcs-api 7.14); where that is not allowed, nothing is said against it."""
    patient.settings["whmcs_timezone"] = zone
    assert level == patient.line("WHMCS zone").level
    patient.install.role = set(ACTIONS) - {"GetAutomationLog"}
    assert "ok" == patient.line("WHMCS zone").level


@pytest.mark.parametrize(
    ("announced", "own", "other", "level", "says"),
    [
        (7, 7, 8, "ok", "none; one in between would have to pool by session"),
        (7, 20, 21, "ok", "it pools by session, the mode that works"),
        (7, 20, 20, "fail", "it pools by transaction: locks and settings of a session do not hold"),
    ],
)
def test_which_pooler_works_is_said(announced: int, own: int, other: int, level: str, says: str) -> None:
    """Told by the processes of the server that serve two connections, one of them resting."""
    line = doctor._pooling(announced, own, other)
    assert (level, says) == (line.level, line.finding)
    assert ("pool_mode = session" in line.remedy) == (level == "fail")


def test_the_first_of_each_kind_of_problem_is_named_with_the_remedy(patient: Patient) -> None:
    """Records, words, links, customers and streams, each by its name."""
    with patient.engine.begin() as connection:
        for statement in PROBLEMS.split(";")[:-1]:
            connection.execute(text(statement))
    lines = [line for line in patient.lines() if line.thing in ("records", "links")]
    assert all(line.level == "warn" and line.remedy for line in lines)
    assert [
        "1 accounts naming a client that is not there, such as account 0015i0000003qKKAAY and client 999",
        "1 link that is not a client id, such as of account 0015i0000003qKLAAY: '1.01E+05'",
        "1 record that cannot be read, such as invoice 1042, total: is not a number",
        "1 word that no mapping knows, such as 'Perhaps' in eligibility_status of account 0015i0000003qKLAAY",
        "1 customer whose document cannot be built, such as 0015i0000003qKKAAY: unexpected OverflowError",
        "1 stream whose last pull proves nothing, such as invoice: announced 167 rows",
    ] == [line.finding for line in lines]


def test_what_whmcs_answered_is_quoted(patient: Patient) -> None:
    """Its own words, beside what to check."""
    patient.install.faults.add("auth_failed", times=None)
    assert "'Authentication Failed'" in patient.line("WHMCS login").finding


@pytest.mark.parametrize(("kind", "code"), [(None, 0), ("auth_failed", 1)])
def test_it_exits_1_only_where_something_fails(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str | None, code: int
) -> None:
    """Warnings leave 0; JSON says the same."""
    for name, value in patient.settings.items():
        monkeypatch.setenv(name.upper(), str(value))
    if kind is not None:
        patient.install.faults.add(kind, times=None)
    assert code == doctor.command(argparse.Namespace(json=True))
    report = json.loads(capsys.readouterr().out)
    assert (code == 0) == report["ok"]
    assert all(check["remedy"] for check in report["checks"] if check["level"] != "ok")


def test_sweeps_that_come_after_the_limit_are_named() -> None:
    """The packaged ones come before it, a slot later included."""
    packaged = schedule.load()
    assert [] == list(doctor.check_sweeps(packaged))
    seldom = packaged.model_copy(update={"whmcs": packaged.whmcs.model_copy(update={"sweep_every_minutes": 60})})
    assert [("warn", "WHMCS sweeps")] == [(line.level, line.thing) for line in doctor.check_sweeps(seldom)]
