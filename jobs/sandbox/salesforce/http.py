"""The HTTP side of the Salesforce stand-in: routes, sessions, the API allowance, gzip (salesforce-api 1, 4, 15)."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from werkzeug.wrappers import Request, Response

from jobs.sandbox.salesforce import resources
from jobs.sandbox.salesforce.answers import REST_FAULTS, Refusal, Reply, json_answer, not_found, rest_fault
from jobs.sandbox.salesforce.bulk import BulkJobs
from jobs.sandbox.salesforce.login import OLDEST_VERSION, soap_answer, token_answer
from jobs.sandbox.salesforce.org import SalesforceOrg
from jobs.sandbox.salesforce.query import Queries
from jobs.sandbox.server import with_transport_faults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DATA = re.compile(r"/services/data/(v(\d+)\.0)(?:/(.*))?")
SOAP = re.compile(r"/services/Soap/u/([^/]+)/?")
SMALLEST_GZIP = 256


def app(org: SalesforceOrg) -> WSGIApplication:
    """The org's WSGI app, with transport faults in front of it; each has its own cursors and bulk jobs."""
    site = _Site(org)
    faulty = with_transport_faults(site, org.faults, label)

    def whole(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # An unread body would be taken for the next request of the connection, chunked ones above all.
        body = Request(environ).get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        for announcing_chunks in ("HTTP_TRANSFER_ENCODING", "wsgi.input_terminated"):
            environ.pop(announcing_chunks, None)
        return faulty(environ, start_response)

    return whole


def label(environ: WSGIEnvironment) -> str:
    """What faults match: `GET /services/data/v59.0/query/?q=SELECT Id FROM Account`; bulk jobs end in their SOQL."""
    query = unquote_plus(environ.get("QUERY_STRING", ""))
    text = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}" + (f"?{query}" if query else "")
    if environ["REQUEST_METHOD"] == "POST" and "/jobs/query" in environ["PATH_INFO"]:
        text += " " + _soql_of(environ["wsgi.input"].getvalue())
    return text


def _soql_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["query"])
    except (ValueError, KeyError, TypeError):
        return ""


