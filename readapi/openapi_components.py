"""The parts that the description's paths refer to: schemas, answers, headers, and who may ask."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from config.wording import OFFERED

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
INSTANT: Json = {"type": "string", "format": "date-time", "description": "RFC 3339 in UTC, whole milliseconds."}
INSTANT_OR_NULL: Json = {"type": ["string", "null"], "format": "date-time"}
TONES = ["critical", "warning", "info", "neutral"]
HEADERS = {
    "ETag": "A weak tag of the content, for If-None-Match.",
    "Cache-Control": "private, no-cache: a browser keeps it and asks each time whether it still holds.",
    "Vary": "What the answer depends on.",
    "Me-Status-As-Of": "When the facts this rests on were read from their sources: the oldest asOf of the sections.",
    "Me-Status-Stale": "true when a section is older than its limit.",
    "X-Poll-Interval": "Seconds to wait before looking again.",
    "X-Request-Id": "The caller's, or a new one; the server's log has it.",
    "Link": "The next page (RFC 8288, rel=next); absent on the last one.",
    "Retry-After": "Seconds to wait before asking again.",
    "WWW-Authenticate": "The challenge of RFC 6750.",
}
PROBLEMS = {
    "400": ("BadRequest", "Something of the request is wrong or unknown; errors names every fault.", ()),
    "401": ("Unauthorized", "No token, or one that is not accepted.", ("WWW-Authenticate",)),
    "403": (
        "ReadOnly",
        "The token may read only: a scope without me:write, or an actor.",
        ("WWW-Authenticate",),
    ),
    "404": ("NotFound", "The subject is not a customer, there is no such thing of theirs, or it is not set up.", ()),
    "408": ("TooSlow", "The body did not come within five seconds.", ()),
    "409": ("Conflict", "Several Salesforce accounts hold the portal user's id that is the token's subject.", ()),
    "411": ("NoLength", "The body has no Content-Length.", ()),
    "413": ("TooLarge", "The body is larger than 16 KiB, or names more than 200 ids.", ()),
    "429": ("TooMany", "Asked again too soon, or more often than one customer may ask.", ("Retry-After",)),
    "503": (
        "Unavailable",
        "No run yet, the database is away, or no room for more requests.",
        ("Retry-After",),
    ),
    "default": ("Otherwise", "Any other problem.", ()),
}
SECURITY: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "sub: the customer's Salesforce Account id, or the portal's user id where mapped."
        " A scope without me:write, or an act claim, makes it a token for looking.",
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
}


def components() -> Json:
    """Everything below `components`."""
    return {
        "securitySchemes": SECURITY,
        "headers": {name: {"description": says, "schema": _header_schema(name)} for name, says in HEADERS.items()},
        "responses": {name: _problem(status, says, sent) for status, (name, says, sent) in PROBLEMS.items()},
        "schemas": {**_document_schemas(), **_other_schemas()},
    }


@cache
def examples() -> Json:
    """An example of each answer and body, by the name of its schema; those of problems by status."""
    found: Json = orjson.loads(files("readapi").joinpath("openapi-examples.json").read_bytes())
    found["summary"] = found["MeStatus"]["summary"]
    return found


@cache
def status_schema() -> Json:
    """The JSON Schema of GET /api/me/status, as published."""
    schema: Json = orjson.loads(files("readapi").joinpath("me-status.schema.json").read_bytes())
    return schema


def headers(*names: str) -> Json:
    """References to headers that an answer has, besides those every answer has."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, "X-Request-Id")}


def content(schema: str, example: str | None = None) -> Json:
    """JSON of a schema, with its example."""
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"content": {"application/json": {"schema": reference, "example": examples()[example or schema]}}}


def _header_schema(name: str) -> Json:
    if name in ("X-Poll-Interval", "Retry-After"):
        return COUNT
    return {"Me-Status-As-Of": INSTANT, "Me-Status-Stale": {"type": "boolean"}}.get(name, TEXT)


def _problem(status: str, says: str, sent: tuple[str, ...]) -> Json:
    shown = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": examples()["problems"][status]}
    return {"description": says, "headers": headers(*sent), "content": {"application/problem+json": shown}}


def _document_schemas() -> Json:
    """The published schema taken apart into components, so that its references hold inside this description."""
    schema = dict(status_schema())
    parts = schema.pop("$defs")
    return {name: _typed(part) for name, part in {"MeStatus": schema, **parts}.items()}


