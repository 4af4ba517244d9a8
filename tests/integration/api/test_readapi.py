"""The status endpoint and its neighbours, on a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import text

from config.settings import Settings
from readapi.age import FreshnessLimits
from readapi.app import create_app
from readapi.connections import Connections
from readapi.gauges import Gauges
from readapi.openapi import document, status_schema
from readapi.statements import Statements

ALICE = "001000000000001AAA"
BOB = "001Qx00000AbCdEIAV"
Bearer = Callable[..., dict[str, str]]
CALLS = [
    ("GET", "/api/me/status"),
    ("GET", "/api/me/summary"),
    ("GET", "/api/notifications"),
    ("GET", "/api/notifications/unread-count"),
    ("POST", "/api/notifications/read-all"),
    ("POST", "/api/notifications/5f0c0f0e-1111-4222-8333-444455556666/read"),
    ("POST", "/api/notifications/5f0c0f0e-1111-4222-8333-444455556666/unread"),
    ("POST", "/api/notifications/5f0c0f0e-1111-4222-8333-444455556666/dismiss"),
]

OPERATOR = "the operator's token, of 32 bytes or more"


def problem(answer, status, kind):
    """Asserts that an answer is a problem of RFC 9457; gives its members."""
    assert (status, "application/problem+json") == (answer.status_code, answer.content_type)
    body = orjson.loads(answer.data)
    assert {"type", "title", "status", "detail"} <= set(body)
    assert (f"urn:me-status:problem:{kind}", status) == (body["type"], body["status"])
    return body


def test_the_stored_bytes_are_served_with_freshness_as_the_last_member(client, rows, bearer: Bearer):
    """The document goes out byte for byte; only freshness is added."""
    stored = rows.customer(ALICE)
    rows.synced_ago("salesforce", "1 minute")
    rows.synced_ago("whmcs", "59 minutes")
    answer = client.get("/api/me/status", headers=bearer(ALICE))
    assert 200 == answer.status_code
    assert answer.data.startswith(stored[:-1] + b',"freshness":{"computedAt":"2026-03-01T00:00:00.000Z"')
    body = orjson.loads(answer.data)
    Draft202012Validator(status_schema(), format_checker=FormatChecker()).validate(body)
    assert body["freshness"]["isStale"] is False
    assert body["freshness"]["whmcsSyncedAt"].endswith("Z")


@pytest.mark.parametrize(
    ("salesforce", "whmcs", "is_stale"),
    [("1 minute", "61 minutes", True), ("61 minutes", "1 minute", True), (None, "1 minute", True), ("0", "0", False)],
)
def test_a_source_past_its_limit_or_never_synced_is_stale(client, rows, bearer, salesforce, whmcs, is_stale):
    """isStale judges each source by its own limit and the wall clock."""
    rows.customer(ALICE)
    rows.linked(ALICE, 1)
    for source, interval in (("salesforce", salesforce), ("whmcs", whmcs)):
        if interval:
            rows.synced_ago(source, interval)
    assert is_stale is client.get("/api/me/status", headers=bearer(ALICE)).json["freshness"]["isStale"]


def test_freshness_limits_come_from_the_schedule(make_client, rows, bearer, tmp_path: Path):
    """ME_STATUS_SCHEDULE may give each source another limit."""
    replacement = tmp_path / "schedule.toml"
    packaged = Path("config/schedule.toml").read_text()
    replacement.write_text(packaged.replace("salesforce = 60", "salesforce = 5"))
    rows.customer(ALICE)
    rows.synced_ago("salesforce", "6 minutes")
    rows.synced_ago("whmcs", "6 minutes")
    answer = make_client(me_status_schedule=replacement).get("/api/me/status", headers=bearer(ALICE))
    assert answer.json["freshness"]["isStale"] is True


def test_the_tag_is_of_the_content_alone(client, rows, bearer):
    """Another token and another sync leave the ETag as it was; another document does not."""
    rows.customer(ALICE, content_hash="beef")
    first = client.get("/api/me/status", headers=bearer(ALICE))
    rows.synced_ago("whmcs", "0")
    assert 'W/"beef-stale"' == first.headers["ETag"]
    assert 'W/"beef-stale"' == client.get("/api/me/status", headers=bearer(ALICE[:15], jti="other")).headers["ETag"]
    rows.connection.execute("update me_status set content_hash = 'f00d'")
    assert 'W/"f00d-stale"' == client.get("/api/me/status", headers=bearer(ALICE)).headers["ETag"]


@pytest.mark.parametrize("path", ["/api/me/status", "/api/me/summary"])
def test_a_known_tag_gets_304_under_the_same_headers(client, rows, bearer, path):
    """A 304 has no body, and the headers a 200 would have (RFC 9110, 15.4.5)."""
    rows.customer(ALICE)
    full = client.get(path, headers=bearer(ALICE))
    tag = full.headers["ETag"]
    for known in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        answer = client.get(path, headers=bearer(ALICE) | {"If-None-Match": known})
        assert (304, b"") == (answer.status_code, answer.data)
        for name in ("ETag", "Cache-Control", "Vary"):
            assert full.headers[name] == answer.headers[name]
    assert ("private, no-cache", "Authorization") == (full.headers["Cache-Control"], full.headers["Vary"])
    assert 200 == client.get(path, headers=bearer(ALICE) | {"If-None-Match": '"x"'}).status_code


@pytest.mark.parametrize("path", ["/api/me/status", "/api/me/summary"])
def test_head_answers_like_get_without_a_body(client, rows, bearer, path):
    """HEAD has the headers of GET, its length included."""
    rows.customer(ALICE)
    full, head = client.get(path, headers=bearer(ALICE)), client.head(path, headers=bearer(ALICE))
    assert (200, b"") == (head.status_code, head.data)
    assert (full.headers["ETag"], full.content_length) == (head.headers["ETag"], head.content_length)


def test_the_summary_is_the_summary_member_byte_for_byte(client, rows, bearer):
    """GET /api/me/summary is cut out of the stored document, never written anew."""
    stored = rows.customer(ALICE)
    answer = client.get("/api/me/summary", headers=bearer(ALICE))
    assert b'"summary":' + answer.data + b',"internetEligibility"' in stored
    schema = status_schema()
    Draft202012Validator({"$ref": "#/$defs/summary", "$defs": schema["$defs"]}).validate(answer.json)
    assert answer.headers["ETag"] != client.get("/api/me/status", headers=bearer(ALICE)).headers["ETag"]


def test_each_token_gets_its_own_customer(client, rows, bearer):
    """15 and 18 characters mean the same account; nothing in a request names another."""
    rows.customer(ALICE)
    rows.customer(BOB)
    for customer_id in (ALICE, BOB):
        for subject in (customer_id, customer_id[:15]):
            answer = client.get("/api/me/status", headers={**bearer(subject), "X-Customer-Id": ALICE})
            assert customer_id == answer.json["customerId"]


@pytest.mark.parametrize(
    "subject",
    [
        "001Qx00000AbCdF",
        BOB.lower(),
        BOB[:15].lower(),
        BOB[:17],
        f" {BOB}",
        f"{BOB}\n",
        "%",
        "' or true --",
        "001Qx00000ＡbCdE",
        "\x00",
        "\ud800",
        "user-1",
    ],
)
def test_a_subject_that_is_no_customer_gets_404(make_client, client, rows, bearer, subject):
    """An id that differs in one letter, in case or by a blank is somebody else, with and without portal users."""
    rows.run()
    rows.customer(BOB)
    problem(client.get("/api/me/status", headers=bearer(subject)), 404, "no-customer")
    problem(client.get("/api/notifications", headers=bearer(subject)), 404, "no-customer")


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_needs_a_token(client, rows, method, path):
    """Without a token: 401 and a challenge; a customer's data stays unseen."""
    rows.customer(ALICE)
    answer = client.open(path, method=method)
    problem(answer, 401, "unauthorized")
    assert "Bearer" == answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_before_the_first_run_every_call_says_when_to_ask_again(client, rows, bearer, method, path):
    """503 with Retry-After until a refresh or rebuild has finished on accounts that were pulled; afterwards 404."""
    rows.run("sync-whmcs")
    rows.run("refresh", "failed")
    rows.run("rebuild", "running")
    answer = client.open(path, method=method, headers=bearer(ALICE))
    problem(answer, 503, "no-run-yet")
    assert int(answer.headers["Retry-After"]) > 0
    rows.run("refresh", "held")
    problem(client.open(path, method=method, headers=bearer(ALICE)), 503, "no-run-yet")
    rows.customer(BOB)
    problem(client.open(path, method=method, headers=bearer(ALICE)), 404, "no-customer")


