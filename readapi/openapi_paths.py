"""The description's paths: every call, what it takes, and every answer it may give."""

from __future__ import annotations

from typing import Any

from readapi.openapi_components import PROBLEMS, TEXT, content, headers

Json = dict[str, Any]
CUSTOMER: list[Json] = [{"bearer": []}]
HOOK: list[Json] = [{"hookSignature": []}, {"hookSecret": []}]
OPERATOR: list[Json] = [{"operator": []}, {"operatorPassword": []}]
NOBODY: list[Json] = [{}]
IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an earlier answer; 304 when nothing changed.",
    "schema": TEXT,
}
STATE = ("ETag", "Cache-Control", "Vary", "Me-Status-As-Of", "Me-Status-Stale")
BELL = ("ETag", "Cache-Control", "Vary", "X-Poll-Interval")
ACTIONS = {
    "read": "Marks one notification read.",
    "unread": "Marks one notification unread.",
    "dismiss": "Takes one notification off the list.",
}


def paths() -> Json:
    """Everything below `paths`."""
    return {**_state(), **_bell(), **_hints(), **_operation()}


def _call(tag: str, operation_id: str, says: str, more: str, **parts: Any) -> Json:
    return {"tags": [tag], "operationId": operation_id, "summary": says, "description": more, **parts}


