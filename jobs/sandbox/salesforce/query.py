"""REST queries of the stand-in: first pages, cursors and their following pages (salesforce-api 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from jobs.sandbox.salesforce.answers import LOCATOR_FAULT, TIMEOUT_FAULT, Refusal, refusal_of
from jobs.sandbox.salesforce.org import SalesforceOrg
from jobs.sandbox.salesforce.soql import Count, SoqlError, parse
from jobs.sandbox.salesforce.soql_groups import grouped
from jobs.sandbox.salesforce.soql_run import Bound, bind, find_ids, record_of

CURSOR_LIFE = timedelta(days=2)
SMALLEST_PAGE, LARGEST_PAGE = 200, 2000
BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Cursor:
    """The ids found when the query was asked; rows are read anew for each page."""

    bound: Bound
    ids: list[str]
    expires_at: datetime


class Queries:
    """The open cursors of one org."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org
        self._cursors: dict[str, Cursor] = {}

    def first(self, text: str, *, include_deleted: bool, options: str, version: str, label: str) -> dict[str, Any]:
        """The first page. Raises Refusal, as all queries do, for what SOQL or a fault forbids."""
        bound = bound_query(self._org, text, include_deleted=include_deleted)
        refuse_slow(self._org, bound, label)
        ids = find_ids(self._org, bound)
        if bound.query.groups:
            return grouped(self._org, bound, ids)
        if bound.count is not None:
            return _counted(self._org, bound, bound.count, ids)
        return self._page(Cursor(bound, ids, self._org.clock.now() + CURSOR_LIFE), None, 0, options, version)

    def next(self, locator: str, *, options: str, version: str, label: str) -> dict[str, Any]:
        """A following page. Raises Refusal INVALID_QUERY_LOCATOR for a cursor that is unknown or two days old."""
        fault = self._org.faults.take(label, "locator_invalid")
        if fault is not None:
            raise refusal_of(fault, LOCATOR_FAULT)
        name, _, offset = locator.rpartition("-")
        cursor = self._cursors.get(name)
        if cursor is None or not offset.isdigit() or cursor.expires_at <= self._org.clock.now():
            raise Refusal(*LOCATOR_FAULT)
        return self._page(cursor, name, int(offset), options, version)

    def _page(self, cursor: Cursor, name: str | None, offset: int, options: str, version: str) -> dict[str, Any]:
        end = offset + self._page_rows(options)
        page: dict[str, Any] = {"totalSize": len(cursor.ids), "done": end >= len(cursor.ids)}
        if not page["done"]:
            name = name or self._keep(cursor)
            page["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{end}"
        page["records"] = self._records(cursor, offset, end, version)
        return page

    def _records(self, cursor: Cursor, offset: int, end: int, version: str) -> list[dict[str, Any]]:
        rows = (cursor.bound.row(self._org, key) for key in cursor.ids[offset:end])
        return [record_of(self._org, cursor.bound, row, f"/services/data/{version}") for row in rows if row is not None]

    def _keep(self, cursor: Cursor) -> str:
        now = self._org.clock.now()
        with self._org.lock:
            self._cursors = {name: kept for name, kept in self._cursors.items() if kept.expires_at > now}
            name = f"0r8Sd{uuid4().hex[:10]}EAA"
            self._cursors[name] = cursor
        return name

    def _page_rows(self, options: str) -> int:
        """As many as asked (200 to 2,000), at most the server's cap, and sometimes fewer (salesforce-api 3.1)."""
        asked = BATCH_SIZE.search(options)
        rows = min(max(int(asked[1]), SMALLEST_PAGE), LARGEST_PAGE) if asked else LARGEST_PAGE
        rows = min(rows, self._org.page_cap)
        if self._org.random.random() < self._org.short_page_share:
            return self._org.random.randint(1, rows)
        return rows


def bound_query(org: SalesforceOrg, text: str, *, include_deleted: bool) -> Bound:
    """The query with its names checked. Raises Refusal 400."""
    try:
        return bind(org, parse(text), include_deleted=include_deleted)
    except SoqlError as error:
        raise Refusal(400, error.code, error.message) from error


def refuse_slow(org: SalesforceOrg, bound: Bound, label: str) -> None:
    """QUERY_TIMEOUT on demand, for windows of SystemModstamp wider than the fault's `days` (H28)."""
    width = bound.narrowing.days
    fault = org.faults.take(label, "query_timeout", when=lambda fault: width > fault.arguments.get("days", 0))
    if fault is not None:
        raise refusal_of(fault, TIMEOUT_FAULT)


def _counted(org: SalesforceOrg, bound: Bound, count: Count, ids: list[str]) -> dict[str, Any]:
    if count.field is None:
        return {"totalSize": len(ids), "done": True, "records": []}
    record = {"attributes": {"type": "AggregateResult"}, count.alias or "expr0": _filled(org, bound, count, ids)}
    return {"totalSize": 1, "done": True, "records": [record]}


def _filled(org: SalesforceOrg, bound: Bound, count: Count, ids: list[str]) -> int:
    """How many have a value in the counted field; every record has an Id."""
    assert count.field is not None
    if count.field.text.lower() == "id":
        return len(ids)
    name = org.schema[bound.sobject].spelling(count.field.text) or ""
    rows = (bound.row(org, key) for key in ids)
    return sum(row is not None and row.get(name) not in (None, "") for row in rows)