def test_a_merged_accounts_token_gets_the_winner(client, rows, bearer):
    """Status, summary and notifications of the surviving account, under its own id."""
    rows.customer(BOB)
    rows.merged(ALICE, into=BOB)
    rows.notification(BOB, title="To Bob")
    for subject in (ALICE, ALICE[:15]):
        assert BOB == client.get("/api/me/status", headers=bearer(subject)).json["customerId"]
        assert 200 == client.get("/api/me/summary", headers=bearer(subject)).status_code
        assert 1 == client.get("/api/notifications/unread-count", headers=bearer(subject)).json["unreadCount"]


@pytest.fixture
def portal_client(make_client, tmp_path: Path) -> FlaskClient:
    """An API whose mapping names an Account field for the portal's user id."""
    mapping = tmp_path / "fields.toml"
    packaged = Path("config/fields.toml").read_text()
    mapping.write_text(packaged.replace("# portal_user_id", "portal_user_id"))
    return make_client(me_status_fields=mapping)


def test_a_portal_user_gets_the_account_that_holds_its_id(portal_client, client, rows, bearer):
    """Where the mapping names a field, sub is the portal's user id and nothing else; where it does not, it is not."""
    rows.run()
    rows.customer(ALICE)
    rows.portal_user(ALICE, "user-1")
    assert ALICE == portal_client.get("/api/me/status", headers=bearer("user-1")).json["customerId"]
    for account in (ALICE, ALICE[:15]):
        problem(portal_client.get("/api/me/status", headers=bearer(account)), 404, "no-customer")
        problem(portal_client.post("/api/me/refresh", headers=bearer(account)), 404, "no-account")
    problem(portal_client.get("/api/me/status", headers=bearer("USER-1")), 404, "no-customer")
    problem(portal_client.get("/api/me/status", headers=bearer("\ud800")), 404, "no-customer")
    problem(portal_client.get("/api/me/status", headers=bearer("\x00")), 404, "no-customer")
    problem(client.get("/api/me/status", headers=bearer("user-1")), 404, "no-customer")


