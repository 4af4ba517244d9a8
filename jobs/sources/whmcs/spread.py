"""WHMCS read by the workers of a cluster: pages, pay methods and balances are asked there, under leases that all share.

Only what is kept of a page or an invoice travels: the worker takes the wanted keys out before it hands it over.
Look-ups of one client's details, whose answers hold names and addresses, stay with the process that runs the job.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any

import requests

from config.schedule import Schedule
from config.settings import Settings
from jobs.sources.errors import CredentialsError, PermissionDenied
from jobs.sources.whmcs.pages import Action, Page
from jobs.sources.whmcs.transport import WhmcsTransport

Lease = Callable[[], AbstractContextManager[None]]
"""Waits for a lease and holds it for the block: one request of the cluster."""
Ask = Callable[..., "Future[dict[str, Any]]"]
"""ask(method, *arguments, parameters): the `answer` of a worker's transport, and its server's `time` then."""
SPREAD = frozenset({"GetPayMethods", "GetInvoice"})
WANTED_OF_INVOICE = ("invoiceid", "userid", "balance", "items")
"""What GetInvoice is asked for; its notes and the descriptions of its items may name people."""


class SharingTransport(WhmcsTransport):
    """Each request holds a lease."""

    def __init__(self, settings: Settings, schedule: Schedule, lease: Lease) -> None:
        super().__init__(settings, schedule)
        self._lease = lease

    def _post(self, action: str, form: dict[str, str]) -> requests.Response:
        with self._lease():
            return super()._post(action, form)


class SpreadTransport(SharingTransport):
    """Has pages, pay methods and balances read by workers. As many as `concurrency` are waited for at once."""

    def __init__(self, settings: Settings, schedule: Schedule, lease: Lease, ask: Ask) -> None:
        super().__init__(settings, schedule, lease)
        self._ask = ask

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        if action not in SPREAD:
            return super().call(action, **parameters)
        answer: dict[str, Any] = self._by_worker(action, "call", action, parameters)
        return answer

    def page(self, action: Action, offset: int, limit: int, **parameters: Any) -> Page:
        page: Page = self._by_worker(action.name, "page", action, offset, limit, parameters)
        return page

    def _by_worker(self, action: str, method: str, *arguments: Any) -> Any:
        self._require_not_refused(action)
        try:
            answered = self._ask(method, *arguments).result()
        except CredentialsError as error:
            self._set_aside[""] = str(error)
            raise
        except PermissionDenied as error:
            self._set_aside[action] = str(error)
            raise
        self.server_time = answered["time"]
        return answered["answer"]


def travelling(action: str, answer: dict[str, Any]) -> dict[str, Any]:
    """What a worker hands over of the answer to a call."""
    if action != "GetInvoice":
        return answer
    return {key: _without_prose(answer[key]) for key in WANTED_OF_INVOICE if key in answer}


def _without_prose(value: Any) -> Any:
    """The value in its own shape, without descriptions at any depth."""
    if isinstance(value, dict):
        return {key: _without_prose(part) for key, part in value.items() if key != "description"}
    return [_without_prose(part) for part in value] if isinstance(value, list) else value
