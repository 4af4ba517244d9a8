"""What every answer has in common: an id, a type of its own, compression and sharing where asked for."""

from __future__ import annotations

import gzip
import json

import pytest

from readapi.manners import takes_gzip
from tests.integration.api.conftest import ALICE, document_of

PORTAL = "https://portal.example"


@pytest.fixture(autouse=True)
def customer(rows):
    """One customer with a document worth compressing."""
    rows.run()
    rows.customer(ALICE, document_of(ALICE, notes="long " * 400))


@pytest.mark.parametrize("path", ["/api/me/status", "/api/notifications", "/api/none", "/healthz", "/openapi.json"])
def test_a_request_keeps_its_id(client, bearer, path, capsys):
    """The caller's id comes back, on errors too; one that is not a plain word is replaced."""
    assert "trace-7.a" == client.get(path, headers={"X-Request-Id": "trace-7.a"}).headers["X-Request-Id"]
    for given in ("", "x" * 129, "a b", "<b>"):
        answered = client.get(path, headers={**bearer(ALICE), "X-Request-Id": given}).headers["X-Request-Id"]
        assert given != answered
        assert 32 == len(answered)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("OPTIONS", "/api/me/status"),
        ("OPTIONS", "/api/notifications"),
        ("POST", "/api/notifications/read-all"),
    ],
)
def test_an_answer_without_content_has_no_type(client, bearer, method, path):
    """204 says nothing of a content type; OPTIONS names the methods."""
    answer = client.open(path, method=method, headers=bearer(ALICE))
    assert (204, b"", None) == (answer.status_code, answer.data, answer.headers.get("Content-Type"))
    assert method != "OPTIONS" or {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", ["/", "//api/me/status", "/api/me/status/", "/api/me", "/api/notifications/x/y"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_no_error_is_a_page_of_html(client, bearer, method, path):
    """Whatever is asked for, an error is a problem."""
    answer = client.open(path, method=method, headers={**bearer(ALICE), "Accept": "text/html"})
    assert "application/problem+json" == answer.content_type
    assert answer.status_code in (404, 405)


@pytest.mark.parametrize("path", ["/api/me/status", "/api/me/summary", "/api/notifications", "/openapi.json"])
def test_head_says_what_get_says(client, bearer, path):
    """The same headers (its own id aside), no body."""
    got, asked = (client.open(path, method=method, headers=bearer(ALICE)) for method in ("GET", "HEAD"))
    kept = [{k: v for k, v in one.headers.items() if k != "X-Request-Id"} for one in (got, asked)]
    assert (kept[0], b"") == (kept[1], asked.data)


def test_a_long_answer_is_compressed_when_asked(client, bearer):
    """The same document and tag; short ones and those nobody asked to compress stay as they are."""
    plain = client.get("/api/me/status", headers=bearer(ALICE))
    packed = client.get("/api/me/status", headers={**bearer(ALICE), "Accept-Encoding": "br, gzip;q=0.5"})
    assert json.loads(gzip.decompress(packed.data))["internetEligibility"] == plain.json["internetEligibility"]
    assert ("gzip", None) == (packed.headers["Content-Encoding"], plain.headers.get("Content-Encoding"))
    assert plain.headers["ETag"] == packed.headers["ETag"]
    assert "Accept-Encoding" in ", ".join(packed.headers.getlist("Vary"))
    short = client.get("/healthz", headers={"Accept-Encoding": "gzip"})
    assert short.headers.get("Content-Encoding") is None


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (True, "gzip"),
        (True, "*"),
        (True, "br, GZIP;q=0.1"),
        (False, "gzip;q=0"),
        (False, "*, gzip; q=0.0"),
    ],
)
def test_gzip_is_taken_where_the_header_says_so(expected, given):
    """By name, by `*`, and not with a weight of nought."""
    assert expected == takes_gzip(given)


def test_other_origins_may_ask_only_where_a_setting_names_them(make_client, bearer):
    """Exact origins: the named one may read and ask first, any other gets the answer without leave to read it."""
    client = make_client(me_status_cors_origins=f"{PORTAL}, https://other.example")
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    first = client.options("/api/notifications/read-all", headers={"Origin": PORTAL, **ask})
    assert (204, PORTAL) == (first.status_code, first.headers["Access-Control-Allow-Origin"])
    assert "Authorization" in first.headers["Access-Control-Allow-Headers"]
    read = client.get("/api/me/status", headers={**bearer(ALICE), "Origin": PORTAL})
    assert (PORTAL, True) == (
        read.headers["Access-Control-Allow-Origin"],
        "ETag" in read.headers["Access-Control-Expose-Headers"],
    )
    for origin in ("https://portal.example.evil", "http://portal.example", "null"):
        refused = client.get("/api/me/status", headers={**bearer(ALICE), "Origin": origin})
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "Origin" in ", ".join(refused.headers.getlist("Vary"))


def test_a_page_of_another_origin_may_read_what_a_portal_goes_by(make_client, bearer):
    """Age, tag, pages, waits and the request's id: hidden from scripts unless they are named."""
    client = make_client(me_status_cors_origins=PORTAL)
    answer = client.get("/api/me/status", headers={**bearer(ALICE), "Origin": PORTAL})
    named = {"Me-Status-As-Of", "Me-Status-Stale", "ETag", "Link", "Retry-After", "X-Poll-Interval", "X-Request-Id"}
    assert set() == named - set(answer.headers["Access-Control-Expose-Headers"].split(", "))


def test_sharing_is_off_unless_set(client, bearer):
    """No header of it without the setting."""
    answer = client.get("/api/me/status", headers={**bearer(ALICE), "Origin": PORTAL})
    assert [] == [name for name, _ in answer.headers if name.startswith("Access-Control")]
