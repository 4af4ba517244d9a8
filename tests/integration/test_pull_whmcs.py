"""Pulls of WHMCS over real HTTP, from a stand-in that misbehaves on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import stamina

from config import fields, schedule
from config.fields import Link
from config.settings import Settings
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from jobs.sandbox.whmcs import WhmcsInstall, serve
from jobs.sources import whmcs
from jobs.sources.errors import CredentialsError, PermissionDenied, SourceError, TransientError
from jobs.sources.known import NOTHING, KnownRows
from jobs.sources.whmcs import WhmcsSource
from materializer.snapshot.pulls import Pulled, StreamState

TOKYO = ZoneInfo("Asia/Tokyo")
START = datetime(2026, 11, 1, tzinfo=UTC)
PEOPLE = Population(customers=60, seed=1, start=date(2026, 11, 1), zone=TOKYO)
STREAMS = {
    "client": "clients",
    "invoice": "invoices",
    "service": "services",
    "cancellation": "cancellations",
    "pay_method": "pay_methods",
}
Connect = Callable[..., WhmcsSource]


@pytest.fixture(autouse=True)
def _tries_follow_at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def install() -> WhmcsInstall:
    return WhmcsInstall(SimulatedClock(START), zone=TOKYO, tables=PEOPLE.whmcs_tables())


@pytest.fixture
def connect(install: WhmcsInstall) -> Iterator[Connect]:
    sources: list[WhmcsSource] = []
    with serve(install) as standin:

        def connected(link: Link | None = None, secret: str | None = None, **pulls: Any) -> WhmcsSource:
            plan = schedule.load()
            slower = plan.whmcs.model_copy(update={"page_size": 50} | pulls)
            plan = plan.model_copy(update={"whmcs": slower})
            mapping = fields.load()
            settings = Settings(
                _env_file=None,
                whmcs_url=standin.url,
                whmcs_identifier=install.identifier,
                whmcs_secret=secret or install.secret,
                whmcs_timezone="Asia/Tokyo",
            )
            source = whmcs.connect(settings, mapping.model_copy(update={"link": link}) if link else mapping, plan)
            sources.append(source)
            return source

        yield connected
        for source in sources:
            source.close()


def keys(pulled: Pulled) -> list[int]:
    return [key for window in pulled.spool.windows(1000) for key in window[pulled.stream.key].to_pylist()]


def rows(pulled: Pulled) -> list[dict[str, Any]]:
    return [row for window in pulled.spool.windows(1000) for row in window.to_pylist()]


def state(pulled: Pulled, at: datetime = START) -> StreamState:
    return StreamState(pulled.stream.name, None, at, at, at, pulled.fields)


def everything(source: WhmcsSource) -> dict[str, list[dict[str, Any]]]:
    return {name: rows(source.pull(name, None)) for name in STREAMS}


def test_a_sweep_reads_every_row_and_is_complete(install: WhmcsInstall, connect: Connect) -> None:
    """What is received equals what the install holds, and what it announces."""
    source = connect()
    for name, table in STREAMS.items():
        pulled = source.pull(name, None)
        assert pulled.is_complete, pulled.why_incomplete
        assert list(install.tables[table].keys()) == keys(pulled), name


@pytest.mark.parametrize(
    "quirk",
    [
        {"ids": "str"},
        {"ids": "mixed", "counters": "str"},
        {"single_as_object": True},
        {"numeric_keys": True},
        {"flat_keys": True},
        {"page_cap": 17},
        {"empty_date": "null"},
        {"empty_date": "text"},
        {"error_key": "status"},
        {"tie_order": "stable", "version": "8.2", "escaped_unicode": True},
    ],
)
def test_every_form_of_an_answer_gives_the_same_rows(
    install: WhmcsInstall, connect: Connect, quirk: dict[str, Any]
) -> None:
    """Ids as text, lists as maps, single objects, capped pages: the rows are the same (Q13 to Q20)."""
    plain = everything(connect())
    for name, value in quirk.items():
        setattr(install.quirks, name, value)
    assert plain == everything(connect())


@pytest.mark.parametrize("form", ["missing", "text", "list", "object", "nested_list", "nested_text"])
def test_every_empty_list_is_empty(install: WhmcsInstall, connect: Connect, form: str) -> None:
    """No ghost record, and nothing announced (Q13, Q14)."""
    for key in list(install.tables["cancellations"].keys()):
        install.tables["cancellations"].remove(key)
    install.quirks.empty_list = form  # type: ignore[assignment]
    pulled = connect().pull("cancellation", None)
    assert (0, True, ()) == (pulled.spool.rows, pulled.is_complete, pulled.set_aside)


@pytest.mark.parametrize(
    "kind", ["html", "truncated_body", "truncated_json", "empty_body", "reset", "status", "emitter_500", "waf_403"]
)
def test_a_passing_fault_in_mid_sweep_loses_nothing(install: WhmcsInstall, connect: Connect, kind: str) -> None:
    """Retried; never read as an empty list (Q7, Q8, Q11)."""
    source = connect()
    install.faults.add(kind, "GetInvoices", after=2)
    pulled = source.pull("invoice", None)
    assert pulled.is_complete
    assert list(install.tables["invoices"].keys()) == keys(pulled)


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("auth_failed", CredentialsError, "WHMCS_SECRET"),
        ("invalid_ip", CredentialsError, r"203\.0\.113\.9"),
        ("action_not_allowed", PermissionDenied, "tick GetInvoices"),
        ("admin_required", SourceError, "WHMCS_URL"),
        ("html", TransientError, "maintenance"),
    ],
)
def test_a_lasting_refusal_is_told_with_its_remedy(
    install: WhmcsInstall, connect: Connect, kind: str, error: type[Exception], words: str
) -> None:
    """The three kinds of 403 differ by their message; authentication is never repeated (Q2, Q3, Q5, Q38)."""
    source = connect()
    fault = install.faults.add(kind, "GetInvoices", times=None)
    with pytest.raises(error, match=words):
        source.pull("invoice", None)
    assert (fault.hits == 1) == (error is not TransientError)


def test_wrong_credentials_are_not_repeated_in_the_message(connect: Connect) -> None:
    """The message names the settings, not their values."""
    with pytest.raises(CredentialsError) as refused:
        connect(secret="very-secret")
    assert "very-secret" not in str(refused.value)


def test_a_row_deleted_between_pages_hides_no_other(install: WhmcsInstall, connect: Connect) -> None:
    """The shared row differs, the reader steps back; a small list is swept again (whmcs-api 8)."""
    held = list(install.tables["invoices"].keys())

    def delete_once(action: str, parameters: dict[str, str]) -> None:
        if action.lower() == "getinvoices" and parameters.get("limitstart") not in (None, "0"):
            install.after_page = None
            install.tables["invoices"].remove(held[3])

    source = connect(concurrency=1)
    install.after_page = delete_once
    pulled = source.pull("invoice", None)
    assert set(held) - {held[3]} <= set(keys(pulled))
    assert not pulled.is_complete or held[3] not in keys(pulled)


def test_hints_find_new_and_paid_invoices(install: WhmcsInstall, connect: Connect) -> None:
    """Between sweeps: the newest ones, the unpaid ones, and those that left the unpaid list."""
    source = connect(sweep_always_below_rows=0)
    before = source.pull("invoice", None)
    unpaid = frozenset(row["invoice_id"] for row in rows(before) if row["status"] == "Unpaid")
    paid = min(unpaid)
    install.tables["invoices"].change(paid, status="Paid")
    known = KnownRows(rows=before.spool.rows, highest_id=keys(before)[-1], unpaid=unpaid)
    pulled = source.pull("invoice", state(before), known=known, now=START + timedelta(minutes=10))
    found = {row["invoice_id"]: row for row in rows(pulled)}
    assert "partial" == pulled.extent
    assert ("Paid", "JPY") == (found[paid]["status"], found[paid]["currency"])
    assert unpaid <= set(found)


def test_a_first_reading_of_pay_methods_ends_in_time_and_goes_on_in_the_next_run(connect: Connect) -> None:
    """So that a large company's invoices do not wait for hours; who was not read comes next, and --full reads all."""
    source = connect(pay_methods_minutes=0)
    clients = sorted(keys(source.pull("client", None)))
    everybody = KnownRows(clients=len(clients), readings=tuple((client, None) for client in clients))
    first = source.pull("pay_method", None, known=everybody)
    assert clients[:25] == list(first.owners)
    left = [(client, None) for client in clients[25:]] + [(client, START) for client in clients[:25]]
    known = KnownRows(clients=len(clients), readings=tuple(left))
    later = source.pull("pay_method", state(first), known=known, now=START + timedelta(minutes=10))
    assert clients[25:50] == list(later.owners)
    assert clients == sorted(source.pull("pay_method", None, full=True, known=everybody).owners)


