"""The description: it says what the application does, examples are true, and nothing is ever taken away."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from readapi.openapi import document

RELEASED = json.loads((Path(__file__).parents[3] / "docs" / "openapi-2.0.0.json").read_text())
PARAMETER = re.compile(r"<(?:any\(([^)]*)\):)?(\w+)>")


def test_every_route_is_described_and_every_described_one_is_there(client):
    """Path by path and method by method."""
    routes = set()
    for rule in client.application.url_map.iter_rules():
        chosen = re.search(r"<any\(([^)]*)\):\w+>", rule.rule)
        for action in chosen[1].split(", ") if chosen else [""]:
            path = re.sub(r"<any[^>]*>", action, rule.rule).replace("<notification_id>", "{id}")
            routes |= {(path, method.lower()) for method in rule.methods - {"HEAD", "OPTIONS"}}
    ours = {(path, method) for path, method in routes if not path.startswith("/ops/")}
    assert ours == {
        (path, method) for path, item in document()["paths"].items() for method in item.keys() & {"get", "post"}
    }


def examples() -> list[tuple[str, Any, Any]]:
    found = []
    for path, item in document()["paths"].items():
        for method in item.keys() & {"get", "post"}:
            answers = [item[method].get("requestBody", {}), *item[method]["responses"].values()]
            for answer in answers:
                for kind, shown in answer.get("content", {}).items():
                    found.append((f"{method} {path} {kind}", shown["schema"], shown["example"]))
    for name, answer in document()["components"]["responses"].items():
        shown = answer["content"]["application/problem+json"]
        found.append((name, shown["schema"], shown["example"]))
    return found


@pytest.mark.parametrize(("place", "schema", "example"), examples(), ids=[place for place, _, _ in examples()])
def test_each_example_is_true(place, schema, example):
    """Every answer and body has one, and it fits its schema."""
    Draft202012Validator({**document(), **schema}, format_checker=FormatChecker()).validate(example)


def taken_away(old: Any, new: Any, place: str = "") -> list[str]:
    """What a newer description no longer has, or has otherwise; what it has besides is no matter."""
    if isinstance(old, dict):
        if not isinstance(new, dict):
            return [place]
        words = ("description", "summary", "example", "version", "default")
        gone = [f"{place}/{key}" for key in old if key not in new and key not in words]
        return gone + [
            lost
            for key in old.keys() & new.keys() - set(words)
            for lost in taken_away(old[key], new[key], f"{place}/{key}")
        ]
    if isinstance(old, list):
        named = {one["name"]: one for one in new if isinstance(one, dict) and "name" in one}
        return [
            lost
            for number, one in enumerate(old)
            for lost in (
                taken_away(one, named.get(one["name"]), f"{place}/{one['name']}")
                if isinstance(one, dict) and "name" in one
                else []
                if one in new
                else [f"{place}/{number}"]
            )
        ]
    return [] if old == new else [place]


def newly_required(old: Any, new: Any) -> list[str]:
    """Parameters and bodies that a caller of the older description would not send."""
    found = []
    for path, item in new["paths"].items():
        for method in item.keys() & {"get", "post"} & old["paths"].get(path, {}).keys():
            known = {one["name"] for one in old["paths"][path][method].get("parameters", [])}
            asked = item[method].get("parameters", [])
            found += [
                f"{method} {path} {one['name']}" for one in asked if one.get("required") and one["name"] not in known
            ]
    return found


def test_the_description_only_grows():
    """Against the last released one no path, answer, member or word of an enum is gone; nothing more is required."""
    assert [] == taken_away(RELEASED, document())
    assert [] == newly_required(RELEASED, document())


def test_what_is_taken_away_is_noticed():
    """The comparison itself: a member, a word and a status that are gone are each named."""
    changed = json.loads(json.dumps(document()))
    del changed["components"]["schemas"]["Notification"]["properties"]["tone"]
    changed["components"]["schemas"]["NotificationType"]["enum"].remove("INVOICE_DUE")
    del changed["paths"]["/api/me/status"]["get"]["responses"]["304"]
    assert 3 == len(taken_away(document(), changed))


def test_docs_is_a_page_that_loads_nothing(client):
    """HTML with a strict policy, without scripts and without anything from elsewhere; it names every call."""
    answer = client.get("/docs")
    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.content_type)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert re.search(r"<script|src=|@import|url\(|https?://(?!json-schema)", answer.text) is None
    assert [] == [path for path in document()["paths"] if path not in answer.text]
