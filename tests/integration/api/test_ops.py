"""The operator's pages: who may read, who may act, and what becomes of an action."""

from __future__ import annotations

import re

import pytest

READS, ACTS = "reads-" + "r" * 32, "acts-" + "a" * 32
ALICE = "001000000000001AAA"


@pytest.fixture
def ops(make_client):
    """A client of an API with both secrets."""
    return make_client(me_status_ops_token=READS, me_status_ops_act_token=ACTS)


def form_token(client) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get("/ops", auth=("ada", ACTS)).text)
    assert found
    return found[1]


def test_a_browser_is_asked_in_a_line_of_its_own(ops):
    """Chromium reads one challenge of a header line, so each has its own."""
    answer = ops.get("/ops")
    assert ["Bearer", 'Basic realm="me-status operator"'] == answer.headers.getlist("WWW-Authenticate")


def test_the_page_says_first_whether_all_is_well(ops, rows):
    """With every reason and its remedy; nothing comes from elsewhere, no script runs."""
    rows.run()
    rows.customer(ALICE)
    answer = ops.get("/ops", auth=("", READS))
    assert 200 == answer.status_code
    assert "Not healthy" in answer.text
    assert "salesforce was never synced" in answer.text
    assert "default-src 'none'; style-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script|https?://|style=|http-equiv", answer.text)
    assert "<code>me-status doctor</code>" in answer.text
    assert "`" not in answer.text
    assert 200 == ops.get("/ops/style.css", auth=("", READS)).status_code


def test_a_run_and_a_customer_have_pages(ops, rows):
    """By the run's id, and by Account or client id; what is not there says so."""
    rows.run()
    rows.customer(ALICE)
    rows.notification(ALICE)
    page = ops.get("/ops", auth=("", READS)).text
    run_id = re.search(r"/ops/runs/(\d+)", page)[1]  # type: ignore[index]
    assert "What it counted" in ops.get(f"/ops/runs/{run_id}", auth=("", READS)).text
    assert 404 == ops.get("/ops/runs/999999", auth=("", READS)).status_code
    assert "Nobody has the id" in ops.get("/ops/customers?id=nobody", auth=("", READS)).text
    for path in ("/ops/runs/1", "/ops/customers?id=1", "/ops/style.css"):
        assert 401 == ops.get(path).status_code


def test_a_syncs_counts_stand_by_stream(ops, rows):
    """One row a stream, what else was counted apart, and why a pull proves nothing."""
    rows.connection.execute(
        "insert into job_run (job, started_at, finished_at, outcome, counts) values ('sync-whmcs', now(), now(),"
        """ 'succeeded', '{"invoice": {"read": 1200, "added": 7, "extent": "full", "incomplete": "230 announced"},"""
        """ "transitions": {"status": 3}}')"""
    )
    page = ops.get("/ops/runs/1", auth=("", READS)).text
    assert re.search(r"<td>invoice</td><td [^>]*>1,200</td><td [^>]*>7</td>.*not complete: 230 announced", page)
    assert re.search(r"<td>transitions</td><td>status 3</td>", page)


def test_who_reads_has_no_buttons_and_cannot_act(ops, rows):
    """The second secret acts; the first one, a foreign form and a form of another site do not."""
    rows.run()
    token = form_token(ops)
    assert "form_token" not in ops.get("/ops", auth=("", READS)).text
    asked = {"action": "run", "job": "refresh", "form_token": token}
    assert 403 == ops.post("/ops/actions", data=asked, auth=("", READS)).status_code
    assert 403 == ops.post("/ops/actions", data=asked | {"form_token": "x"}, auth=("ada", ACTS)).status_code
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert 403 == ops.post("/ops/actions", data=asked, auth=("ada", ACTS), headers=elsewhere).status_code
    assert 0 == rows.connection.execute("select count(*) from pipeline.operator_action").fetchone()[0]


def test_an_action_is_written_down_with_who_and_why(ops, rows):
    """It waits for whoever runs jobs, and the page shows it."""
    rows.run()
    asked = {"action": "pause", "job": "prune", "reason": "disk", "form_token": form_token(ops)}
    answer = ops.post("/ops/actions", data=asked, auth=("ada", ACTS))
    assert (303, "/ops#decisions") == (answer.status_code, answer.headers["Location"])
    found = rows.connection.execute(
        "select action, job, reason, actor, origin from pipeline.operator_action"
    ).fetchall()
    assert [("pause", "prune", "disk", "ada", "page")] == found
    assert "waits for the scheduler" in ops.get("/ops", auth=("", READS)).text
    for wrong in (
        {"action": "drop", "job": "prune"},
        {"action": "run", "job": "x"},
        {"action": "release", "run_id": "x"},
    ):
        wrong |= {"form_token": form_token(ops)}
        assert 400 == ops.post("/ops/actions", data=wrong, auth=("ada", ACTS)).status_code


