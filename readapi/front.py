"""What stands before the threads: the event loop, where waiting costs next to nothing.

A request meets, in this order: /healthz, answered here and now; its customer's rate; its body, read whole within a size
and a time; its caller's share of what answers; the door, which answers nearly all of them in the loop. Only what is
left takes a thread, and nothing a peer does can hold that one: the body is here, every statement has its deadline, and
keys are fetched in the background.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING

from readapi.answers import Answer
from readapi.door import StatusDoor
from readapi.headers import secured
from readapi.health import ALIVE
from readapi.manners import request_id_of
from readapi.problems import Problem, bad_request, unavailable, unforeseen
from readapi.rate_limit import RateLimit
from readapi.tokens import Tokens
from readapi.turns import Crowded, Turns
from readapi.wsgi import LongWay

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

log = logging.getLogger(__name__)
LARGEST_BODY = 16 * 1024
BODY_SECONDS = 5.0
KEYS_SECONDS = 1.0
"""How long a token signed by a key we do not know yet waits for the set that may hold it."""
CLOSE = {"Connection": "close"}
COUNTED = "/api/"
TURNED_AWAY = "turned away"
"""The route under which the metrics count what never reached the application."""
OWN_SHARE = ("/readyz", "/metrics", "/ops", "/hooks")
"""Callers without a customer who must not wait for one another: each of these is a caller of its own."""


Common = Callable[[str, str | None, str], list[tuple[str, str]]]
"""From a path, an origin and a request's id to the headers that every answer has in common."""


class Front:
    """An RSGI application: the door, and the long way for whom it does not answer."""

    def __init__(
        self,
        door: StatusDoor,
        long_way: LongWay,
        tokens: Tokens,
        *,
        rate_limit: RateLimit | None,
        count: Callable[[str, str, int, float], None],
        common: Common,
    ) -> None:
        self._door = door
        self._long_way = long_way
        self._tokens = tokens
        self._rate_limit = rate_limit
        self._count = count
        self._common = common
        self._turns = Turns(share=max(1, long_way.at_once // 2))

    def __rsgi_del__(self, _: asyncio.AbstractEventLoop) -> None:
        self._door.close()
        self._long_way.close()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        answer = await self._answer(scope, protocol)
        protocol.response_bytes(answer.status, secured(answer.headers), answer.body)

    async def _answer(self, scope: Scope, protocol: HTTPProtocol) -> Answer:
        if scope.path == "/healthz" and scope.method in ("GET", "HEAD"):
            return ALIVE
        started = perf_counter()
        try:
            return await self._served(scope, protocol)
        except Problem as problem:
            answer = problem.answer()
        except Exception as error:
            log.exception("request failed: %s", type(error).__name__)
            answer = unforeseen().answer()
        self._count(TURNED_AWAY, scope.method, answer.status, perf_counter() - started)
        request_id = request_id_of(scope.headers.get("x-request-id"))
        common = self._common(scope.path, scope.headers.get("origin"), request_id)
        return Answer(answer.status, [*answer.headers, *common], answer.body)

    async def _served(self, scope: Scope, protocol: HTTPProtocol) -> Answer:
        subject = await self._subject(scope)
        allowance = self._rate_limit.take(subject) if self._rate_limit and subject else None
        limits = allowance.headers(self._rate_limit.policy) if self._rate_limit and allowance else []
        if allowance is not None and allowance.retry_after is not None:
            raise too_many("Too many requests of this customer.", allowance.retry_after, dict(limits))
        body = await body_of(scope, protocol)
        try:
            async with self._turns.of(subject or _group(scope.path)):
                answer = await self._door.answer(scope, subject) if subject else None
                if answer is None:
                    answer = await self._long_way.answer(scope, body)
        except Crowded as crowded:
            raise _crowded(crowded, dict(limits)) from None
        return Answer(answer.status, [*answer.headers, *limits], answer.body) if limits else answer

    async def _subject(self, scope: Scope) -> str | None:
        """Whose request it is; None where no good token says so: the application refuses those itself."""
        authorization = scope.headers.get("authorization")
        if authorization is None or not scope.path.startswith(COUNTED):
            return None
        try:
            return self._tokens.subject(authorization)
        except Problem:
            if not self._tokens.may_come():
                return None
        await self._tokens.arrived(KEYS_SECONDS)
        try:
            return self._tokens.subject(authorization)
        except Problem:
            return None


async def body_of(scope: Scope, protocol: HTTPProtocol) -> bytes:
    """The whole body. Raises Problem: 411 without a length, 413 beyond 16 KiB, 408 after 5 s, 400 when cut short."""
    if "transfer-encoding" in scope.headers:
        raise Problem(
            HTTPStatus.LENGTH_REQUIRED, "length-required", "Send the body with a Content-Length.", headers=CLOSE
        )
    announced = scope.headers.get("content-length", "0")
    if announced == "0":
        return b""
    if not announced.isdecimal() or int(announced) > LARGEST_BODY:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "request-entity-too-large",
            f"The body is larger than the {LARGEST_BODY} bytes that any address takes.",
            headers=CLOSE,
        )
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = b"".join([chunk async for chunk in protocol])
    except TimeoutError:
        detail = f"The body did not come within {BODY_SECONDS:.0f} seconds."
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "request-timeout", detail, headers=CLOSE) from None
    if len(body) != int(announced):
        raise bad_request("The body is shorter than its Content-Length.")
    return body


def too_many(detail: str, retry_after: int, headers: dict[str, str]) -> Problem:
    """429; `retry_after` in seconds."""
    more = {"Retry-After": str(retry_after), **headers}
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", detail, headers=more)


def _crowded(crowded: Crowded, headers: dict[str, str]) -> Problem:
    if crowded.is_own:
        return too_many("Too many requests of this customer are under way.", 1, headers)
    return unavailable("busy", "The server has more requests than it can take; ask again soon.", retry_after=1)


def _group(path: str) -> str:
    return next((group for group in OWN_SHARE if path.startswith(group)), "anybody")