def test_a_portal_user_id_on_two_accounts_is_nobodys(portal_client, rows, bearer):
    """Two accounts with one portal user are a conflict, named as such; an id that reads as an account is not one."""
    rows.run()
    rows.customer(ALICE)
    rows.customer(BOB)
    rows.portal_user(ALICE, "user-1")
    rows.portal_user(BOB, "user-1")
    for path in ("/api/me/status", "/api/notifications"):
        problem(portal_client.get(path, headers=bearer("user-1")), 409, "portal-id-conflict")
    rows.connection.execute("update snapshot.account set portal_user_id = %s where account_id = %s", (BOB, ALICE))
    assert ALICE == portal_client.get("/api/me/status", headers=bearer(BOB)).json["customerId"]


def test_flasks_own_errors_are_problems_too(client, rows, bearer):
    """404, 405 and 413 of the framework have the same form; 405 says what is allowed."""
    problem(client.get("/nothing"), 404, "not-found")
    problem(client.get("/api/me"), 404, "not-found")
    answer = client.post("/api/me/status", headers=bearer(ALICE))
    problem(answer, 405, "method-not-allowed")
    assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["Allow"].replace(" ", "").split(","))
    rows.customer(ALICE)
    answer = client.post("/api/notifications/read-all", headers=bearer(ALICE), data=b"x" * 20_000)
    problem(answer, 413, "request-entity-too-large")


