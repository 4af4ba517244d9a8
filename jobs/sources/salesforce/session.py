"""One session with Salesforce: logged in, retrying what passes, watching the quota and the server's clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import stamina
from simple_salesforce.api import Salesforce
from simple_salesforce.util import exception_handler

from config.salesforce_id import completed
from config.schedule import Schedule
from config.settings import Settings
from jobs.sources.decoding import decoded
from jobs.sources.errors import CredentialsError, ProtocolError, QuotaExhausted, SourceError, TransientError
from jobs.sources.salesforce.answers import SessionExpired, understood
from jobs.sources.salesforce.login import host, log_in, transport

USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")
T = TypeVar("T")


@dataclass(frozen=True)
class Usage:
    """API requests of the rolling 24 hours: used, and allowed."""

    used: int
    total: int

    @property
    def percent(self) -> float:
        return 100 * self.used / self.total if self.total else 0.0


class _Client(Salesforce):
    """The library's client, which an absurd number in one record does not stop."""

    def parse_result_to_json(self, result: requests.Response) -> Any:
        try:
            return result.json()
        except ValueError as unreadable:
            try:
                return decoded(result.content)
            except ValueError:
                raise unreadable from None


class SalesforceSession:
    """Requests to one org. Every failure is a SourceError; `server_time` and `usage` are those of the last answer."""

    def __init__(self, settings: Settings, schedule: Schedule) -> None:
        assert settings.salesforce_instance_url is not None
        self._settings = settings
        self._schedule = schedule
        self._transport = transport(settings.salesforce_instance_url, schedule.limits.timeout_seconds)
        self._transport.hooks["response"].append(self._note)
        self._lock = Lock()
        self.server_time: datetime | None = None
        self.usage: Usage | None = None
        self._client = self._retrying(self._logged_in)

    def query(self, soql: str, what: str, *, include_deleted: bool = False) -> dict[str, Any]:
        """The first page of a query of `what` (an object's name)."""
        headers = {"Sforce-Query-Options": f"batchSize={self._schedule.salesforce.page_size}"}
        answer = self.call(
            f"query of {what}", lambda client: client.query(soql, include_deleted=include_deleted, headers=headers)
        )
        return _page(answer, what)

    def pages(self, soql: str, what: str, *, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        """All pages of a query, until the server says done. Raises QuotaExhausted between pages."""
        headers = {"Sforce-Query-Options": f"batchSize={self._schedule.salesforce.page_size}"}
        page = self.query(soql, what, include_deleted=include_deleted)
        chain = Chain(what, page.get("totalSize"))
        while True:
            yield page
            if page["done"]:
                return
            self.check_quota()
            more = partial(
                Salesforce.query_more,
                next_records_identifier=chain.next(page),
                identifier_is_url=True,
                headers=headers,
            )
            answer = self.call(f"next page of {what}", more)
            page = _page(answer, what)

    @property
    def token(self) -> str:
        """The session's token, for services beside the REST API."""
        return str(self._client.session_id)

    def renew(self, token: str) -> None:
        """Logs in again, unless somebody did since `token` was the session's. Raises SourceError."""
        client = self._client
        if client.session_id == token:
            self._again_logged_in(client)

    def organization_id(self) -> str:
        """The org's id of 18 characters, which most tokens begin with. Raises SourceError when it cannot be asked."""
        if found := completed(self.token.partition("!")[0]):
            return found
        page = self.query("SELECT Id FROM Organization", "Organization")
        if not page["records"]:
            raise ProtocolError("Salesforce: query of Organization: no record; grant the user API access to it")
        return str(page["records"][0]["Id"])

    def describe(self, what: str) -> dict[str, Any] | None:
        """The object's description, or None where the server does not give one."""
        try:
            answer = self.call(f"describe of {what}", lambda client: client.restful(f"sobjects/{what}/describe"))
        except (CredentialsError, TransientError, QuotaExhausted):
            raise
        except SourceError:
            return None
        return answer if isinstance(answer, dict) and isinstance(answer.get("fields"), list) else None

    def read_limits(self) -> None:
        """Asks for the day's usage. A server that does not say is assumed to have no limit."""
        self.usage = self._used_of("DailyApiRequests") or self.usage

    def event_deliveries(self) -> Usage | None:
        """What all subscribers of the org used of its deliveries in 24 hours; None where the server does not say."""
        return self._used_of("DailyDeliveredPlatformEvents")

    def _used_of(self, name: str) -> Usage | None:
        try:
            answer = self.call("limits", lambda client: client.limits())
        except (CredentialsError, QuotaExhausted):
            raise
        except SourceError:
            return None
        day = answer.get(name) if isinstance(answer, dict) else None
        if isinstance(day, dict) and isinstance(day.get("Max"), int) and isinstance(day.get("Remaining"), int):
            return Usage(day["Max"] - day["Remaining"], day["Max"])
        return None

    def check_quota(self) -> None:
        """Raises QuotaExhausted when the configured share of the day's requests is used."""
        limit = self._schedule.salesforce.quota_stop_percent
        if self.usage is not None and self.usage.total and self.usage.percent >= limit:
            raise QuotaExhausted(
                f"Salesforce: {self.usage.used} of {self.usage.total} API requests of the last 24 hours are used "
                f"({self.usage.percent:.0f} %); quota_stop_percent = {limit} stops here, the next run goes on"
            )

    def call(self, action: str, request: Callable[[Salesforce], T]) -> T:
        """`request` done with the library's client, repeated on passing failures within the configured bounds."""
        return self._retrying(lambda: self._with_session(action, request))

    def send(self, action: str, method: str, path: str, **arguments: Any) -> requests.Response:
        """A request under /services/data/vX/ whose answer is wanted with its headers (Bulk results)."""

        extra = arguments.pop("headers", {})

        def request(client: Salesforce) -> requests.Response:
            headers = client.headers | extra
            response = client.session.request(method, client.base_url + path, headers=headers, **arguments)
            if response.status_code >= 300:
                exception_handler(response)
            return response

        return self.call(action, request)

    def _retrying(self, attempt: Callable[[], T]) -> T:
        limits = self._schedule.limits
        for trial in stamina.retry_context(
            on=lambda error: type(error) is TransientError,
            attempts=limits.attempts,
            timeout=limits.attempts_seconds,
            wait_initial=0.2,
            wait_max=20.0,
            wait_jitter=1.0,
        ):
            with trial:
                return attempt()
        raise AssertionError("stamina ends by an answer or an error")

    def _with_session(self, action: str, request: Callable[[Salesforce], T]) -> T:
        client = self._client
        try:
            return _translated(action, request, client)
        except SessionExpired:
            client = self._again_logged_in(client)
        try:
            return _translated(action, request, client)
        except SessionExpired as error:
            raise CredentialsError(
                f"Salesforce: {action}: a fresh session was refused as well (INVALID_SESSION_ID); check that "
                "SALESFORCE_INSTANCE_URL is the org's My Domain and that the token or the app is still valid"
            ) from error

    def _again_logged_in(self, expired: Salesforce) -> Salesforce:
        with self._lock:
            if self._client is expired:
                self._client = self._logged_in()
            return self._client

    def _logged_in(self) -> Salesforce:
        assert self._settings.salesforce_instance_url is not None
        return _Client(
            session_id=log_in(self._settings, self._transport),
            instance=host(self._settings.salesforce_instance_url),
            session=self._transport,
            version=self._settings.salesforce_api_version,
        )

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if stamped := response.headers.get("Date"):
            try:
                self.server_time = parsedate_to_datetime(stamped).astimezone(UTC)
            except ValueError:
                self.server_time = None
        if usage := USAGE.search(response.headers.get("Sforce-Limit-Info", "")):
            self.usage = Usage(int(usage[1]), int(usage[2]))


def _translated(action: str, request: Callable[[Salesforce], T], client: Salesforce) -> T:
    try:
        return request(client)
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 - the library lets almost anything through; all is translated here
        raise understood(error, action) from None


def _page(answer: Any, what: str) -> dict[str, Any]:
    if isinstance(answer, dict) and isinstance(answer.get("records"), list) and isinstance(answer.get("done"), bool):
        return answer
    raise ProtocolError(f"Salesforce: query of {what}: the answer is not a query result; check the instance URL")


class Chain:
    """Where a query's pages lead: on to new ones, and no further than the records announced."""

    def __init__(self, what: str, announced: object) -> None:
        self._what = what
        self._left = announced if isinstance(announced, int) else None
        self._been: set[str] = set()

    def next(self, page: dict[str, Any]) -> str:
        """The path of the page after this one. Raises ProtocolError when the pages go round or on without end."""
        path = _path(page.get("nextRecordsUrl"), self._what)
        if path in self._been:
            raise ProtocolError(f"Salesforce: query of {self._what}: a page leads back to an earlier one; run again")
        self._been.add(path)
        if self._left is not None:
            self._left -= len(page["records"])
            if self._left < 0 or not page["records"]:
                raise ProtocolError(
                    f"Salesforce: query of {self._what}: says there is more after all records announced; run again"
                )
        return path


def _path(following: Any, what: str) -> str:
    if not isinstance(following, str) or not following:
        raise ProtocolError(f"Salesforce: query of {what}: says there is more but not where; run again")
    parts = urlsplit(following)
    return parts.path + (f"?{parts.query}" if parts.query else "")
