"""The routes of the bell: the caller's own notifications, and marking them."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from flask import Blueprint, Response, request

from config.wording import OFFERED
from readapi.answers import instant, names, weak_tag
from readapi.asked import INSTANT_TEXT, Asked, nothing
from readapi.identity import Identity
from readapi.problems import not_found
from readapi.statements import Row, Statements

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100
POLL_SECONDS = 30
"""What X-Poll-Interval asks of callers between two looks."""
START: tuple[str | datetime, UUID] = ("infinity", UUID(int=2**128 - 1))
"""What every notification stands before."""
UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
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
        asked = Asked()
        limit = asked.one("limit", limit_of, DEFAULT_LIMIT, f"a whole number from 1 to {LARGEST_LIMIT}")
        before_at, before_id = asked.one("cursor", before_of, START, "the nextCursor of an earlier page")
        only_unread = asked.one("unread", truth_of, default=False, wanted="true or false")
        types = asked.several("type", OFFERED)
        asked.done()
        rows = statements.all(
            "api/list_notifications",
            customer_id=customer_id,
            only_unread=only_unread,
            types=types or None,
            before_at=before_at,
            before_id=before_id,
            page_size=limit + 1,
        )
        return _polled(page(rows, limit, _unread(statements, customer_id)), next_page(rows, limit))

    @routes.get("/unread-count")
    def count_unread() -> Response:
        customer_id = identity.customer(request.headers.get("Authorization"))
        nothing()
        return _polled({"unreadCount": _unread(statements, customer_id)})

    @routes.post("/read-all")
    def read_all() -> Response:
        customer_id = identity.customer(request.headers.get("Authorization"), writes=True)
        asked = Asked()
        until = asked.instant("upTo", asked.body("upTo").get("upTo"))
        asked.done()
        statements.all("api/mark_notifications_read_until", customer_id=customer_id, until=until or "infinity")
        return _nothing()

    @routes.post("/<notification_id>/<any(read, unread, dismiss):action>")
    def mark(notification_id: str, action: str) -> Response:
        customer_id = identity.customer(request.headers.get("Authorization"), writes=True)
        nothing()
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


def next_page(rows: Sequence[Row], limit: int) -> str | None:
    """The Link header (RFC 8288) to the next page of the same query; None on the last one."""
    if len(rows) <= limit:
        return None
    query = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    return f'<{request.path}?{urlencode([*query, ("cursor", cursor_of(rows[limit - 1]))])}>; rel="next"'


def limit_of(text: str) -> int:
    """The page's size. Raises ValueError unless it is a whole number from 1 to 100."""
    if re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= LARGEST_LIMIT:
        return int(text)
    raise ValueError("not a page's size")


def truth_of(text: str) -> bool:
    """Whether it is true. Raises ValueError for anything but true and false."""
    if text not in ("true", "false"):
        raise ValueError("neither")
    return text == "true"


def cursor_of(row: Row) -> str:
    """An opaque mark of the last row shown: its instant, in microseconds, and its id."""
    return base64.urlsafe_b64encode(f"{row[7].isoformat()} {row[0]}".encode()).decode().rstrip("=")


def before_of(cursor: str) -> tuple[str | datetime, UUID]:
    """The instant and id a page starts after. Raises ValueError for a cursor that no page gave."""
    padded = cursor + "=" * (-len(cursor) % 4)
    at, notification_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(" ")
    if not INSTANT_TEXT.fullmatch(at) or not UUID_TEXT.fullmatch(notification_id):
        raise ValueError("not ours")
    return datetime.fromisoformat(at), UUID(notification_id)


def _item(row: Row) -> dict[str, Any]:
    (
        identifier,
        kind,
        title,
        message,
        action_url,
        action_label,
        source_id,
        created_at,
        read_at,
        resolved_at,
        tone,
        about,
    ) = row
    return {
        "id": str(identifier),
        "type": kind,
        "tone": tone,
        "title": title,
        "message": message,
        "actionUrl": action_url,
        "actionLabel": action_label,
        "sourceId": source_id,
        "about": orjson.Fragment(about),
        "createdAt": instant(created_at),
        "readAt": read_at and instant(read_at),
        "resolvedAt": resolved_at and instant(resolved_at),
    }


def _unread(statements: Statements, customer_id: str) -> int:
    counted = statements.one("api/count_unread_notifications", customer_id=customer_id)
    return int(counted[0]) if counted else 0


def _polled(body: dict[str, Any], link: str | None = None) -> Response:
    """200 with the body, or 304 without it; under the same headers, which say how often to look."""
    content = orjson.dumps(body)
    headers = {
        "ETag": (tag := weak_tag(content)),
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization",
        "X-Poll-Interval": str(POLL_SECONDS),
    } | ({"Link": link} if link else {})
    if names(request.headers.get("If-None-Match", ""), tag):
        return Response(status=304, headers=headers)
    return Response(content, 200, headers, content_type="application/json")


def _nothing() -> Response:
    return Response(status=204, headers={"Cache-Control": "no-store", "Vary": "Authorization"})
