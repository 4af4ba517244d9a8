"""Whole objects by Bulk API 2.0 (salesforce-api 5): one query job, its result pages as CSV."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from typing import Any

import requests

from jobs.sources.errors import ProtocolError, SourceError, TransientError
from jobs.sources.salesforce.session import SalesforceSession

PAGE_ROWS = 50_000
LONGEST_PAUSE = 5.0
"""Seconds between two looks at a job."""

csv.field_size_limit(10_000_000)  # a long text area holds up to 131,072 characters, the module's own limit


def bulk_records(
    session: SalesforceSession, soql: str, what: str, *, wait_seconds: float
) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """Pages of records with the count the job says it processed. Raises SourceError when Bulk does not deliver.

    The query must not order or limit: both switch off the platform's chunking (H29).
    """
    body = {"operation": "query", "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"}
    job = _json(session.send(f"bulk query of {what}", "POST", "jobs/query", json=body), what)
    path = f"jobs/query/{job.get('id')}"
    try:
        total = _finished(session, path, what, wait_seconds)
        yield from ((records, total) for records in _pages(session, path, what))
    finally:
        _discard(session, path, what)


def _finished(session: SalesforceSession, path: str, what: str, wait_seconds: float) -> int:
    """How many records the job holds, once it is complete."""
    deadline, pause = time.monotonic() + wait_seconds, 0.1
    while True:
        job = _json(session.send(f"state of the bulk query of {what}", "GET", path), what)
        if job.get("state") == "JobComplete":
            return int(job.get("numberRecordsProcessed") or 0)
        if job.get("state") in ("Failed", "Aborted"):
            raise SourceError(f"Salesforce: bulk query of {what}: the job ended as {job['state']}; see it in Setup")
        if time.monotonic() > deadline:
            raise SourceError(f"Salesforce: bulk query of {what}: not complete after {wait_seconds:.0f} s; try later")
        time.sleep(pause)
        pause = min(pause * 1.6, LONGEST_PAUSE)


def _pages(session: SalesforceSession, path: str, what: str) -> Iterator[list[dict[str, Any]]]:
    locator, been = "", set[str]()
    while True:
        parameters = {"maxRecords": PAGE_ROWS} | ({"locator": locator} if locator else {})
        answer = session.send(
            f"bulk results of {what}", "GET", f"{path}/results", params=parameters, headers={"Accept": "text/csv"}
        )
        yield _records(answer, what)
        following = answer.headers.get("Sforce-Locator", "")
        if following in ("", "null"):
            return
        if following in been:
            raise ProtocolError(f"Salesforce: bulk results of {what}: the locator does not move on; run again")
        been.add(following)
        session.check_quota()
        locator = following


def _records(answer: requests.Response, what: str) -> list[dict[str, Any]]:
    """CSV as records; an empty cell is null, `NA` is text (H51), null bytes are dropped (H50)."""
    content = answer.content.decode("utf-8", "replace").replace("\0", "")
    try:
        header, *lines = csv.reader(io.StringIO(content, newline=""), strict=True)
        records = [{name: value or None for name, value in zip(header, line, strict=True)} for line in lines if line]
    except (ValueError, csv.Error):
        raise TransientError(f"Salesforce: bulk results of {what}: the CSV is cut short; REST is used") from None
    announced = answer.headers.get("Sforce-NumberOfRecords")
    if announced is not None and announced.isdigit() and int(announced) != len(records):
        raise TransientError(f"Salesforce: bulk results of {what}: {announced} records announced, {len(records)} came")
    return records


def _json(answer: requests.Response, what: str) -> dict[str, Any]:
    try:
        decoded = answer.json()
    except requests.exceptions.JSONDecodeError:
        decoded = None
    if not isinstance(decoded, dict):
        raise ProtocolError(f"Salesforce: bulk query of {what}: answered something that is not a job; REST is used")
    return decoded


def _discard(session: SalesforceSession, path: str, what: str) -> None:
    """Deletes a job that has ended and stops one that has not; failing that, the platform does after 7 days."""
    for method, arguments in (("DELETE", {}), ("PATCH", {"json": {"state": "Aborted"}})):
        try:
            session.send(f"end of the bulk query of {what}", method, path, **arguments)
        except SourceError:
            continue
        return