def _problems(*statuses: str) -> Json:
    return {status: {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"} for status in (*statuses, "default")}


def _state() -> Json:
    def get(schema: str, operation_id: str, says: str) -> Json:
        answers = {
            "200": {"description": says, "headers": headers(*STATE), **content(schema)},
            "304": {"description": "Nothing changed since.", "headers": headers(*STATE)},
            **_problems("400", "401", "404", "409", "429", "503"),
        }
        more = "Computed beforehand: answered at once, whatever the sources are doing. HEAD gives the headers alone."
        return {
            "get": _call(
                "state",
                operation_id,
                says,
                more,
                security=CUSTOMER,
                parameters=[IF_NONE_MATCH],
                responses=answers,
            )
        }

    return {
        "/api/me/status": get("MeStatus", "getStatus", "The caller's own status document."),
        "/api/me/summary": get("summary", "getSummary", "The summary part of the status document."),
        "/api/me/refresh": {"post": _refresh()},
    }


def _refresh() -> Json:
    more = (
        "Call it when the customer comes back from paying or changing something elsewhere. Done when Me-Status-As-Of is"
        " no earlier than requestedAt. An Account id that is not a customer yet is accepted, for who just signed up."
    )
    accepted = {"description": "Noted; done within seconds.", "headers": headers(), **content("Accepted")}
    answers = {"202": accepted, **_problems("400", "401", "403", "404", "409", "429", "503")}
    says = "Has the caller's records read again from both sources."
    return _call("state", "refresh", says, more, security=CUSTOMER, responses=answers)


def _bell() -> Json:
    identifier: Json = {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "The notification's id.",
        "schema": {"type": "string", "format": "uuid"},
    }
    done = {"204": {"description": "Done, also when it was so before.", "headers": headers()}}
    answers = {**done, **_problems("400", "401", "403", "404", "409", "429", "503")}
    marks = {
        f"/api/notifications/{{id}}/{action}": {
            "parameters": [identifier],
            "post": _call(
                "notifications",
                f"{action}Notification",
                says,
                "Safe to repeat; the instant of the first time stays.",
                security=CUSTOMER,
                responses=answers,
            ),
        }
        for action, says in ACTIONS.items()
    }
    body = {"required": False, "description": "Up to which instant; all without it.", **content("ReadAll")}
    read_all = _call(
        "notifications",
        "readAllNotifications",
        "Marks all notifications read.",
        "With `upTo` those created no later: give the newest createdAt shown, and what came since stays unread.",
        security=CUSTOMER,
        requestBody=body,
        responses={**done, **_problems("400", "401", "403", "404", "408", "409", "411", "413", "429", "503")},
    )
    return {
        "/api/notifications": {"get": _listing()},
        "/api/notifications/unread-count": {"get": _counting()},
        **marks,
        "/api/notifications/read-all": {"post": read_all},
    }


def _listing() -> Json:
    def query(name: str, schema: Json, says: str) -> Json:
        return {"name": name, "in": "query", "description": says, "schema": schema}

    types = {"type": "array", "items": {"$ref": "#/components/schemas/NotificationType"}}
    limit = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    return _call(
        "notifications",
        "listNotifications",
        "The caller's own notifications.",
        "Newest first, without the dismissed ones. Pages by cursor neither skip nor repeat while others arrive.",
        security=CUSTOMER,
        parameters=[
            query("limit", limit, "How many at most."),
            query("cursor", TEXT, "nextCursor of an earlier page."),
            query("unread", {"type": "boolean", "default": False}, "Only those neither read nor resolved."),
            query("type", types, "Only these types."),
            IF_NONE_MATCH,
        ],
        responses={
            "200": {"description": "A page.", "headers": headers(*BELL, "Link"), **content("NotificationPage")},
            "304": {"description": "Nothing changed since.", "headers": headers(*BELL)},
            **_problems("400", "401", "404", "409", "429", "503"),
        },
    )


def _counting() -> Json:
    return _call(
        "notifications",
        "countUnread",
        "How many notifications are unread.",
        "For the number on the bell; look as often as X-Poll-Interval says.",
        security=CUSTOMER,
        parameters=[IF_NONE_MATCH],
        responses={
            "200": {"description": "The count.", "headers": headers(*BELL), **content("UnreadCount")},
            "304": {"description": "Nothing changed since.", "headers": headers(*BELL)},
            **_problems("400", "401", "404", "409", "429", "503"),
        },
    )


def _hints() -> Json:
    def post(origin: str) -> Json:
        accepted = {"description": "Noted; the records are read again.", "headers": headers(), **content("Accepted")}
        return _call(
            "hints",
            f"hint{origin.capitalize()}",
            f"A hint from {origin}: these customers may have changed.",
            "Nothing it says is believed: the customers it names are read again.",
            security=HOOK,
            requestBody={"required": True, "description": "Whom to read again.", **content("Hint")},
            responses={"202": accepted, **_problems("400", "401", "404", "408", "411", "413", "503")},
        )

    return {f"/hooks/{origin}": {"post": post(origin)} for origin in ("whmcs", "salesforce")}


def _operation() -> Json:
    def get(says: str, more: str, security: list[Json], answer: Json, *problems: str) -> Json:
        answers = {"200": {"description": says, "headers": headers(), **answer}, **_problems(*problems)}
        call = {"tags": ["operation"], "summary": says, "description": more, "security": security}
        return {"get": {**call, "responses": answers}}

    page = {"content": {"text/html": {"schema": TEXT, "example": "<!doctype html>"}}}
    text = {"content": {"text/plain": {"schema": TEXT, "example": "me_status_up 1"}}}
    described = {"content": {"application/json": {"schema": {"type": "object"}, "example": {"openapi": "3.1.0"}}}}
    found = {
        "/healthz": get("The process answers.", "Liveness; waits for nothing.", NOBODY, content("Health"), "400"),
        "/readyz": get("There is something to serve.", "Readiness.", NOBODY, content("Health", "Ready"), "400", "503"),
        "/metrics": get("Prometheus text.", "For monitoring.", OPERATOR, text, "401", "404"),
        "/ops": get("The operator's page.", "For a browser.", OPERATOR, page, "401", "404"),
        "/openapi.json": get("This description.", "OpenAPI 3.1.", NOBODY, described, "400"),
        "/docs": get("This description as a page.", "For people; loads nothing from elsewhere.", NOBODY, page, "400"),
    }
    for path, item in found.items():
        item["get"]["operationId"] = "get" + path.strip("/").removesuffix(".json").capitalize()
    return found
