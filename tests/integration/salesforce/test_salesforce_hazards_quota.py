"""Quota and load: refusals that pass, refusals that last, and large objects by Bulk (hazards H26 to H32)."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest
from structlog.testing import capture_logs

from config import fields
from jobs.sources import salesforce
from jobs.sources.salesforce.rows import salesforce_streams
from tests.salesforce_world import ELIGIBILITY, World

BULK = {"bulk_above_rows": 100}


def test_the_three_kinds_of_403_are_three_things(world: World) -> None:
    """Concurrency passes, the day's quota stops the whole run at once, a missing right concerns its object (H26)."""
    world.accounts(3)
    world.org.faults.add("concurrency_exceeded", "FROM Account", times=2)
    assert "succeeded" == world.sync().outcome
    world.later(minutes=20)
    asked = len(world.requests)
    world.org.faults.add("quota_exceeded", "FROM Account", times=None)
    report = world.sync()
    assert ("failed", True) == (report.outcome, "the next run goes on from here" in (report.error or ""))
    assert not [request for request in world.requests[asked:] if "FROM Order" in request or "FROM Case" in request]
    world.org.faults.clear()
    world.org.faults.add("permission", r"FROM Account|Account/describe", times=None)
    report = world.sync()
    assert "grant the integration user" in (report.error or "")
    assert {"order", "case"} <= set(report.counts)


def test_the_run_stops_at_the_configured_share_and_the_next_one_resumes(world: World) -> None:
    """Usage is read before the run and after each page; what was not applied is read next time (H26, 10)."""
    accounts = world.accounts(900)
    world.sync()
    before = world.cursor()
    world.later(minutes=20)
    world.org.mass_update("Account", accounts, **{ELIGIBILITY: "Eligible"})
    world.org.api_total = round((world.org.api_used + 5) / 0.8)
    report = world.sync()
    assert "quota_stop_percent = 80 stops here" in (report.error or "")
    assert ("failed", before, []) == (report.outcome, world.cursor(), world.transitions)
    assert world.asked("/query/0r8")  # it stopped between pages, not before the first
    used = world.org.api_used
    told = world.values("select source, requests_used, requests_allowed from pipeline.source_state order by source")
    assert [("salesforce", used, world.org.api_total), ("whmcs", None, None)] == told
    assert "failed" == world.sync().outcome
    assert world.org.api_used - used <= 2  # limits are asked first
    world.later(hours=25)
    assert "succeeded" == world.sync().outcome
    assert (900, []) == (len(world.transitions), world.lost())


def test_no_request_is_made_beside_another(world: World) -> None:
    """One at a time, so the limit of 25 long requests is never ours to break (H27)."""
    world.accounts(450)
    under_way, most = [0], [0]
    inner = world.standin._server.app

    def counting(environ, start_response):  # type: ignore[no-untyped-def]
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        try:
            return inner(environ, start_response)
        finally:
            under_way[0] -= 1

    world.standin._server.app = counting
    world.sync()
    assert (450, 1) == (len(world.statuses()), most[0])


def test_a_window_that_runs_too_long_is_halved_until_it_passes(world: World) -> None:
    """QUERY_TIMEOUT is not repeated as it is; nothing is lost at the seams (H28)."""
    accounts = world.accounts(40)
    world.pulls["full_every_hours"] = 24 * 60
    world.sync()
    for account in accounts:
        world.later(hours=6)
        world.org.update("Account", account, **{ELIGIBILITY: "Eligible"})
    world.org.faults.add("query_timeout", "queryAll", times=None, days=2)
    assert "succeeded" == world.sync().outcome
    windows = world.asked("queryAll.*FROM Account WHERE SystemModstamp")
    assert len(windows) == len(set(windows)) > 7
    assert (40, []) == (len(world.transitions), world.lost())