class _Site:
    """Answers requests for one org; holds its cursors and bulk jobs."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org
        self._queries = Queries(org)
        self._bulk = BulkJobs(org)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        self._org.purge()
        try:
            answer = self._answer(request, label(environ))
        except Refusal as refusal:
            answer = refusal.answer()
        return self._response(request, answer)(environ, start_response)

    def _answer(self, request: Request, text: str) -> Reply:
        home = f"{request.scheme}://{request.host}"
        if request.path == "/services/oauth2/token" and request.method == "POST":
            authorization = request.headers.get("Authorization", "")
            return token_answer(self._org, request.form.to_dict(), authorization, home, text)
        if (soap := SOAP.fullmatch(request.path)) and request.method == "POST":
            return soap_answer(self._org, soap[1], request.get_data(), home, text)
        if request.path.rstrip("/") == "/services/data":
            return json_answer(resources.versions())
        if (data := DATA.fullmatch(request.path)) is None:
            raise not_found()
        return self._data(request, data[1], int(data[2]), data[3] or "", text)

    def _data(self, request: Request, version: str, number: int, path: str, text: str) -> Reply:
        if number < OLDEST_VERSION:
            raise Refusal(410, "GONE", "The requested resource no longer exists")
        if number > resources.NEWEST_VERSION:
            raise not_found()
        self._admit(request, text)
        answer = self._rest(request, version, path.strip("/").split("/"), text)
        answer.headers["Sforce-Limit-Info"] = f"api-usage={self._org.api_used}/{self._org.api_total}"
        return answer

    def _admit(self, request: Request, text: str) -> None:
        """Session, then faults, then the daily allowance. Raises Refusal."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme not in ("Bearer", "OAuth") or self._org.session(token) is None:
            raise Refusal(*REST_FAULTS["session_expired"])
        hit = rest_fault(self._org.faults, text)
        if hit is not None:
            if hit[0].kind == "session_expired":
                self._org.end_session(token)
            raise hit[1]
        if self._org.api_used >= self._org.api_total:
            raise Refusal(*REST_FAULTS["quota_exceeded"])
        self._org.count_call()

    def _rest(self, request: Request, version: str, path: list[str], text: str) -> Reply:
        arguments = request.args.to_dict()
        match (request.method, *path):
            case ("GET", ("query" | "queryAll") as word):
                return self._query(request, version, word, text)
            case ("GET", "query" | "queryAll", locator):
                options = request.headers.get("Sforce-Query-Options", "")
                return json_answer(self._queries.next(locator, options=options, version=version, label=text))
            case ("GET", "limits"):
                return json_answer(resources.limits(self._org, self._bulk.created))
            case ("GET", "sobjects"):
                return json_answer(resources.describe_global(self._org))
            case ("GET", "sobjects", *rest):
                answer = resources.sobject_answer(self._org, rest, arguments, version)
                return answer if isinstance(answer, Reply) else json_answer(answer)
            case (_, "jobs", "query", *rest):
                return self._job(request, version, rest, text)
            case ("POST", "composite", "batch"):
                return self._batch(request, text)
            case ("GET", ""):
                names = ("query", "queryAll", "sobjects", "limits", "jobs", "composite")
                return json_answer({name: f"/services/data/{version}/{name}" for name in names})
        raise not_found()

    def _query(self, request: Request, version: str, word: str, text: str) -> Reply:
        soql = request.args.get("q")
        if not soql:
            raise Refusal(400, "MALFORMED_QUERY", "A query string has to be specified")
        options = request.headers.get("Sforce-Query-Options", "")
        return json_answer(
            self._queries.first(soql, include_deleted=word == "queryAll", options=options, version=version, label=text)
        )

    def _job(self, request: Request, version: str, path: list[str], text: str) -> Reply:
        match (request.method, *path):
            case ("POST",):
                return json_answer(self._bulk.create(request.get_data(), version, text))
            case ("GET",):
                return json_answer(self._bulk.all())
            case ("GET", job_id):
                return json_answer(self._bulk.poll(job_id, text))
            case ("PATCH", job_id):
                return json_answer(self._bulk.abort(job_id, request.get_data()))
            case ("DELETE", job_id):
                return self._bulk.delete(job_id)
            case ("GET", job_id, "results"):
                return self._bulk.results(job_id, request.args.to_dict(), version)
            case ("GET", job_id, "resultPages"):
                return self._bulk.result_pages(job_id, version)
        raise not_found()

    def _batch(self, request: Request, text: str) -> Reply:
        """composite/batch: up to 25 GETs in one call."""
        wanted: Any = (request.get_json(silent=True) or {}).get("batchRequests", [])
        if not wanted or len(wanted) > resources.LARGEST_BATCH:
            raise Refusal(400, "INVALID_BATCH", "A batch has 1 to 25 requests")
        results = [self._batched(part, text) for part in wanted]
        return json_answer({"hasErrors": any(part["statusCode"] >= 400 for part in results), "results": results})

    def _batched(self, part: dict[str, str], text: str) -> dict[str, Any]:
        path, _, query = part["url"].partition("?")
        inner = Request.from_values(f"/services/data/{path.removeprefix('/services/data/').lstrip('/')}?{query}")
        try:
            data = DATA.fullmatch(inner.path)
            if data is None or part.get("method") != "GET":
                raise not_found()
            answer = self._rest(inner, data[1], (data[3] or "").strip("/").split("/"), text)
        except Refusal as refusal:
            answer = refusal.answer()
        return {"statusCode": answer.status, "result": json.loads(answer.body)}

    def _response(self, request: Request, answer: Reply) -> Response:
        body = answer.body
        response = Response(status=answer.status, content_type=answer.content_type, headers=answer.headers)
        if len(body) >= SMALLEST_GZIP and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1, mtime=0)
            response.headers["Content-Encoding"] = "gzip"
        response.set_data(body)
        if answer.status == 204:
            response.headers.pop("Content-Type", None)
        return response
