"""Bulk API 2.0 query jobs of the stand-in: created, polled, downloaded as CSV (salesforce-api 5)."""

from __future__ import annotations

import base64
import csv
import io
import json
import tempfile
from array import array
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any

from jobs.sandbox.salesforce.answers import (
    BULK_LIMIT_FAULT,
    Refusal,
    Reply,
    csv_value,
    json_answer,
    not_found,
    refusal_of,
)
from jobs.sandbox.salesforce.ids import new_id
from jobs.sandbox.salesforce.org import SalesforceOrg
from jobs.sandbox.salesforce.query import bound_query, refuse_slow
from jobs.sandbox.salesforce.soql_run import Bound, find_rows, parent_of
from jobs.sandbox.tables import Row

KEPT = timedelta(days=7)
ENDED = ("JobComplete", "Failed", "Aborted")
DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
UNSUPPORTED = ("BillingAddress", "ShippingAddress")


@dataclass
class Job:
    """One query job and, once complete, its result file: records at known offsets behind a header row."""

    job_id: str
    operation: str
    bound: Bound
    version: str
    created_at: datetime
    changed_at: datetime
    line_ending: str
    delimiter: str
    state: str = "UploadComplete"
    polls: int = 0
    error: str | None = None
    spoiled_rows: int = 0
    offsets: array[int] = field(default_factory=lambda: array("q", [0]))
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    @property
    def rows(self) -> int:
        return len(self.offsets) - 1

    def as_json(self) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "id": self.job_id,
            "operation": self.operation,
            "object": self.bound.sobject,
            "createdById": "005Sd0000000001AAA",
            "createdDate": self.created_at,
            "systemModstamp": self.changed_at,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version.removeprefix("v")),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }
        if self.state == "UploadComplete":
            return answer
        progress = {"jobType": "V2Query", "numberRecordsProcessed": self.rows, "retries": 0, "totalProcessingTime": 0}
        return answer | progress | ({"errorMessage": self.error} if self.error else {})


class BulkJobs:
    """The query jobs of one org."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org
        self._jobs: dict[str, Job] = {}
        self.created = 0

    def create(self, body: bytes, version: str, label: str) -> dict[str, Any]:
        """POST jobs/query. Raises Refusal for SOQL that Bulk does not take."""
        fault = self._org.faults.take(label, "bulk_limit")
        if fault is not None:
            raise refusal_of(fault, BULK_LIMIT_FAULT)
        wanted = _wanted(body)
        bound = bound_query(self._org, wanted["query"], include_deleted=wanted["operation"] == "queryAll")
        self._check(bound)
        refuse_slow(self._org, bound, label)
        with self._org.lock:
            self.created += 1
            job_id = new_id("750", self.created)
        now = self._org.stamp()
        delimiter = wanted.get("columnDelimiter", "COMMA")
        ending = wanted.get("lineEnding", "LF")
        job = Job(job_id, wanted["operation"], bound, version, now, now, ending, delimiter)
        self._jobs[job_id] = job
        return job.as_json()

    def poll(self, job_id: str, label: str) -> dict[str, Any]:
        """GET jobs/query/{id}: InProgress for `bulk_polls` polls, then complete, unless a fault says otherwise."""
        job = self._job(job_id)
        with self._org.lock:
            self._advance(job, label)
        return job.as_json()

    def all(self) -> dict[str, Any]:
        return {"done": True, "nextRecordsUrl": None, "records": [job.as_json() for job in self._jobs.values()]}

    def abort(self, job_id: str, body: bytes) -> dict[str, Any]:
        """PATCH {"state": "Aborted"}."""
        job = self._job(job_id)
        if _json(body).get("state") != "Aborted" or job.state in ENDED:
            raise Refusal(400, "INVALIDJOBSTATE", f"Job {job_id} cannot go from {job.state} to the state asked for")
        self._end(job, "Aborted")
        return job.as_json()

    def delete(self, job_id: str) -> Reply:
        """Only a job that has ended can be deleted; its results go with it."""
        job = self._job(job_id)
        if job.state not in ENDED:
            raise Refusal(400, "INVALIDJOBSTATE", f"Job {job_id} is in state {job.state}")
        del self._jobs[job_id]
        job.file.close()
        return Reply(204, b"")

    def results(self, job_id: str, arguments: dict[str, str], version: str) -> Reply:
        """A page of CSV; `Sforce-Locator` is the text `null` on the last one."""
        job = self._complete(job_id, version)
        start = _decoded(arguments["locator"]) if "locator" in arguments else 0
        asked = arguments.get("maxRecords", "")
        rows = min(int(asked) if asked.isdigit() and int(asked) else self._org.bulk_page_rows, self._org.bulk_page_rows)
        end = min(start + rows, job.rows)
        headers = {
            "Sforce-NumberOfRecords": str(end - start),
            "Sforce-Locator": "null" if end >= job.rows else _encoded(end),
        }
        with self._org.lock:
            return Reply(200, _header(job) + _cut(job, start, end), "text/csv; charset=UTF-8", headers)

    def result_pages(self, job_id: str, version: str) -> Reply:
        """Up to five result addresses at once, from version 58 on."""
        job = self._complete(job_id, version)
        starts = range(0, max(job.rows, 1), self._org.bulk_page_rows)
        base = f"/services/data/{version}/jobs/query/{job_id}/results"
        pages = [{"resultUrl": f"{base}?locator={_encoded(start)}"} for start in list(starts)[:5]]
        return json_answer({"resultPages": pages, "done": len(starts) <= 5})

    def _complete(self, job_id: str, version: str) -> Job:
        job = self._job(job_id)
        if job.version != version:
            raise Refusal(409, "API_ERROR", "Results must be read with the API version that created the job")
        if job.state != "JobComplete":
            raise Refusal(400, "INVALIDJOBSTATE", f"Job {job_id} is in state {job.state}")
        return job

    def _job(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None or (job.state in ENDED and job.changed_at + KEPT <= self._org.clock.now()):
            raise not_found()
        return job

    def _advance(self, job: Job, label: str) -> None:
        if job.state in ENDED:
            return
        job.state = "InProgress"
        job.polls += 1
        asked = f"{label} {job.bound.query.text}"
        if self._org.faults.take(asked, "bulk_stuck"):
            return
        fault = self._org.faults.take(asked, "bulk_failed")
        if fault is not None:
            job.error = fault.arguments.get("message", "InternalServerError : Retried more than 15 times")
            self._end(job, "Failed")
        elif job.polls > self._org.bulk_polls:
            fault = self._org.faults.take(asked, "null_bytes")
            job.spoiled_rows = fault.arguments.get("rows", 1) if fault else 0
            _write(self._org, job)
            self._end(job, "JobComplete")

    def _end(self, job: Job, state: str) -> None:
        job.state = state
        job.changed_at = self._org.stamp()

    def _check(self, bound: Bound) -> None:
        """What Bulk 2.0 refuses; ORDER BY and LIMIT are taken but noted in the org's `bulk_warnings` (H29)."""
        query = bound.query
        if (
            query.groups
            or bound.count is not None
            or query.offset
            or any(column.name in UNSUPPORTED for column in bound.columns)
        ):
            raise Refusal(400, "API_ERROR", "Aggregates, OFFSET and compound fields are not supported by Bulk Query")
        if query.order or query.limit is not None:
            self._org.bulk_warnings.append(query.text)