def _typed(value: Any) -> Any:
    """A schema with its references moved, and with a type beside every enum, which generators want."""
    if isinstance(value, list):
        return [_typed(one) for one in value]
    if not isinstance(value, dict):
        return value
    moved = {
        key: one.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _typed(one)
        for key, one in value.items()
        if key not in ("$schema", "$id")
    }
    if isinstance(moved.get("enum"), list) and "type" not in moved:
        return {"type": "string", **moved}
    return _with_required_named(moved)


def _with_required_named(schema: Json) -> Json:
    """Names the required members of an object, which `additionalProperties` alone describes: generators want them."""
    rest = schema.get("additionalProperties")
    if not isinstance(rest, dict) or "required" not in schema:
        return schema
    return {**schema, "properties": {**dict.fromkeys(schema["required"], rest), **schema.get("properties", {})}}


def _other_schemas() -> Json:
    return {
        "Problem": _object(
            {"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT},
            optional={"errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}}},
            description="RFC 9457. `type` tells one kind of problem from another, `detail` is for people.",
        ),
        "Fault": _object(
            {"detail": TEXT},
            optional={"parameter": TEXT, "pointer": TEXT},
            description="One fault of a request: of a query parameter, or of the body's member at a JSON pointer.",
        ),
        "NotificationType": {"type": "string", "enum": list(OFFERED), "description": "More may be added."},
        "Tone": {"type": "string", "enum": TONES},
        "About": _about(),
        "Notification": _notification(),
        "NotificationPage": _object(
            {
                "items": {"type": "array", "items": {"$ref": "#/components/schemas/Notification"}},
                "nextCursor": {"type": ["string", "null"], "description": "Give it as cursor for the next page."},
                "unreadCount": COUNT,
            }
        ),
        "UnreadCount": _object({"unreadCount": COUNT}, description="Unread: neither read, resolved nor dismissed."),
        "ReadAll": _object({}, optional={"upTo": INSTANT_OR_NULL}) | {"additionalProperties": False},
        "Hint": _hint(),
        "Accepted": _object({"requestedAt": INSTANT}),
        "Health": _object(
            {"status": TEXT, "reasons": {"type": "array", "items": TEXT}},
            optional={"sources": {"type": "object", "additionalProperties": {"type": "object"}}},
        ),
    }


def _notification() -> Json:
    return _object(
        {
            "id": {"type": "string", "format": "uuid"},
            "type": {"$ref": "#/components/schemas/NotificationType"},
            "tone": {"$ref": "#/components/schemas/Tone"},
            "title": TEXT,
            "message": TEXT,
            "actionUrl": {"type": "string", "description": "A path of the portal, or what an announcement gave."},
            "actionLabel": {"type": ["string", "null"], "description": "null where nothing more is to be seen."},
            "sourceId": TEXT,
            "about": {"$ref": "#/components/schemas/About"},
            "createdAt": INSTANT,
            "readAt": INSTANT_OR_NULL,
            "resolvedAt": INSTANT_OR_NULL | {"description": "When what it speaks of was over; no longer unread then."},
        }
    )


def _about() -> Json:
    day: Json = {"type": "string", "format": "date", "description": "A date in the business time zone."}
    money: Json = {"$ref": "#/components/schemas/money"}
    number: Json = {"type": "integer"}
    applies = {
        "invoiceId": number,
        "invoiceNumber": TEXT,
        "dueDate": day,
        "amount": money,
        "currency": TEXT,
        "orderId": TEXT,
        "orderNumber": TEXT,
        "serviceId": number,
        "serviceName": TEXT,
        "endsOn": day,
        "payMethodId": number,
        "cardLastFour": TEXT,
        "expiresOn": day,
        "reviewerNotes": TEXT,
    }
    return _object({}, optional=applies, description="What it is about, as data; what does not apply is left out.")


def _hint() -> Json:
    ids: Json = {"type": ["integer", "string"], "description": "A WHMCS client id."}
    return {
        "type": "object",
        "description": "Whom to read again, up to 200 together; other members are ignored, and nothing is believed.",
        "properties": {
            "clientIds": {"type": "array", "items": ids},
            "accountIds": {"type": "array", "items": {"type": "string", "description": "A Salesforce Account id."}},
        },
        "anyOf": [{"required": ["clientIds"]}, {"required": ["accountIds"]}],
    }


def _object(properties: Json, *, optional: Json | None = None, description: str | None = None) -> Json:
    schema: Json = {"type": "object", "properties": {**properties, **(optional or {})}}
    if properties:
        schema["required"] = list(properties)
    return {**schema, "description": description} if description else schema
