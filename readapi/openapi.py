"""The description of this API: OpenAPI 3.1, with the document's schema in it."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Response, render_template

from readapi.asked import nothing
from readapi.openapi_components import components, status_schema
from readapi.openapi_paths import paths

__all__ = ["blueprint", "document", "status_schema"]
VERSION = "2.0.0"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
TAGS = {
    "state": "The caller's own state: what is, and what to do next.",
    "notifications": "The bell: what happened.",
    "hints": "Word that a customer's records may have changed, so that they are read again at once.",
    "operation": "For load balancers, monitoring and the operator.",
}
ABOUT = """A customer's state, and what to do next, in one consistent answer.

Every call below `/api` needs a bearer token, whose subject is the customer; there is no way to name another. `null`
means that something is not known, and never none. Errors are problem details (RFC 9457); of a wrong request `errors`
names every fault. Members may be added to answers at any time; nothing is taken away within a major version."""


def blueprint() -> Blueprint:
    """GET /openapi.json, and GET /docs: the same for people, without scripts and without anything from elsewhere."""
    routes = Blueprint("openapi", __name__)

    @routes.get("/openapi.json")
    def describe() -> Response:
        nothing()
        return Response(orjson.dumps(document()), content_type="application/json")

    @routes.get("/docs")
    def show() -> Response:
        nothing()
        return Response(page(), 200, {"Content-Security-Policy": POLICY}, content_type="text/html; charset=utf-8")

    return routes


@cache
def page() -> str:
    """The description as a page. Needs an application's context for its template."""
    return render_template("docs.html", description=document(), calls=_calls(), in_json=_in_json)


def _calls() -> dict[str, list[dict[str, Any]]]:
    """The calls by tag, each with its method and path."""
    calls: dict[str, list[dict[str, Any]]] = {name: [] for name in TAGS}
    for path, item in document()["paths"].items():
        for method in ("get", "post"):
            if method in item:
                shared = item.get("parameters", [])
                call = {**item[method], "method": method.upper(), "path": path}
                call["parameters"] = [*shared, *item[method].get("parameters", [])]
                call["needs"] = [name for scheme in item[method]["security"] for name in scheme]
                calls[item[method]["tags"][0]].append(call)
    return calls


def _in_json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


@cache
def document() -> dict[str, Any]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "me-status",
            "version": VERSION,
            "description": ABOUT,
            "contact": {"name": "The operator of this installation"},
            "license": {"name": "Proprietary", "identifier": "LicenseRef-Proprietary"},
        },
        "servers": [{"url": "/", "description": "Where this description comes from."}],
        "tags": [{"name": name, "description": says} for name, says in TAGS.items()],
        "paths": paths(),
        "components": components(),
    }