def test_pay_methods_are_read_round_robin(install: WhmcsInstall, connect: Connect) -> None:
    """Those never read come first; the clients read are named."""
    source = connect()
    clients = keys(source.pull("client", None))
    readings = tuple((client, START) for client in clients)
    known = KnownRows(readings=readings, clients=len(readings))
    baseline = source.pull("pay_method", None, known=known)
    assert clients == list(baseline.owners)
    pulled = source.pull("pay_method", state(baseline), known=known, now=START + timedelta(minutes=10))
    assert ("owners", clients[:25]) == (pulled.extent, list(pulled.owners))


def test_the_missing_are_looked_up_directly(install: WhmcsInstall, connect: Connect) -> None:
    """Each stream's own look-up shows what is gone; what is there is not."""
    source = connect()
    for name in ("client", "invoice", "service", "cancellation"):
        present = next(iter(install.tables[STREAMS[name]].keys()))
        pulled = source.pull(name, None)
        assert pulled.confirm_gone is not None
        assert {999_999_999} == pulled.confirm_gone([present, 999_999_999]), name


def test_an_account_reference_comes_from_the_custom_field(install: WhmcsInstall, connect: Connect) -> None:
    """Under the other link rule each client's details are read; known references are kept between."""
    link = Link(held_by="client", client_custom_field=3)
    source = connect(link=link)
    pulled = source.pull("client", None)
    assert install.tables["clients"].__len__() == pulled.spool.rows
    kept = dict.fromkeys(keys(pulled), "001000000000001AAA")
    again = source.pull("client", state(pulled), known=KnownRows(references=kept), now=START)
    assert {"001000000000001AAA"} == {row["account_reference"] for row in rows(again)}


def test_no_secret_is_taken_from_an_answer(connect: Connect) -> None:
    """Passwords, tokens, names and reasons are dropped in the transport (Q33)."""
    source = connect()
    read = {key for wanted in source._streams.values() for key in wanted.action.keys}
    assert not read & {"password", "remote_token", "reason", "firstname", "lastname", "email", "notes", "username"}
    assert NOTHING == KnownRows()


def test_a_text_that_is_no_utf8_costs_no_row(install: WhmcsInstall, connect: Connect) -> None:
    """The page is halved down to the row, and that is read as XML: the broken text is none that is taken (Q9, Q10)."""
    held = list(install.tables["invoices"].keys())
    for key in (held[0], held[49], held[120]):
        install.poison("invoices", key)
    pulled = connect().pull("invoice", None)
    assert (held, (), True) == (keys(pulled), pulled.set_aside, pulled.is_complete)
