"""A WHMCS install on a loopback port that speaks the classic API as the whmcs-api reference describes it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.faults import Fault, Faults
from jobs.sandbox.server import StandIn, with_transport_faults
from jobs.sandbox.tables import Table
from jobs.sandbox.whmcs.answers import Refusal, Reply, fail, refuse, succeed
from jobs.sandbox.whmcs.quirks import FAILURES
from jobs.sandbox.whmcs.records import Records
from jobs.sandbox.whmcs.request import API_PATH, Access, Call, read_call
from jobs.sandbox.whmcs.single import canonical, find_action

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NOT_FOUND = Reply("404 Not Found", "text/html; charset=utf-8", b"<html><body>Not Found</body></html>")


class WhmcsInstall(Records):
    """One install: its records, its quirks and faults, its credentials, and pages rendered beforehand.

    Faults are matched against `label`: "GetInvoices limitstart=0&limitnum=250". `after_page` is called with the action
    and its parameters after each answer, so that a test can write between two pages. `base` is the sub-directory.
    """

    def __init__(
        self,
        clock: SimulatedClock,
        *,
        zone: ZoneInfo,
        tables: dict[str, Table[int]] | None = None,
        base: str = "",
    ) -> None:
        super().__init__(clock, zone, tables)
        self.base = base.rstrip("/")
        self.faults = Faults()
        self.access = Access("sandbox-identifier", "sandbox-secret", "admin", "sandbox-password", None, {"127.0.0.1"})
        self.after_page: Callable[[str, dict[str, str]], None] | None = None
        self._pages = _Pages()

    @property
    def identifier(self) -> str:
        return self.access.identifier

    @property
    def secret(self) -> str:
        return self.access.secret

    @property
    def access_key(self) -> str | None:
        return self.access.access_key

    @property
    def role(self) -> set[str] | None:
        """The actions ticked in the API role; None: all."""
        return self.access.role

    @role.setter
    def role(self, actions: set[str] | None) -> None:
        self.access.role = actions

    def app(self) -> WSGIApplication:
        return with_transport_faults(self._serve, self.faults, label)

    def prerender(self, action: str, *, page_size: int = 250, step: int | None = None, **parameters: str) -> int:
        """Renders every page of a paged action now; from then on its JSON requests get these bytes, writes or not.

        Returns the number of pages. Requests must carry the same parameters, limitnum = page_size, and an offset that
        is a multiple of `step` (page_size, unless given); any other request is rendered as ever.
        """
        given = {**parameters, "limitnum": str(page_size), "responsetype": "json"}
        start = pages = 0
        total = 1
        while start < total:
            call = Call("", "", action, {**given, "limitstart": str(start)}, {})
            fields = find_action(self, call)(self, call)
            total = int(fields["totalresults"])
            self._pages.keep(_page_key(call), succeed(fields, self.quirks, "json").body)
            start += step or page_size
            pages += 1
        return pages

    def forget_prerendered(self) -> None:
        self._pages = _Pages()

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        call = read_call(environ)
        answer = self._answer(call, label(environ))
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        start_response(answer.status, headers)
        return [answer.body]

    def _answer(self, call: Call, labelled: str) -> Reply:
        path = call.path.removeprefix(self.base)
        if not call.path.startswith(self.base) or not path.startswith(API_PATH):
            return NOT_FOUND
        if path != API_PATH:
            return refuse(Refusal("An admin user is required"), self.quirks, "json")
        fault = self.faults.take(labelled, *FAILURES)
        return self._act(call) if fault is None else self._misbehave(fault, call)

    def _act(self, call: Call) -> Reply:
        try:
            self.access.admit(call)
            action = find_action(self, call)
            self.access.permit(call.action)
            page = self._pages.get(_page_key(call))
            answer = succeed(action(self, call), self.quirks, call.form) if page is None else _rendered(page)
        except Refusal as refusal:
            return refuse(refusal, self.quirks, call.form)
        if self.after_page is not None:
            self.after_page(canonical(call.action), call.parameters)
        return answer

    def _misbehave(self, fault: Fault, call: Call) -> Reply:
        known = FAILURES[fault.kind]
        failure = replace(known, **{name: value for name, value in fault.arguments.items() if hasattr(known, name)})
        named = replace(failure, message=failure.message.replace("{action}", call.action.lower()))
        return fail(named, self.quirks, call.form)


def serve(install: WhmcsInstall, port: int = 0) -> StandIn:
    """Starts it on a loopback port; the API's base URL is the stand-in's `url` followed by `install.base`."""
    return StandIn(install.app(), install.clock, port=port)


def label(environ: WSGIEnvironment) -> str:
    """What faults are matched against: the action, then its parameters as sent, credentials left out."""
    call = read_call(environ)
    parameters = "&".join(f"{name}={value}" for name, value in call.parameters.items())
    return f"{canonical(call.action)} {parameters}".strip()


def _rendered(page: bytes) -> Reply:
    return Reply("200 OK", "application/json", page)


def _page_key(call: Call) -> tuple[Any, ...]:
    return (canonical(call.action), *sorted({"limitstart": "0", **call.parameters}.items()))


class _Pages:
    """Rendered pages in one unnamed file, so that a large population's do not fill the memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the install
        self._places: dict[tuple[Any, ...], tuple[int, int]] = {}

    def keep(self, key: tuple[Any, ...], page: bytes) -> None:
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(page)
        self._file.flush()
        self._places[key] = (offset, len(page))

    def get(self, key: tuple[Any, ...]) -> bytes | None:
        place = self._places.get(key)
        return None if place is None else os.pread(self._file.fileno(), place[1], place[0])
