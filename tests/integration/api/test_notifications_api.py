"""The bell: listing, counting and marking a customer's own notifications."""

from __future__ import annotations

import base64
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from readapi.openapi import document

ALICE = "001000000000001AAA"
BOB = "001Qx00000AbCdEIAV"


@pytest.fixture(autouse=True)
def customers(rows):
    """Two customers."""
    rows.run()
    rows.customer(ALICE)
    rows.customer(BOB)


def listed(client, headers, **query):
    answer = client.get("/api/notifications", headers=headers, query_string=query)
    assert 200 == answer.status_code, answer.text
    return answer.json


def test_the_newest_come_first_and_fit_the_description(client, rows, bearer):
    """Newest first, twenty to a page, every member of the contract."""
    ids = [rows.notification(ALICE, f"2026-03-{day:02}T00:00:00.000001Z") for day in range(1, 26)]
    page = listed(client, bearer(ALICE))
    assert ids[::-1][:20] == [item["id"] for item in page["items"]]
    assert 25 == page["unreadCount"]
    assert "2026-03-25T00:00:00.000Z" == page["items"][0]["createdAt"]
    schema = {"$ref": "#/components/schemas/NotificationPage", **document()}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(page)


def test_pages_follow_one_another_without_gap_or_repeat(client, rows, bearer):
    """A cursor goes on after the last one shown, also among equal instants and when new ones arrive meanwhile."""
    ids = {rows.notification(ALICE, "2026-03-01T00:00:00Z") for _ in range(7)}
    seen: list[str] = []
    cursor = None
    while True:
        page = listed(client, bearer(ALICE), limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [item["id"] for item in page["items"]]
        rows.notification(ALICE, "2026-03-02T00:00:00Z")
        if (cursor := page["nextCursor"]) is None:
            break
    assert (7, ids) == (len(seen), set(seen))


def test_the_last_page_has_no_cursor(client, rows, bearer):
    """Exactly as many as the limit: nothing follows."""
    for _ in range(2):
        rows.notification(ALICE)
    assert listed(client, bearer(ALICE), limit=2)["nextCursor"] is None
    assert {"items": [], "nextCursor": None, "unreadCount": 0} == listed(client, bearer(BOB))


def test_unread_means_neither_read_nor_resolved_and_dismissed_ones_are_gone(client, rows, bearer):
    """unread=true shows what unreadCount counts; a resolved one is kept but not unread."""
    new = rows.notification(ALICE, title="new")
    rows.notification(ALICE, title="read", read_at="2026-03-02T00:00:00Z")
    rows.notification(ALICE, title="resolved", resolved_at="2026-03-02T00:00:00Z")
    rows.notification(ALICE, title="dismissed", dismissed_at="2026-03-02T00:00:00Z")
    everything = listed(client, bearer(ALICE), unread="false")
    assert {"new", "read", "resolved"} == {item["title"] for item in everything["items"]}
    unread = listed(client, bearer(ALICE), unread="true")
    assert [new] == [item["id"] for item in unread["items"]]
    assert {1} == {everything["unreadCount"], unread["unreadCount"]}
    assert {"unreadCount": 1} == client.get("/api/notifications/unread-count", headers=bearer(ALICE)).json


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": ""},
        {"limit": "1.0"},
        {"limit": "٣"},
        {"unread": "yes"},
        {"cursor": ""},
        {"cursor": "x"},
        {"cursor": "é"},
        {"cursor": "AAAA"},
        {"cursor": encoded("2026-03-01T00:00:00+00:00")},
        {"cursor": encoded(f"2026-03-01T00:00:00 {uuid.uuid4()}")},
        {"cursor": encoded(f"2026-13-01T00:00:00+00:00 {uuid.uuid4()}")},
        {"cursor": encoded(f"infinity {uuid.uuid4()}")},
        {"cursor": encoded("2026-03-01T00:00:00+00:00 {" + uuid.uuid4().hex + "}")},
    ],
)
def test_a_wrong_parameter_is_a_400(client, bearer, query):
    """Limits run from 1 to 100, unread is true or false, cursors are those given out."""
    answer = client.get("/api/notifications", headers=bearer(ALICE), query_string=query)
    assert (400, "application/problem+json") == (answer.status_code, answer.content_type)


