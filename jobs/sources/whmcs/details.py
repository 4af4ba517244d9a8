"""Clients' details, asked client by client: the client itself, and what it says of its account.

whmcs-api 7.2; custom fields are known by id only (Q25).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from config.fields import Link
from config.salesforce_id import normalised
from jobs.sources.columns import bare_text, loose_integer
from jobs.sources.errors import ProtocolError
from jobs.sources.known import KnownRows
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.answers import listed
from jobs.sources.whmcs.installation import Installation
from jobs.sources.whmcs.one_by_one import OneByOne
from jobs.sources.whmcs.reading import Part, Reading
from jobs.sources.whmcs.round_robin import is_turn
from materializer.snapshot.pulls import SetAsideRecord, StreamState


class Details:
    """Reads details of an installation's clients. `clients` are the ids of those pulled so far."""

    def __init__(self, installation: Installation, link: Link, one_by_one: OneByOne) -> None:
        self.clients: set[int] = set()
        self._installation = installation
        self._link = link
        self._one_by_one = one_by_one

    def complete(self, reading: Reading, state: StreamState | None, known: KnownRows, now: datetime) -> None:
        """Notes the clients of the reading, and fills their custom field in when it holds the link.

        Asked for are new clients and those whose turn it is; the others keep what is known of them.
        """

        def completed(clients: pa.Table) -> pa.Table:
            keys = clients["client_id"].to_pylist()
            self.clients.update(keys)
            if self._link.held_by != "client":
                return clients
            return _referring(clients, self._references(reading, keys, state, known, now))

        reading.parse()
        _respool(reading, completed)

    def _references(
        self, reading: Reading, keys: list[int], state: StreamState | None, known: KnownRows, now: datetime
    ) -> dict[int, str | None]:
        period = timedelta(hours=self._installation.schedule.whmcs.pay_methods_every_hours)
        since = state.synced_at if state else None
        references = {key: known.references.get(key) for key in keys}
        due = [key for key in keys if key not in known.references or is_turn(key, since, now, period)]
        for key, answer in self._installation.transport.in_parallel(self._details_of, due):
            if isinstance(answer, SetAsideRecord):
                reading.set_aside[answer.record_id] = answer
            elif answer is not None:
                references[key] = reference_of(answer, self._link)
        return references

    def take(self, reading: Reading, clients: Sequence[int]) -> list[int]:
        """Takes the clients themselves in; those read whole. One of whom WHMCS says that there is none is, too."""
        read: list[int] = []
        answers: dict[int, dict[str, Any]] = {}
        for client, answer in self._installation.transport.in_parallel(self._details_of, clients):
            if isinstance(answer, SetAsideRecord):
                continue
            read.append(client)
            if answer is not None:
                reading.take(_row_of(reading, client, answer))
                answers[client] = answer
        reading.parse()
        if self._link.held_by == "client":
            references = {client: reference_of(answer, self._link) for client, answer in answers.items()}
            _respool(reading, lambda part: _referring(part, references))
        return read

    def _details_of(self, client_id: int) -> dict[str, Any] | SetAsideRecord | None:
        return self._one_by_one.of_client("GetClientsDetails", client_id, "customfields")


def reference_of(details: dict[str, Any], link: Link) -> str | None:
    """The Account id (18 characters) or number in the configured custom field; None when it holds neither."""
    client = details.get("client")
    holder = client if isinstance(client, dict) and "customfields" in client else details
    for entry in listed(holder, "customfields", "customfield") or []:
        if loose_integer(entry.get("id")) == link.client_custom_field:
            return _reference(bare_text(entry.get("value")), link)
    return None


def _reference(value: str | None, link: Link) -> str | None:
    if link.client_field_holds == "account_number":
        return value
    try:
        return normalised(value)
    except ValueError:
        return None


def _row_of(reading: Reading, client_id: int, details: dict[str, Any]) -> Part:
    """The client as a part of one row. Raises ProtocolError when the answer is about another one."""
    described = details.get("client")
    source = described if isinstance(described, dict) else details
    if loose_integer(source.get("id")) not in (None, client_id):
        raise ProtocolError(f"WHMCS: GetClientsDetails: asked for client {client_id}, the answer is of another")
    row = {key: [source.get(key)] for key in reading.wanted_stream.action.keys} | {"id": [client_id]}
    return Part(0, row, 1, None)


def _respool(reading: Reading, changed: Callable[[pa.Table], pa.Table]) -> None:
    """Puts the reading's rows into a spool anew, each part as `changed` makes it."""
    filled = SpooledRows(reading.wanted_stream.stream)
    for part in reading.spool.windows(10_000):
        filled.add(changed(part))
    reading.spool.close()
    reading.spool = filled


def _referring(clients: pa.Table, references: Mapping[int, str | None]) -> pa.Table:
    """The clients with what their custom field says of their account."""
    column = pa.array([references.get(key) for key in clients["client_id"].to_pylist()], pa.string())
    return clients.set_column(clients.schema.get_field_index("account_reference"), "account_reference", column)