def test_who_fails_what_is_not_whole_and_unknown_words_are_named(ops, rows):
    """Customers whose document fails, lists not read whole and words that no mapping knows, each with its reason."""
    rows.run()
    rows.connection.execute(
        f"insert into pipeline.failed_customer values ('{ALICE}', 'Overflow in tasks', 3, now(), now(), now(), 1);"
        "insert into pipeline.incomplete_stream values ('invoice', '230 announced, 229 received', now(), now(), 1);"
        "insert into snapshot.invoice (invoice_id, client_id, status) "
        "values (7, 1, 'Reticulating'), (8, 1, 'Reticulating')"
    )
    page = ops.get("/ops", auth=("", READS)).text
    assert f'<a href="/ops/customers?id={ALICE}">{ALICE}</a> keeps the last document: Overflow in tasks' in page
    assert "unknown word</span> <code>Reticulating</code> as status of 2 invoice records, such as 7, 8" in page
    assert re.search(r"invoice</span> not read whole since [^<]+:\d\d:\d\d: 230 announced, 229 received", page)


def test_ages_of_facts_and_hints_are_told(ops, rows):
    """The page and the metrics: the oldest reading somebody's facts rest on, what waits, what became of hints."""
    rows.run()
    rows.connection.execute(
        "insert into pipeline.stream_state (stream, synced_at, read_at, run_id)"
        " values ('pay_method', now(), now(), 1) on conflict (stream) do nothing"
    )
    rows.connection.execute(
        "insert into pipeline.pay_method_reading values (1, now() - interval '20 hours'), (2, now());"
        "insert into pipeline.hint (kind, subject_id, origin, first_at, last_at)"
        " values ('client', '1', 'whmcs', now() - interval '2 minutes', now());"
        "insert into pipeline.hint_count values ('portal', 'read', 7), ('portal', 'unknown', 1)"
    )
    text = ops.get("/metrics", headers={"Authorization": f"Bearer {READS}"}).text
    assert 'me_status_hints_total{origin="portal",outcome="read"} 7.0' in text
    assert "me_status_hints_waiting 1.0" in text
    waited = float(re.search(r"^me_status_hints_oldest_seconds (\S+)", text, re.MULTILINE)[1])  # type: ignore[index]
    aged = float(re.search(r'^me_status_facts_age_seconds{stream="pay_method"} (\S+)', text, re.MULTILINE)[1])  # type: ignore[index]
    assert (True, True) == (waited >= 120, aged >= 72_000)
    page = ops.get("/ops", auth=("", READS)).text
    assert "20 h ago" in page
    assert "1 wait to be read again, the first for 2 min" in page
    assert "hints of portal read: 7" in page


def test_what_is_left_of_a_sources_quota_is_told(ops, rows):
    """The page and the metrics, for a source that says; of the other there is nothing to tell."""
    rows.connection.execute(
        "update pipeline.source_state set requests_used = 1234, requests_allowed = 100000,"
        " usage_at = now() - interval '3 minutes' where source = 'salesforce'"
    )
    text = ops.get("/metrics", headers={"Authorization": f"Bearer {READS}"}).text
    assert 'me_status_source_requests_used{source="salesforce"} 1234.0' in text
    assert 'me_status_source_requests_allowed{source="salesforce"} 100000.0' in text
    assert 'me_status_source_requests_used{source="whmcs"}' not in text
    page = ops.get("/ops", auth=("", READS)).text
    assert "Salesforce said 3 min ago: 98,766 of 100,000 API requests of 24 hours are left." in page


def test_a_usual_day_is_the_median_of_the_fourteen_before_and_each_day_is_drawn(ops, rows):
    """One announcement to everybody makes no day usual; days without news count, and today does not."""
    sent = [(0, 50), (1, 2), (2, 3), (3, 2), (4, 2), (5, 900), (6, 2), (7, 3), (8, 2), (9, 1), (10, 2)]
    for days_ago, number in sent:
        rows.connection.execute(
            "insert into pipeline.sent_count (run_id, type, sent_at, sent)"
            " values (%s, 'INVOICE_DUE', now() - %s * interval '1 day', %s)",
            [days_ago, days_ago, number],
        )
    page = ops.get("/ops", auth=("", READS)).text
    row = re.search(r"<tr><td>INVOICE_DUE</td>(.*?)</tr>", page)
    assert row
    assert ["50", "2", "2.0"] == re.findall(r"<td[^>]*>([\d.,]+)</td>", row[1])
    drawn = re.findall(r"<title>\d\d \w{3}: ([\d,]+) notifications</title>", page)
    assert (14, "50", "900") == (len(drawn), drawn[-1], drawn[-6])
    assert 14 == len(re.findall(r"<title>\d\d \w{3}: 0 transitions</title>", page))
