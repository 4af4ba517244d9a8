"""Requests to WHMCS: at most so many at once, with one back-off for all of them (whmcs-api 2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from threading import Lock, Semaphore
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import requests
import stamina

from config import outgoing
from config.schedule import Schedule
from config.settings import Settings
from jobs.sources.columns import transposed
from jobs.sources.errors import CredentialsError, PermissionDenied, ProtocolError, SourceError, TransientError
from jobs.sources.whmcs.answers import NoResults, judged, listed, total_of
from jobs.sources.whmcs.pages import Action, Page, usual
from jobs.sources.whmcs.xml import XmlRow, row_of

PATH = "/includes/api.php"
LONGEST_BACK_OFF = 20.0
"""Seconds."""
Argument = TypeVar("Argument")
Result = TypeVar("Result")


class WhmcsTransport:
    """Calls of one installation. Every failure is a SourceError; `server_time` is that of the last answer."""

    def __init__(self, settings: Settings, schedule: Schedule) -> None:
        assert settings.whmcs_url is not None
        self._url = settings.whmcs_url.removesuffix(PATH) + PATH
        self._schedule = schedule
        self._credentials = _credentials(settings)
        size = schedule.whmcs.concurrency
        self._client = outgoing.session(seconds=schedule.limits.timeout_seconds, connections=size)
        self._throttle = _throttle_of(self._url, size, schedule.whmcs.pause_milliseconds / 1000)
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="whmcs")
        self._set_aside: dict[str, str] = {}
        self.server_time: datetime | None = None

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """The answer of one action, repeated on passing failures within the configured bounds.

        Refused credentials are not sent again, nor is an action that is not allowed asked for again (whmcs-api Q38).
        """
        return self._asked(action, parameters, judged)

    def _asked(
        self, action: str, parameters: dict[str, Any], read: Callable[[str, requests.Response], Result]
    ) -> Result:
        try:
            return self._repeated(action, parameters, read)
        except CredentialsError as error:
            self._set_aside[""] = str(error)
            raise
        except PermissionDenied as error:
            self._set_aside[action] = str(error)
            raise

    def _repeated(
        self, action: str, parameters: dict[str, Any], read: Callable[[str, requests.Response], Result]
    ) -> Result:
        form = self._credentials | {"action": action, "responsetype": "json"}
        form |= {name: str(value) for name, value in parameters.items()}
        limits = self._schedule.limits
        for trial in stamina.retry_context(
            on=TransientError,
            attempts=limits.attempts,
            timeout=limits.attempts_seconds,
            wait_initial=0.2,
            wait_max=LONGEST_BACK_OFF,
        ):
            with trial, self._throttle.passed():
                self._require_not_refused(action)
                return read(action, self._post(action, form))
        raise AssertionError("stamina ends by an answer or an error")

    def _require_not_refused(self, action: str) -> None:
        if "" in self._set_aside:
            raise CredentialsError(self._set_aside[""])
        if action in self._set_aside:
            raise PermissionDenied(self._set_aside[action])

    def page(self, action: Action, offset: int, limit: int, **parameters: Any) -> Page:
        """One page of at most `limit` rows from row `offset` on; an error saying "no results" is an empty one (Q32)."""
        window = dict(action.parameters) | parameters | {"limitstart": offset, "limitnum": limit}
        try:
            answer = self._asked(
                action.name, window, lambda name, response: usual(action, response.content) or judged(name, response)
            )
        except NoResults:
            return Page({key: [] for key in action.keys}, 0, 0)
        if isinstance(answer, Page):
            return answer
        rows, total = listed(answer, action.container, action.item), total_of(answer)
        if rows is None and (total is None or offset < total):
            raise ProtocolError(
                f"WHMCS: {action.name}: answered success without {action.container}; call it by hand to see why"
            )
        return Page(transposed(rows or [], action.keys), len(rows or ()), total)

    def row_as_xml(self, action: Action, offset: int, **parameters: Any) -> XmlRow | None:
        """The row at `offset`, which JSON cannot carry; None when XML does not show it either. Asked once."""
        form = self._credentials | {"action": action.name, "responsetype": "xml"}
        window = dict(action.parameters) | parameters | {"limitstart": offset, "limitnum": 1}
        form |= {name: str(value) for name, value in window.items()}
        try:
            with self._throttle.passed():
                response = self._post(action.name, form)
        except TransientError:
            return None
        return row_of(response.content, action.container, action.item, action.keys)

    def in_parallel(
        self, work: Callable[[Argument], Result], arguments: Iterable[Argument]
    ) -> Iterator[tuple[Argument, Result]]:
        """`work` of every argument, in their order; a few are under way ahead of the one awaited."""
        remaining = iter(arguments)
        under_way: list[tuple[Argument, Future[Result]]] = []
        ahead = self._schedule.whmcs.concurrency * 4
        try:
            while True:
                for argument in islice(remaining, ahead - len(under_way)):
                    under_way.append((argument, self._pool.submit(work, argument)))
                if not under_way:
                    return
                argument, future = under_way.pop(0)
                yield argument, future.result()
        finally:
            for _, future in under_way:
                future.cancel()

    def _post(self, action: str, form: dict[str, str]) -> requests.Response:
        try:
            response = self._client.post(self._url, data=form, allow_redirects=False)
        except requests.exceptions.RequestException as error:
            raise _understood(error, action) from None
        self._note(response)
        return response

    def _note(self, response: requests.Response) -> None:
        try:
            self.server_time = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return


def _understood(error: requests.exceptions.RequestException, action: str) -> SourceError:
    """Our error for a request that brought no answer: worth another try where the peer or the way to it may recover."""
    said = f"WHMCS: {action}: {outgoing.in_words(error)}"
    if isinstance(error, requests.exceptions.Timeout):
        return TransientError(f"{said}; see whether WHMCS is busy")
    if isinstance(error, outgoing.TooLarge):
        return ProtocolError(f"{said}; check WHMCS_URL and what stands before WHMCS")
    if isinstance(error, requests.exceptions.SSLError):
        return SourceError(said)
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return TransientError(f"{said}; check WHMCS_URL and the network")
    return SourceError(f"{said}; check WHMCS_URL")


class _Throttle:
    """Lets so many requests through at once; after a passing failure all of them wait."""

    def __init__(self, concurrency: int, pause: float) -> None:
        self._places = Semaphore(concurrency)
        self._pause = pause
        self._lock = Lock()
        self._failures = 0
        self._closed_until = 0.0

    @contextmanager
    def passed(self) -> Iterator[None]:
        with self._places:
            if (wait := self._closed_until - time.monotonic()) > 0:
                time.sleep(wait)
            round_begun = self._failures
            try:
                yield
            except TransientError:
                self._close(round_begun)
                raise
            self._failures = 0
            if self._pause:
                time.sleep(self._pause)

    def _close(self, round_begun: int) -> None:
        """Requests that were under way together and fail together are one failure."""
        with self._lock:
            self._failures = round_begun + 1
            wait = min(0.1 * 2**self._failures, LONGEST_BACK_OFF)
            self._closed_until = max(self._closed_until, time.monotonic() + wait)


_throttles: WeakValueDictionary[tuple[str, int, float], _Throttle] = WeakValueDictionary()
_throttles_lock = Lock()


def _throttle_of(url: str, concurrency: int, pause: float) -> _Throttle:
    """One for all that call the installation from this process, such as a sync and a hinted reading beside it."""
    with _throttles_lock:
        throttle = _throttles.get((url, concurrency, pause))
        if throttle is None:
            throttle = _throttles[url, concurrency, pause] = _Throttle(concurrency, pause)
        return throttle


def _credentials(settings: Settings) -> dict[str, str]:
    assert settings.whmcs_identifier is not None
    assert settings.whmcs_secret is not None
    given = {"identifier": settings.whmcs_identifier, "secret": settings.whmcs_secret.get_secret_value()}
    if settings.whmcs_access_key is not None:
        given["accesskey"] = settings.whmcs_access_key.get_secret_value()
    return given