@pytest.mark.parametrize("path", ["/api/me/status", "/api/me/summary"])
def test_an_unforeseen_fault_is_a_problem_that_tells_nothing(client, rows, bearer, path):
    """A 500 of ours says nothing of its cause."""
    rows.customer(ALICE)
    rows.connection.execute("alter table me_status alter document type text")
    rows.connection.execute("alter table me_status alter computed_at type text")
    rows.connection.execute("alter table pipeline.refresh_mark alter customer_id type integer using 0")
    body = problem(client.get(path, headers=bearer(ALICE)), 500, "internal")
    assert "computed" not in body["detail"]
    assert "json" not in body["detail"]


def test_a_database_that_is_down_is_a_503(bearer):
    """The API says so, and when to ask again; the process itself is well."""
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    connections = Connections(url)
    settings = Settings(_env_file=None, database_url=url, me_status_jwt_key="x" * 32)  # type: ignore[call-arg]
    client = create_app(settings, connections).test_client()
    try:
        answer = client.get("/api/me/status", headers=bearer(ALICE, key="x" * 32))
        problem(answer, 503, "database-down")
        assert int(answer.headers["Retry-After"]) > 0
        assert ["The database does not answer."] == problem(client.get("/readyz"), 503, "not-ready")["reasons"]
        assert 200 == client.get("/healthz").status_code
    finally:
        connections.close()


def test_connections_that_the_server_ended_are_replaced(client, rows, bearer):
    """A restart of the database costs no request: a lost connection is replaced and asked again."""
    rows.customer(ALICE)
    assert 200 == client.get("/api/me/status", headers=bearer(ALICE)).status_code
    rows.connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'me-status api' and datname = current_database()"
    )
    assert 200 == client.get("/api/me/status", headers=bearer(ALICE)).status_code


def test_a_database_without_schema_says_what_to_do(make_client, rows, bearer):
    """Before the first migrate, readiness names the command."""
    rows.connection.execute("drop table job_run cascade")
    reasons = problem(make_client().get("/readyz"), 503, "not-ready")["reasons"]
    assert ["The database has no current schema; run me-status migrate."] == reasons


def test_readiness_needs_a_first_run(client, rows):
    """Ready means: there is something to serve. No customer's data is in it."""
    assert ["No run has computed any document yet."] == problem(client.get("/readyz"), 503, "not-ready")["reasons"]
    rows.run()
    assert ["No run has computed any document yet."] == problem(client.get("/readyz"), 503, "not-ready")["reasons"]
    rows.customer(ALICE)
    rows.synced_ago("whmcs", "0")
    answer = client.get("/readyz")
    assert (200, "ready", []) == (answer.status_code, answer.json["status"], answer.json["reasons"])
    assert (False, True) == tuple(answer.json["sources"][name]["isStale"] for name in ("whmcs", "salesforce"))
    assert 200 == client.get("/healthz").status_code


def test_the_operators_addresses_do_not_exist_without_a_token(client):
    """ME_STATUS_OPS_TOKEN unset: /ops and /metrics answer 404, whatever is sent."""
    for path in ("/ops", "/metrics"):
        problem(client.get(path, headers={"Authorization": "Bearer "}), 404, "not-found")


def test_the_operators_addresses_need_the_token(make_client, rows, bearer):
    """A customer's token is none; the operator's own opens both, as bearer or as a browser's password."""
    client = make_client(me_status_ops_token=OPERATOR)
    rows.run()
    rows.customer(ALICE)
    rows.held({"INVOICE_DUE": 512})
    for path in ("/ops", "/metrics"):
        for headers in ({}, {"Authorization": f"Bearer {OPERATOR[:-1]}"}, {"Authorization": "Bearer "}, bearer(ALICE)):
            problem(client.get(path, headers=headers), 401, "unauthorized")
        assert 200 == client.get(path, headers={"Authorization": f"Bearer {OPERATOR}"}).status_code
        assert 200 == client.get(path, auth=("", OPERATOR)).status_code
    page = client.get("/ops", auth=("", OPERATOR)).text
    assert "INVOICE_DUE" in page
    assert "512" in page
    assert ALICE not in page


