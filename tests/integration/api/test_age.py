"""No answer claims to be younger than the facts it rests on."""

from __future__ import annotations

import orjson
import pytest

ALICE = "001000000000001AAA"
CLIENT = 1


@pytest.fixture
def fresh(rows):
    """A customer with a client, of whom everything was read a minute ago."""
    rows.customer(ALICE)
    rows.linked(ALICE, CLIENT)
    rows.synced_ago("salesforce", "1 minute")
    rows.synced_ago("whmcs", "1 minute")
    rows.connection.execute(
        "insert into pipeline.pay_method_reading (client_id, read_at) values (1, now() - interval '1 minute')"
    )
    rows.connection.execute("insert into snapshot.invoice (invoice_id, client_id, status) values (7, 1, 'Unpaid')")
    rows.connection.execute(
        "insert into pipeline.balance_reading (invoice_id, read_at) values (7, now() - interval '1 minute')"
    )
    return rows


def aged(rows, stream: str, interval: str) -> None:
    """The customer's facts of a stream were last read so long ago."""
    if stream == "pay_method":
        statement = "update pipeline.pay_method_reading set read_at = now() - cast(%s as interval)"
    elif stream == "balance":
        statement = "update pipeline.balance_reading set read_at = now() - cast(%s as interval)"
    else:
        statement = f"update pipeline.stream_state set read_at = now() - cast(%s as interval) where stream = '{stream}'"
    rows.connection.execute(statement, (interval,))


def test_a_fresh_answer_says_so_on_200_and_304(client, fresh, bearer):
    """The headers tell it without a body."""
    answer = client.get("/api/me/status", headers=bearer(ALICE))
    seen = answer.json["freshness"]
    assert (False, "false") == (seen["isStale"], answer.headers["Me-Status-Stale"])
    assert min(seen["asOf"].values()) == answer.headers["Me-Status-As-Of"]
    known = client.get("/api/me/status", headers=bearer(ALICE) | {"If-None-Match": answer.headers["ETag"]})
    assert 304 == known.status_code
    for name in ("ETag", "Me-Status-As-Of", "Me-Status-Stale"):
        assert answer.headers[name] == known.headers[name]
    assert "false" == client.get("/api/me/summary", headers=bearer(ALICE)).headers["Me-Status-Stale"]


@pytest.mark.parametrize(
    ("stream", "interval", "sections"),
    [
        ("account", "61 minutes", {"summary", "internetEligibility", "residenceCardVerification"}),
        ("order", "61 minutes", {"summary"}),
        ("case", "61 minutes", {"summary"}),
        ("client", "61 minutes", {"summary"}),
        ("invoice", "61 minutes", {"summary"}),
        ("service", "61 minutes", {"summary"}),
        ("pay_method", "1561 minutes", {"paymentMethods"}),
        ("balance", "1561 minutes", {"summary"}),
    ],
)
def test_facts_beyond_their_limit_make_a_stale_answer(client, fresh, bearer, stream, interval, sections):
    """Each section as old as its oldest facts; the tag is another one."""
    before = client.get("/api/me/status", headers=bearer(ALICE))
    aged(fresh, stream, interval)
    answer = client.get("/api/me/status", headers=bearer(ALICE))
    assert (True, "true") == (answer.json["freshness"]["isStale"], answer.headers["Me-Status-Stale"])
    old, new = before.json["freshness"]["asOf"], answer.json["freshness"]["asOf"]
    assert sections | {"tasks"} == {name for name in old if new[name] != old[name]}
    assert before.headers["ETag"] != answer.headers["ETag"]


def test_an_older_count_within_its_limit_is_shown_with_its_age(client, fresh, bearer):
    """A day-old number of pay methods may be shown."""
    aged(fresh, "pay_method", "20 hours")
    aged(fresh, "balance", "20 hours")
    seen = client.get("/api/me/status", headers=bearer(ALICE)).json["freshness"]
    assert seen["isStale"] is False
    assert seen["asOf"]["paymentMethods"] < seen["asOf"]["internetEligibility"]


def test_a_hinted_reading_makes_its_customer_younger(client, fresh, bearer):
    """And nobody else; before the document follows it changes nothing."""
    aged(fresh, "invoice", "2 hours")
    fresh.connection.execute(
        "insert into pipeline.owner_reading (stream, owner_id, began_at, read_at)"
        " values ('invoice', '1', now(), '-infinity'), ('invoice', '2', now(), now())"
    )
    assert client.get("/api/me/status", headers=bearer(ALICE)).json["freshness"]["isStale"] is True
    fresh.connection.execute("update pipeline.owner_reading set read_at = now()")
    assert client.get("/api/me/status", headers=bearer(ALICE)).json["freshness"]["isStale"] is False


def test_a_whole_hinted_reading_is_as_young_as_itself(client, fresh, bearer):
    """No document rests on the list of cancellation requests, which cannot be asked for by customer: a portal that
    waits for its refresh would wait for the next sweep of that list.
    """
    for stream in ("account", "order", "case", "client", "invoice", "service", "cancellation"):
        aged(fresh, stream, "20 minutes")
    before = client.get("/api/me/status", headers=bearer(ALICE)).json["freshness"]["asOf"]
    fresh.connection.execute(
        "insert into pipeline.owner_reading (stream, owner_id, began_at, read_at)"
        " select stream, %s, now(), now() from unnest(array['account', 'order', 'case']) as stream"
        " union all select stream, '1', now(), now() from unnest(array['client', 'invoice', 'service']) as stream",
        (ALICE,),
    )
    after = client.get("/api/me/status", headers=bearer(ALICE)).json["freshness"]["asOf"]
    assert {"summary", "internetEligibility", "residenceCardVerification", "tasks"} == {
        name for name in after if after[name] > before[name]
    }
    aged(fresh, "cancellation", "2 hours")
    answer = client.get("/api/me/status", headers=bearer(ALICE))
    assert (after, False) == (answer.json["freshness"]["asOf"], answer.json["freshness"]["isStale"])


def test_a_record_kept_from_an_earlier_reading_is_as_old_as_that(client, fresh, bearer):
    """It was read well before, and cannot be read now."""
    fresh.connection.execute(
        "insert into pipeline.set_aside_record (stream, record_id, field, reason, owner_id, is_known, read_at,"
        " first_seen_at, last_seen_at, run_id) values ('invoice', '7', 'total', 'malformed', '1', true,"
        " now() - interval '3 hours', now(), now(), 1)"
    )
    assert client.get("/api/me/status", headers=bearer(ALICE)).json["freshness"]["isStale"] is True


def test_what_was_never_read_has_no_age(client, rows, bearer):
    """null, no Me-Status-As-Of, and stale."""
    rows.customer(ALICE)
    answer = client.get("/api/me/status", headers=bearer(ALICE))
    assert {None} == set(answer.json["freshness"]["asOf"].values())
    assert ("true", False) == (answer.headers["Me-Status-Stale"], "Me-Status-As-Of" in answer.headers)
    assert orjson.loads(client.get("/api/me/summary", headers=bearer(ALICE)).data)