def _wanted(body: bytes) -> dict[str, Any]:
    wanted = _json(body)
    if wanted.get("operation") not in ("query", "queryAll") or not isinstance(wanted.get("query"), str):
        raise Refusal(400, "INVALIDJOB", "operation must be query or queryAll, with a query")
    if wanted.get("columnDelimiter", "COMMA") not in DELIMITERS or wanted.get("lineEnding", "LF") not in ("LF", "CRLF"):
        raise Refusal(400, "INVALIDJOB", "unknown columnDelimiter or lineEnding")
    return wanted


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(400, "JSON_PARSER_ERROR", "Unexpected content")
    return value


def _write(org: SalesforceOrg, job: Job) -> None:
    """The result file: records as they are when the job completes."""
    for row in find_rows(org, job.bound):
        line = _line(job, [_cell(org, column, row) for column in job.bound.columns])
        if job.rows < job.spoiled_rows:
            line = b"\0" + line
        job.file.write(line)
        job.offsets.append(job.offsets[-1] + len(line))


def _cell(org: SalesforceOrg, column: Any, row: Row) -> str:
    if column.parent is None:
        value = row.get(column.name)
        return csv_value(bool(value) if column.type == "boolean" else value)
    parent = parent_of(org, column, row)
    return "" if parent is None else csv_value(parent.get(column.name))


def _line(job: Job, cells: list[str]) -> bytes:
    text = io.StringIO()
    ending = "\n" if job.line_ending == "LF" else "\r\n"
    csv.writer(text, delimiter=DELIMITERS[job.delimiter], lineterminator=ending, quoting=csv.QUOTE_ALL).writerow(cells)
    return text.getvalue().encode()


def _header(job: Job) -> bytes:
    return _line(job, [column.csv_name for column in job.bound.columns])


def _cut(job: Job, start: int, end: int) -> bytes:
    job.file.seek(job.offsets[start])
    return job.file.read(job.offsets[end] - job.offsets[start])


def _encoded(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _decoded(locator: str) -> int:
    """Raises Refusal for a locator that was never given out."""
    try:
        return int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except ValueError:
        raise Refusal(400, "INVALID_LOCATOR", "the locator is not one of this job") from None