def test_metrics_count_requests_and_the_state_of_the_data(make_client, rows, bearer):
    """Requests of the door and of Flask are counted by route; gauges come from the database."""
    client = make_client(me_status_ops_token=OPERATOR)
    rows.run()
    rows.customer(ALICE)
    rows.notification(ALICE)
    rows.synced_ago("whmcs", "1 hour")
    client.get("/api/me/status", headers=bearer(ALICE))
    client.get("/api/notifications/unread-count", headers=bearer(ALICE))
    client.get("/made-up/address")
    text = client.get("/metrics", headers={"Authorization": f"Bearer {OPERATOR}"}).text
    for line in (
        'me_status_http_requests_total{method="GET",route="/api/me/status",status="200"} 1.0',
        'me_status_http_requests_total{method="GET",route="/api/notifications/unread-count",status="200"} 1.0',
        'me_status_http_requests_total{method="GET",route="none",status="404"} 1.0',
        'me_status_source_stale{source="salesforce"} 1.0',
        'me_status_runs{job="refresh",outcome="succeeded"} 1.0',
        "me_status_customers 1.0",
        "me_status_notifications_unread 1.0",
    ):
        assert line in text
    assert 'me_status_source_age_seconds{source="whmcs"} 36' in text
    assert ALICE not in text


def test_beyond_a_limit_counts_are_estimates(client, rows, connections, monkeypatch):
    """Of many customers the operator sees PostgreSQL's own statistics: no scrape reads a whole table."""
    monkeypatch.setattr("readapi.gauges.MOST_COUNTED", 3)
    for number in range(8):
        customer_id = rows.customer_id(number)
        rows.customer(customer_id)
        rows.notification(customer_id)
    rows.connection.execute("update me_status set top_task_type = null where customer_id < %s", (rows.customer_id(2),))
    rows.connection.execute("vacuum analyze me_status, notification")
    gauges = Gauges(Statements(connections), FreshnessLimits(timedelta(0), timedelta(0)))
    totals = dict(gauges.counts("total"))
    assert (8, 8, 0) == (totals["customers"], totals["notifications_unread"], totals["marks_waiting"])
    assert {"eligibility_pending": 6, "none": 2} == dict(gauges.counts("task"))


def test_the_description_names_every_route(client):
    """/openapi.json describes all routes and methods there are, and no others; its references hold."""
    assert document() == client.get("/openapi.json").json
    described = {
        (path.replace("{id}", "<id>"), method)
        for path, item in document()["paths"].items()
        for method in item
        if method in ("get", "post")
    }
    rules = {
        (rule.rule, method.lower())
        for rule in client.application.url_map.iter_rules()
        if not rule.rule.startswith("/ops/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    mark = "/api/notifications/<notification_id>/<any(read, unread, dismiss):action>"
    marks = {(f"/api/notifications/<id>/{action}", "post") for action in ("read", "unread", "dismiss")}
    assert rules - {(mark, "post")} | marks == described
    text = orjson.dumps(document()).decode()
    for reference in {part.split('"')[0] for part in text.split('"$ref":"')[1:]}:
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in document()["components"][kind]


def test_the_packaged_schema_serves_the_description(client, rows, bearer):
    """The component MeStatus of the description holds for an answer."""
    rows.customer(ALICE)
    body = client.get("/api/me/status", headers=bearer(ALICE)).json
    Draft202012Validator({"$ref": "#/components/schemas/MeStatus", **document()}).validate(body)


def test_metrics_say_how_far_each_stream_is_proved(make_client, engine):
    """The age of the instant through which it was equal, and whether it was found to differ."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into pipeline.stream_proof (stream, proved_through, checked_at, verdict, differences) values"
                " ('invoice', now() - interval '1 hour', now(), 'differs', '[]'), ('case', null, now(), 'equal', '[]')"
            )
        )
    client = make_client(me_status_ops_token=OPERATOR)
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {OPERATOR}"}).text
    assert 'me_status_stream_proved_age_seconds{stream="invoice"} 36' in answer
    assert 'me_status_stream_differs{stream="invoice"} 1.0' in answer
    assert 'me_status_stream_differs{stream="case"} 0.0' in answer