@pytest.mark.parametrize("slow", ["count", "everything"])
def test_a_full_read_that_runs_too_long_goes_by_bulk(world: World, slow: str) -> None:
    """REST cannot halve a read of everything; Bulk is made for it (H28, H32)."""
    world.accounts(30)
    pattern = (
        r"/query/\?q=SELECT (COUNT\(\)|Id).* FROM Account"
        if slow == "count"
        else r"/query/\?q=SELECT Id.* FROM Account"
    )
    world.org.faults.add("query_timeout", pattern, times=None, days=-1)
    assert "succeeded" == world.sync().outcome
    assert (1, []) == (len(world.asked("POST .*jobs/query")), world.lost())


def test_a_large_object_is_one_bulk_job_without_order_or_limit(world: World) -> None:
    """Ordering switches off the platform's chunking; slices multiply jobs: one job each full pull (H29, H31, H32)."""
    accounts = world.accounts(450)
    world.pulls |= BULK
    world.org.bulk_page_rows = 100
    world.sync()
    assert ([], 1, 5) == (
        world.org.bulk_warnings, len(world.asked("POST .*jobs/query")), len(world.asked("/results")),
    )  # fmt: skip
    world.org.set_formula("Account", accounts[7], **{ELIGIBILITY: "Eligible"})
    world.later(hours=25)
    world.sync()
    assert (2, 1, []) == (len(world.asked("POST .*jobs/query")), len(world.transitions), world.lost())


def test_no_request_outgrows_the_limit_of_its_address(world: World) -> None:
    """The longest names a field can have, everything mapped, 200 ids looked up: below 16,384 bytes (H30)."""
    mapping = fields.load()
    long = {name: f"{name[:30]:x<37}__c" for name in type(mapping.account).model_fields}
    selected = salesforce_streams(mapping.model_copy(update={"account": mapping.account.model_copy(update=long)}))
    names = ", ".join((*selected["account"].system, *selected["account"].mapped))
    assert len(quote_plus(names)) < 2_000
    accounts = world.accounts(3000)
    world.sync()
    for account in accounts[:240]:
        world.org.hard_delete("Account", account)
    world.later(hours=1)
    world.sync(full=True, accept_shrink=True)
    lengths = [
        len(quote_plus(asked)) + sum(len(name) + len(value) for name, value in sent.items())
        for asked, sent in zip(world.requests, world.sent_headers, strict=True)
    ]
    assert (2760, 2) == (len(world.statuses()), len(world.asked("Id IN")))
    assert max(lengths) < 16_384 / 2


@pytest.mark.parametrize(
    ("kind", "match"),
    [("bulk_limit", ""), ("bulk_failed", ""), ("permission", "POST .*jobs"), ("html", "jobs/query"), ("reset", "jobs")],
)
def test_where_bulk_does_not_deliver_rest_does(world: World, kind: str, match: str) -> None:
    """Job limit used up, job failed, Bulk forbidden, answers that are none: said, and read by REST (H28 to H31)."""
    world.accounts(450)
    world.pulls |= BULK
    world.org.faults.add(kind, match, times=None if kind != "bulk_failed" else 1)
    with capture_logs() as logs:
        assert "succeeded" == world.sync().outcome
    assert "Bulk did not deliver; reading by REST" in [line["event"] for line in logs]
    assert [] == world.lost()


def test_a_bulk_job_that_never_ends_is_stopped_and_rest_reads(world: World) -> None:
    """The wait has an end, and the job is aborted rather than left behind (H32, 5)."""
    world.accounts(150)
    world.pulls |= BULK
    program = world.program
    source = salesforce.connect(program.settings, program.tables.mapping, program.tables.schedule)
    source.bulk_wait_seconds = 0.3
    world.org.faults.add("bulk_stuck", times=None)
    pulled = source.pull("account", None)
    assert (150, True) == (pulled.spool.rows, pulled.is_complete)
    assert world.asked("PATCH .*jobs/query/")
