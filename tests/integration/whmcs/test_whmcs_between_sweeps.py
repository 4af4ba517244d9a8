"""A large install between two sweeps: newest rows, the round robin, and manners (whmcs-api 2, 8)."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import stamina
from sqlalchemy import Engine

import config
from config import tables
from tests.whmcs_world import PEOPLE, START, TOKYO, World, moved

PACKAGED = Path(config.__file__).with_name("schedule.toml")


@pytest.fixture
def large(synced: World, tmp_path: Path) -> World:
    """To the schedule file of this install no list is small."""
    file = tmp_path / "schedule.toml"
    file.write_text(PACKAGED.read_text().replace("sweep_always_below_rows = 20000", "sweep_always_below_rows = 5"))
    synced.settings["me_status_schedule"] = str(file)
    assert 5 == synced.program.tables.schedule.whmcs.sweep_always_below_rows
    synced.later(minutes=10)
    return synced


def test_the_schedule_file_replaces_the_packaged_one(large: World) -> None:
    """The setting is read by the program as it is by the command."""
    loaded = tables.load(large.program.settings)
    assert (5, 250) == (loaded.schedule.whmcs.sweep_always_below_rows, loaded.schedule.whmcs.page_size)


def test_a_paid_invoice_is_found_between_sweeps(large: World) -> None:
    """It left the list of the unpaid and is looked up; all others were left in peace."""
    paid = large.values("select invoice_id from snapshot.invoice where status = 'Unpaid' order by 1 limit 1")[0]
    large.install.pay_invoice(paid)
    report = large.sync()
    assert ("succeeded", "partial", {"changed": 1}) == (
        report.outcome,
        report.counts["invoice"]["extent"],
        moved(report),
    )
    assert [("invoice", str(paid), "Unpaid", "Paid")] == large.transitions
    assert report.counts["invoice"]["read"] < len(large.keys("invoice"))
    assert ["JPY"] == large.values(f"select currency from snapshot.invoice where invoice_id = {paid}")


def test_new_records_are_found_between_sweeps(large: World) -> None:
    """A client, its service and invoice, and a request to cancel."""
    client = large.install.add_client()
    service = large.install.add_service(client)
    large.install.add_invoice(client)
    large.install.add_cancellation(service)
    report = large.sync()
    assert ({"added": 4}, {}) == (moved(report), large.lost)


def test_what_hints_do_not_see_the_next_sweep_does(large: World) -> None:
    """An old service changed in the middle of an unsorted list; within the hour it is known."""
    large.pulls["page_size"] = 12
    service = large.keys("service")[0]
    large.install.set_service_status(service, "Suspended")
    large.delete("invoice", large.keys("invoice")[0])
    large.sync()
    large.later(minutes=60)
    large.sync()
    assert ({}, True) == (large.lost, ("service", str(service)) in [step[:2] for step in large.transitions])


def test_hints_remove_nothing(large: World) -> None:
    """A partial pull proves no absence."""
    large.delete("client", large.keys("client")[0])
    large.install.add_client()
    before = large.kept("client")
    large.sync()
    assert {*before} <= {*large.kept("client")}


# The round robin ------------------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(engine: Engine) -> Iterator[World]:
    """More clients than one reading takes, with nothing else."""
    world = World(engine, PEOPLE.__class__(customers=180, seed=2, start=PEOPLE.start, zone=TOKYO))
    world.pulls |= {"page_size": 250}
    world.empty("cancellation", "service", "invoice")
    with stamina.set_testing(True, attempts=3, cap=True):
        yield world
    world.close()


def test_each_client_is_read_at_least_once_a_day(crowd: World) -> None:
    """Over two days of runs each hour, with clients that come later; and not much oftener."""
    crowd.sync()
    read_at: dict[int, list[datetime]] = {client: [START] for client in crowd.keys("client")}
    calls: list[int] = []
    for hour in range(48):
        now = crowd.later(hours=1)
        if hour == 20:
            read_at[crowd.install.add_client()] = [now]
        crowd.requests.clear()
        crowd.sync()
        asked = [int(label.split("clientid=")[1].split("&")[0]) for label in crowd.asked("GetPayMethods")]
        calls.append(len(asked))
        for client in asked:
            read_at[client].append(now)
    gaps = [later - sooner for times in read_at.values() for sooner, later in itertools.pairwise(times)]
    assert timedelta(hours=24) >= max(gaps)
    assert {*read_at} == {
        client for client, times in read_at.items() if crowd.install.clock.now() - times[-1] < timedelta(hours=24)
    }
    assert 30 >= max(calls)
    assert 2 * len(read_at) <= sum(calls) <= 8 * len(read_at)


# Manners --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_requests_at_once_than_configured(world: World, concurrency: int) -> None:
    """Over all kinds of requests; the stand-in counts those in hand."""
    world.pulls |= {"concurrency": concurrency, "page_size": 5}
    world.install.faults.add("slow", times=12, seconds=0.05)
    world.sync()
    assert concurrency == world.most_at_once


def test_the_pause_between_requests_is_kept(world: World) -> None:
    """One worker with 20 ms after each answer."""
    world.pulls |= {"concurrency": 1, "pause_milliseconds": 20}
    begun = time.monotonic()
    world.sync()
    assert 0.02 * (len(world.requests) - 1) <= time.monotonic() - begun


def test_after_a_failure_all_requests_wait(world: World) -> None:
    """One back-off for all: a busy install is not asked by the others meanwhile."""
    world.pulls |= {"concurrency": 4, "page_size": 5}
    times: list[tuple[float, str]] = []
    world.spoil = lambda asked, body: (times.append((time.monotonic(), asked)), body)[1]
    world.install.faults.add("status", "GetInvoices .*limitstart=[1-9]", times=4, after=4)
    assert "succeeded" == world.sync().outcome
    moments = [moment for moment, asked in times if "GetInvoices" in asked]
    assert 0.15 <= max(b - a for a, b in itertools.pairwise(moments))
    assert {} == world.lost


def test_what_was_under_way_together_fails_as_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four failures at once are no reason to wait sixteen times as long."""
    world.pulls |= {"concurrency": 4, "page_size": 5}
    for offset in (4, 8, 12, 16):  # each on its own, so that none is refused more often than it is asked again
        world.install.faults.add("status", rf"GetInvoices .*limitstart={offset}(?!\d)", times=2)
    waits: list[float] = []
    sleeping = SimpleNamespace(monotonic=time.monotonic, sleep=lambda wait: (waits.append(wait), time.sleep(wait)))
    monkeypatch.setattr("jobs.sources.whmcs.transport.time", sleeping)
    assert "succeeded" == world.sync().outcome
    assert 0 < max(waits) < 0.1 * 2**4


def test_counted_calls_of_a_quiet_run(synced: World) -> None:
    """Nothing changed: the pages, one look at each total, and the shares of both round robins."""
    synced.pulls["page_size"] = 250
    synced.later(minutes=10)
    report = synced.sync()
    assert {} == moved(report)
    assert {
        "GetPayMethods": 25,
        "GetInvoice": 6,
        "GetClients": 3,
        "GetInvoices": 2,
        "GetClientsProducts": 2,
        "GetCancelledPackages": 2,
    } == (dict(Counter(label.split()[0] for label in synced.requests)))
