"""The description of this API: OpenAPI 3.1, with the document's schema in it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from flask import Blueprint, Response

Json = dict[str, Any]
TOKEN: list[Json] = [{"bearer": []}]
HOOK: list[Json] = [{"hookSignature": []}, {"hookSecret": []}]
OPERATOR: list[Json] = [{"operator": []}, {"operatorPassword": []}]
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
INSTANT = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC, ends in Z."}
INSTANT_OR_NULL = {"type": ["string", "null"], "format": "date-time"}


def blueprint() -> Blueprint:
    """GET /openapi.json."""
    routes = Blueprint("openapi", __name__)

    @routes.get("/openapi.json")
    def describe() -> Response:
        return Response(orjson.dumps(document()), content_type="application/json")

    return routes


@cache
def document() -> Json:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "me-status",
            "version": "1",
            "description": "A customer's state, and what to do next, in one consistent answer.",
        },
        "paths": {**_own_state(), **_notifications(), **_hints(), **_operation()},
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "sub: the customer's Salesforce Account id, or the portal's user id where mapped.",
                },
                "hookSecret": {"type": "http", "scheme": "bearer", "description": "All of ME_STATUS_HOOK_SECRET."},
                "hookSignature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "webhook-signature",
                    "description": "Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature (v1).",
                },
                "operator": {"type": "http", "scheme": "bearer", "description": "ME_STATUS_OPS_TOKEN."},
                "operatorPassword": {"type": "http", "scheme": "basic", "description": "The same, as the password."},
            },
            "schemas": {**_document_schemas(), **_other_schemas()},
        },
    }


def status_schema() -> Json:
    """The JSON Schema of GET /api/me/status, as published."""
    schema: Json = orjson.loads(files("readapi").joinpath("me-status.schema.json").read_bytes())
    return schema


def _document_schemas() -> Json:
    """The published schema taken apart into components, so that its references hold inside this description."""
    schema = status_schema()
    parts = schema.pop("$defs")
    del schema["$schema"], schema["$id"]
    moved: Json = _with_moved_references({"MeStatus": schema, **parts})
    return moved


def _with_moved_references(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: one.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _with_moved_references(one)
            for key, one in value.items()
        }
    return [_with_moved_references(one) for one in value] if isinstance(value, list) else value


def _other_schemas() -> Json:
    text: Json = {"type": "string"}
    count: Json = {"type": "integer", "minimum": 0}
    return {
        "Problem": _object(
            {"type": text, "title": text, "status": {"type": "integer"}, "detail": text},
            description="RFC 9457.",
            extra=True,
        ),
        "Notification": _object(
            {
                "id": {"type": "string", "format": "uuid"},
                "type": text,
                "tone": {"enum": ["critical", "warning", "info", "neutral"]},
                "title": text,
                "message": text,
                "actionUrl": text,
                "actionLabel": {"type": ["string", "null"]},
                "sourceId": text,
                "about": {"type": "object"},
                "createdAt": INSTANT,
                "readAt": INSTANT_OR_NULL,
                "resolvedAt": INSTANT_OR_NULL,
            }
        ),
        "NotificationPage": _object(
            {
                "items": {"type": "array", "items": {"$ref": "#/components/schemas/Notification"}},
                "nextCursor": {"type": ["string", "null"], "description": "Give it as cursor for the next page."},
                "unreadCount": count,
            }
        ),
        "UnreadCount": _object({"unreadCount": count}),
        "Accepted": _object({"requestedAt": INSTANT}),
        "Health": _object({"status": text, "reasons": {"type": "array", "items": text}}, extra=True),
    }


def _object(properties: Json, *, description: str | None = None, extra: bool = False) -> Json:
    schema: Json = {"type": "object", "required": list(properties), "properties": properties}
    if not extra:
        schema["additionalProperties"] = False
    return {**schema, "description": description} if description else schema


def _own_state() -> Json:
    if_none_match: Json = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
    return {
        f"/api/me/{name}": {
            "get": {
                "summary": says,
                "operationId": f"get{name.capitalize()}",
                "security": TOKEN,
                "parameters": [if_none_match],
                "responses": {
                    "200": {**_json(schema), "headers": _headers("ETag", "Cache-Control", "Vary")},
                    "304": {"description": "Unchanged.", "headers": _headers("ETag", "Cache-Control", "Vary")},
                    **_customer_problems(),
                },
            }
        }
        for name, schema, says in (
            ("status", "MeStatus", "The caller's own status document."),
            ("summary", "summary", "The summary part of it."),
        )
    }


def _notifications() -> Json:
    identifier: Json = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    marks: Json = {
        f"/api/notifications/{{id}}/{action}": {
            "parameters": [identifier],
            "post": {
                "summary": f"Marks one notification: {action}.",
                "operationId": f"{action}Notification",
                "security": TOKEN,
                "responses": {"204": {"description": "Done, also when it was so before."}, **_customer_problems()},
            },
        }
        for action in ("read", "unread", "dismiss")
    }
    return {
        "/api/notifications": {"get": _listing()},
        "/api/notifications/unread-count": {
            "get": {
                "summary": "How many are unread.",
                "operationId": "countUnread",
                "security": TOKEN,
                "responses": {"200": _json("UnreadCount"), **_customer_problems()},
            }
        },
        **marks,
        "/api/notifications/read-all": {"post": _read_all()},
    }


def _listing() -> Json:
    limit: Json = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    return {
        "summary": "The caller's own notifications, newest first; dismissed ones are left out.",
        "operationId": "listNotifications",
        "security": TOKEN,
        "parameters": [
            {"name": "limit", "in": "query", "schema": limit},
            {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "nextCursor of a page."},
            {"name": "unread", "in": "query", "schema": {"type": "boolean", "default": False}},
        ],
        "responses": {
            "200": _json("NotificationPage"),
            "400": _problem("A parameter is wrong."),
            **_customer_problems(),
        },
    }


def _read_all() -> Json:
    body = {"type": "object", "properties": {"upTo": {"type": ["string", "null"], "format": "date-time"}}}
    return {
        "summary": "Marks all read, or those created up to an instant.",
        "operationId": "readAllNotifications",
        "security": TOKEN,
        "requestBody": {"required": False, "content": {"application/json": {"schema": body}}},
        "responses": {
            "204": {"description": "Done."},
            "400": _problem("The body is malformed."),
            "413": _problem("The body is too large."),
            **_customer_problems(),
        },
    }


def _hints() -> Json:
    accepted = {"description": "Noted; the records are read again.", **_content("Accepted")}
    refresh: Json = {
        "summary": "Has the caller's records read again from both sources.",
        "description": "Done when Me-Status-As-Of is no earlier than requestedAt.",
        "operationId": "refresh",
        "security": TOKEN,
        "responses": {
            "202": accepted,
            "429": {**_problem("Asked again too soon."), "headers": _headers("Retry-After")},
            **_customer_problems(),
        },
    }
    return {"/api/me/refresh": {"post": refresh}} | {
        f"/hooks/{origin}": {"post": _hook(origin, accepted)} for origin in ("whmcs", "salesforce")
    }


def _hook(origin: str, accepted: Json) -> Json:
    client: Json = {"type": ["integer", "string"], "description": "A WHMCS client id."}
    account: Json = {"type": "string", "description": "A Salesforce Account id."}
    body = {
        "type": "object",
        "description": "Whom to read again, up to 200 together; other members are ignored, and nothing is believed.",
        "properties": {
            "clientIds": {"type": "array", "items": client},
            "accountIds": {"type": "array", "items": account},
        },
        "anyOf": [{"required": ["clientIds"]}, {"required": ["accountIds"]}],
    }
    return {
        "summary": f"A hint from {origin}: these customers may have changed.",
        "operationId": f"hint{origin.capitalize()}",
        "security": HOOK,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "202": accepted,
            "400": _problem("The body is malformed."),
            "401": {**_problem("Neither signed nor with the secret."), "headers": _headers("WWW-Authenticate")},
            "404": _problem("No secret for hooks is set."),
            "413": _problem("Beyond 16 KiB, or 200 ids."),
            "503": {**_problem("The database is down."), "headers": _headers("Retry-After")},
        },
    }


def _operation() -> Json:
    def get(says: str, answer: Json, **problems: Json) -> Json:
        return {"get": {"summary": says, "operationId": says.split(" ")[0], "responses": {"200": answer, **problems}}}

    not_ready = {"503": {**_problem("Not ready; reasons lists why."), "headers": _headers("Retry-After")}}
    closed = {"401": _problem("Not the operator's token."), "404": _problem("No operator's token is set.")}
    page = {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}}
    text: Json = {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    paths: Json = {
        "/healthz": get("health: the process answers.", _json("Health")),
        "/readyz": get("readiness: there is something to serve.", _json("Health"), **not_ready),
        "/metrics": get("metrics for Prometheus.", text, **closed),
        "/ops": get("page of the operator.", page, **closed),
        "/openapi.json": get("description of this API.", {"description": "This.", "content": {"application/json": {}}}),
    }
    for path, item in paths.items():
        item["get"]["operationId"] = "get" + path.strip("/").removesuffix(".json").capitalize()
        item["get"]["security"] = OPERATOR if path in ("/metrics", "/ops") else []
    return paths


def _customer_problems() -> Json:
    return {
        "401": {**_problem("No token, or one that is not accepted."), "headers": _headers("WWW-Authenticate")},
        "404": _problem("The subject is not a customer, or has no such notification."),
        "503": {**_problem("No run yet, or the database is down."), "headers": _headers("Retry-After")},
    }


def _json(schema: str) -> Json:
    return {"description": schema, **_content(schema)}


def _content(schema: str) -> Json:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _problem(description: str) -> Json:
    return {"description": description, "content": PROBLEM}


def _headers(*names: str) -> Json:
    return {name: {"schema": {"type": "string"}} for name in names}
