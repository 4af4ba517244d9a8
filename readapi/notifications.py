"""The routes of the bell: the caller's own notifications, and marking them."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from flask import Blueprint, Response, request

from readapi.answers import instant
from readapi.identity import Identity
from readapi.problems import bad_request, not_found
from readapi.statements import Row, Statements

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100
START = ("infinity", UUID(int=2**128 - 1))
"""What every notification stands before."""
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
INSTANT_TEXT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
MARKS = {
    "read": "api/mark_notification_read",
    "unread": "api/mark_notification_unread",
    "dismiss": "api/mark_notification_dismissed",
}


def blueprint(identity: Identity, statements: Statements) -> Blueprint:
    """The routes under /api/notifications."""
    routes = Blueprint("notifications", __name__, url_prefix="/api/notifications")

    @routes.get("")
    def list_notifications() -> Response:
        customer_id = identity.customer(request.headers.get("Authorization"))
        limit = limit_of(request.args.get("limit"))
        before_at, before_id = before_of(request.args.get("cursor"))
        rows = statements.all(
            "api/list_notifications",
            customer_id=customer_id,
            only_unread=only_unread_of(request.args.get("unread")),
            before_at=before_at,
            before_id=before_id,
            page_size=limit + 1,
        )
        return _json(page(rows, limit, _unread(statements, customer_id)))

    @routes.get("/unread-count")
    def count_unread() -> Response:
        customer_id = identity.customer(request.headers.get("Authorization"))
        return _json({"unreadCount": _unread(statements, customer_id)})

    @routes.post("/read-all")
    def read_all() -> Response:
        customer_id = identity.customer(request.headers.get("Authorization"))
        statements.all(
            "api/mark_notifications_read_until", customer_id=customer_id, until=until_of(request.get_data(cache=False))
        )
        return _nothing()

    @routes.post("/<notification_id>/<any(read, unread, dismiss):action>")
    def mark(notification_id: str, action: str) -> Response:
        customer_id = identity.customer(request.headers.get("Authorization"))
        is_id = UUID_TEXT.fullmatch(notification_id)
        if not is_id or not statements.one(MARKS[action], customer_id=customer_id, notification_id=notification_id):
            raise not_found("There is no such notification of yours.", kind="no-notification")
        return _nothing()

    return routes


def page(rows: list[Row], limit: int, unread_count: int) -> dict[str, Any]:
    """The body of a page, from up to one row more than the page holds."""
    shown = rows[:limit]
    return {
        "items": [_item(row) for row in shown],
        "nextCursor": cursor_of(shown[-1]) if len(rows) > limit else None,
        "unreadCount": unread_count,
    }


def limit_of(text: str | None) -> int:
    """The page's size. Raises Problem (400) unless it is a whole number from 1 to 100."""
    if text is None:
        return DEFAULT_LIMIT
    if re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= LARGEST_LIMIT:
        return int(text)
    raise bad_request(f"limit has to be a whole number from 1 to {LARGEST_LIMIT}.")


def only_unread_of(text: str | None) -> bool:
    """Whether only unread ones are asked for. Raises Problem (400) for anything but true and false."""
    if text not in (None, "true", "false"):
        raise bad_request("unread has to be true or false.")
    return text == "true"


def cursor_of(row: Row) -> str:
    """An opaque mark of the last row shown: its instant, in microseconds, and its id."""
    return base64.urlsafe_b64encode(f"{row[7].isoformat()} {row[0]}".encode()).decode().rstrip("=")


def before_of(cursor: str | None) -> tuple[str | datetime, UUID]:
    """The instant and id a page starts after. Raises Problem (400) for a cursor that no page gave."""
    if cursor is None:
        return START
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, notification_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(" ")
        if not INSTANT_TEXT.fullmatch(at) or not UUID_TEXT.fullmatch(notification_id):
            raise ValueError("not ours")
        return datetime.fromisoformat(at), UUID(notification_id)
    except ValueError:
        raise bad_request("cursor has to be the nextCursor of an earlier page.") from None


def until_of(body: bytes) -> str | datetime:
    """The instant of `upTo` in a read-all body; infinity when it gives none. Raises Problem (400) when malformed."""
    if not body.strip():
        return "infinity"
    try:
        given = orjson.loads(body)
        up_to = given.get("upTo") if isinstance(given, dict) else given
        if isinstance(given, dict) and up_to is None:
            return "infinity"
        if not isinstance(up_to, str) or not isinstance(given, dict) or not INSTANT_TEXT.fullmatch(up_to):
            raise ValueError("no instant")
        return datetime.fromisoformat(up_to.upper())
    except ValueError:
        raise bad_request('The body has to be empty or {"upTo": "<RFC 3339 instant>"}.') from None


def _item(row: Row) -> dict[str, Any]:
    identifier, kind, title, message, action_url, action_label, source_id, created_at, read_at, resolved_at = row
    return {
        "id": str(identifier),
        "type": kind,
        "title": title,
        "message": message,
        "actionUrl": action_url,
        "actionLabel": action_label,
        "sourceId": source_id,
        "createdAt": instant(created_at),
        "readAt": read_at and instant(read_at),
        "resolvedAt": resolved_at and instant(resolved_at),
    }


def _unread(statements: Statements, customer_id: str) -> int:
    counted = statements.one("api/count_unread_notifications", customer_id=customer_id)
    return int(counted[0]) if counted else 0


def _json(body: dict[str, Any]) -> Response:
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
    return Response(orjson.dumps(body), 200, headers, content_type="application/json")


def _nothing() -> Response:
    return Response(status=204, headers={"Cache-Control": "no-store", "Vary": "Authorization"})