@pytest.mark.parametrize(
    ("action", "column"), [("read", "read_at"), ("unread", "read_at"), ("dismiss", "dismissed_at")]
)
def test_marking_is_idempotent_and_keeps_the_first_time(client, rows, bearer, action, column):
    """204 each time; the instant is that of the first marking."""
    one = rows.notification(ALICE)
    found = []
    for _ in range(2):
        assert 204 == client.post(f"/api/notifications/{one}/{action}", headers=bearer(ALICE)).status_code
        found.append(rows.connection.execute(f"select {column} from notification").fetchone()[0])
    assert found[0] == found[1]
    assert (found[0] is None) == (action == "unread")


def test_reading_and_unreading_move_the_count(client, rows, bearer):
    """Read takes it off the count, unread puts it back, dismiss takes it off the list."""
    one = rows.notification(ALICE)
    for action, unread, shown in (("read", 0, 1), ("unread", 1, 1), ("dismiss", 0, 0)):
        client.post(f"/api/notifications/{one}/{action}", headers=bearer(ALICE))
        page = listed(client, bearer(ALICE))
        assert (unread, shown) == (page["unreadCount"], len(page["items"]))


@pytest.mark.parametrize("action", ["read", "unread", "dismiss"])
def test_anothers_notification_cannot_be_touched(client, rows, bearer, action):
    """Another customer's, none and malformed ids are all the same 404, and nothing changes."""
    bobs = rows.notification(BOB, read_at="2026-03-02T00:00:00Z" if action == "unread" else None)
    before = rows.connection.execute("select * from notification").fetchall()
    for one in (bobs, uuid.uuid4(), "x", "7", bobs.replace("-", ""), "{" + bobs + "}", f"{bobs}%00"):
        answer = client.post(f"/api/notifications/{one}/{action}", headers=bearer(ALICE))
        assert (404, "application/problem+json") == (answer.status_code, answer.content_type)
    assert before == rows.connection.execute("select * from notification").fetchall()


def test_another_customers_notifications_are_never_listed(client, rows, bearer):
    """Lists, counts, cursors and read-all keep to the caller's own."""
    for title in ("one", "two", "three"):
        rows.notification(BOB, title=title)
    mine = rows.notification(ALICE, "2020-01-01T00:00:00Z")
    cursor = listed(client, bearer(BOB), limit=1)["nextCursor"]
    assert [mine] == [item["id"] for item in listed(client, bearer(ALICE), cursor=cursor)["items"]]
    assert 1 == listed(client, bearer(ALICE))["unreadCount"]
    assert 204 == client.post("/api/notifications/read-all", headers=bearer(ALICE)).status_code
    assert (0, 3) == tuple(listed(client, bearer(who))["unreadCount"] for who in (ALICE, BOB))


def test_an_account_that_left_has_no_notifications(client, rows, bearer):
    """Without a document there is no customer: nothing is listed or marked any more."""
    one = rows.notification(ALICE)
    rows.connection.execute("delete from me_status where customer_id = %s", (ALICE,))
    for method, path in (("GET", ""), ("GET", "/unread-count"), ("POST", "/read-all"), ("POST", f"/{one}/read")):
        answer = client.open(f"/api/notifications{path}", method=method, headers=bearer(ALICE))
        assert 404 == answer.status_code
    assert (None,) == rows.connection.execute("select read_at from notification").fetchone()


def test_read_all_up_to_an_instant_leaves_later_ones(client, rows, bearer):
    """upTo is inclusive, and any offset may write it."""
    for day in (1, 2, 3):
        rows.notification(ALICE, f"2026-03-0{day}T00:00:00Z")
    up_to = {"upTo": "2026-03-02T09:00:00+09:00"}
    assert 204 == client.post("/api/notifications/read-all", headers=bearer(ALICE), json=up_to).status_code
    page = listed(client, bearer(ALICE), unread="true")
    assert ["2026-03-03T00:00:00.000Z"] == [item["createdAt"] for item in page["items"]]
    assert 204 == client.post("/api/notifications/read-all", headers=bearer(ALICE), json={}).status_code
    assert 0 == listed(client, bearer(ALICE))["unreadCount"]


def test_read_all_up_to_a_listed_instant_takes_that_one(client, rows, bearer):
    """createdAt as listed, in whole milliseconds, names its own instant: the newest is not left unread."""
    rows.notification(ALICE, "2026-03-01T00:00:00.123456Z")
    rows.notification(ALICE, "2026-03-01T00:00:00.124000Z")
    up_to = listed(client, bearer(ALICE))["items"][1]["createdAt"]
    assert "2026-03-01T00:00:00.123Z" == up_to
    client.post("/api/notifications/read-all", headers=bearer(ALICE), json={"upTo": up_to})
    assert 1 == listed(client, bearer(ALICE))["unreadCount"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"2026-03-01T00:00:00Z"',
        b'{"upTo": 5}',
        b'{"upTo": ""}',
        b'{"upTo": "now"}',
        b'{"upTo": "infinity"}',
        b'{"upTo": "2026-03-01"}',
        b'{"upTo": "2026-03-01T00:00:00"}',
        b'{"upTo": "2026-02-30T00:00:00Z"}',
        b"\xff",
    ],
)
def test_a_malformed_read_all_is_a_400_and_reads_nothing(client, rows, bearer, body):
    """An instant without an offset, a date, a number, no JSON: refused, and everything stays unread."""
    rows.notification(ALICE)
    answer = client.post("/api/notifications/read-all", headers=bearer(ALICE), data=body)
    assert (400, "application/problem+json") == (answer.status_code, answer.content_type)
    assert 1 == listed(client, bearer(ALICE))["unreadCount"]


@pytest.mark.parametrize(
    ("expected", "query"),
    [
        (["parameter limit", "parameter unread", "parameter seen"], "limit=0&unread=maybe&seen=1"),
        (["parameter type"], "type=INVOICE"),
        (["parameter limit"], "limit=1&limit=2"),
        (["parameter Limit"], "Limit=1"),
    ],
)
def test_all_faults_of_a_query_are_named_at_once(client, bearer, expected, query):
    """Each with its parameter and a sentence; what was sent is not repeated but for the unknown name."""
    answer = client.get(f"/api/notifications?{query}", headers=bearer(ALICE))
    assert 400 == answer.status_code
    assert sorted(expected) == sorted(f"parameter {one['parameter']}" for one in answer.json["errors"])


def test_an_unknown_member_reads_nothing(client, rows, bearer):
    """`upto` is not `upTo`: 400 with every fault, and everything stays unread."""
    rows.notification(ALICE)
    body = {"upto": "2026-03-02T00:00:00Z", "upTo": 5}
    answer = client.post("/api/notifications/read-all", headers=bearer(ALICE), json=body)
    assert (400, {"/upto", "/upTo"}) == (answer.status_code, {one["pointer"] for one in answer.json["errors"]})
    assert 1 == listed(client, bearer(ALICE))["unreadCount"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/me/status"),
        ("GET", "/api/me/summary"),
        ("GET", "/api/notifications/unread-count"),
        ("POST", "/api/me/refresh"),
        ("POST", "/api/notifications/00000000-0000-4000-8000-000000000000/read"),
    ],
)
def test_addresses_without_parameters_refuse_any(client, bearer, method, path):
    """A misspelt or misplaced parameter is said, not passed over."""
    answer = client.open(f"{path}?fields=tasks", method=method, headers=bearer(ALICE))
    assert (400, ["fields"]) == (answer.status_code, [one["parameter"] for one in answer.json["errors"]])


@pytest.mark.parametrize("path", ["", "/unread-count"])
def test_an_unchanged_bell_costs_no_body(client, rows, bearer, path):
    """304 to its own tag, also as a compressing proxy writes it; another tag once something changed."""
    one = rows.notification(ALICE)
    first = client.get(f"/api/notifications{path}", headers=bearer(ALICE))
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    for sent in (tag, tag.removesuffix('"') + '-gzip"', f'"x", {tag}'):
        again = client.get(f"/api/notifications{path}", headers={**bearer(ALICE), "If-None-Match": sent})
        assert (304, b"", tag, "30") == (
            again.status_code,
            again.data,
            again.headers["ETag"],
            again.headers["X-Poll-Interval"],
        )
        assert "Content-Type" not in again.headers
    client.post(f"/api/notifications/{one}/read", headers=bearer(ALICE))
    changed = client.get(f"/api/notifications{path}", headers={**bearer(ALICE), "If-None-Match": tag})
    assert (200, "30") == (changed.status_code, changed.headers["X-Poll-Interval"])


def test_types_are_chosen(client, rows, bearer):
    """One or several types; the count stays that of everything unread."""
    rows.notification(ALICE)
    rows.connection.execute("update notification set type = 'ORDER_FAILED', about = '{\"orderId\": \"8\"}'")
    rows.notification(ALICE)
    page = listed(client, bearer(ALICE), type="ORDER_FAILED")
    assert [("ORDER_FAILED", "info", {"orderId": "8"})] == [
        (item["type"], item["tone"], item["about"]) for item in page["items"]
    ]
    assert 2 == page["unreadCount"]
    assert 2 == len(listed(client, bearer(ALICE), type=["ORDER_FAILED", "INVOICE_DUE"])["items"])


def test_the_next_page_is_linked(client, rows, bearer):
    """Link rel=next (RFC 8288) repeats the query with its cursor; the last page has none."""
    for _ in range(3):
        rows.notification(ALICE)
    first = client.get("/api/notifications?limit=2&unread=true&type=INVOICE_DUE", headers=bearer(ALICE))
    target, relation = first.headers["Link"].split(">; ")
    assert 'rel="next"' == relation
    second = client.get(target.removeprefix("<"), headers=bearer(ALICE))
    assert (1, None) == (len(second.json["items"]), second.headers.get("Link"))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_cursors_neither_skip_nor_repeat_whatever_arrives(client, rows, bearer, data):
    """Newer and older ones, and ones of the very same instant, are put in between pages of any size."""
    rows.connection.execute("delete from notification")
    instants = [f"2026-03-01T00:00:00.00000{digit}Z" for digit in range(4)]
    there = {rows.notification(ALICE, at) for at in data.draw(st.lists(st.sampled_from(instants), max_size=12))}
    seen, query = [], {"limit": data.draw(st.integers(1, 4))}
    while True:
        page = listed(client, bearer(ALICE), **query)
        seen += [item["id"] for item in page["items"]]
        for at in data.draw(st.lists(st.sampled_from(instants), max_size=2)) if len(seen) < 40 else []:
            rows.notification(ALICE, at)
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


@pytest.mark.parametrize(
    ("may_write", "claims"),
    [
        (True, {}),
        (True, {"scope": "openid me:write"}),
        (False, {"scope": "me:read"}),
        (False, {"scope": ""}),
        (False, {"scope": 5}),
        (False, {"act": {"sub": "support-7"}}),
        (False, {"act": {"sub": "support-7"}, "scope": "me:write"}),
    ],
)
def test_a_token_for_looking_changes_nothing(client, rows, bearer, may_write, claims):
    """A scope without me:write, or an actor: all reads go, every change is a 403 that says why."""
    one = rows.notification(ALICE)
    token = bearer(ALICE, **claims)
    assert 200 == client.get("/api/me/status", headers=token).status_code
    assert 1 == listed(client, token)["unreadCount"]
    for path, done in ((f"notifications/{one}/read", 204), ("notifications/read-all", 204), ("me/refresh", 202)):
        answer = client.post(f"/api/{path}", headers=token)
        assert (done if may_write else 403) == answer.status_code
        assert may_write or "insufficient_scope" in answer.headers["WWW-Authenticate"]
    assert (0 if may_write else 1) == listed(client, token)["unreadCount"]
