"""Pay methods, asked client by client in a round robin: no list shows them (whmcs-api 7.6, 8.10)."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from jobs.sources.columns import loose_integer
from jobs.sources.known import KnownRows
from jobs.sources.spool import closed_on_failure
from jobs.sources.whmcs.answers import listed
from jobs.sources.whmcs.installation import Installation
from jobs.sources.whmcs.one_by_one import OneByOne
from jobs.sources.whmcs.reading import Part, Reading
from jobs.sources.whmcs.round_robin import due_clients, until_late
from jobs.sources.whmcs.rows import WhmcsStream
from materializer.snapshot.pulls import Pulled, SetAsideRecord, StreamState


class PayMethods:
    """Reads pay methods of an installation. `pulled_clients` grows as its clients are pulled."""

    def __init__(
        self,
        installation: Installation,
        wanted_stream: WhmcsStream,
        one_by_one: OneByOne,
        pulled_clients: Set[int],
    ) -> None:
        self._installation = installation
        self._wanted_stream = wanted_stream
        self._one_by_one = one_by_one
        self._pulled_clients = pulled_clients

    def pull(self, state: StreamState | None, full: bool, known: KnownRows, now: datetime) -> Pulled:
        """Reads those of the clients whose turn it is, new clients first. `owners` of the pull are the clients read."""
        settings = self._installation.schedule.whmcs
        since = state.synced_at if state and not full else None
        period = timedelta(hours=settings.pay_methods_every_hours)
        turn = due_clients(self._readings(known), known.clients, since, now, period)
        reading = self._installation.started(self._wanted_stream)
        reading.bar.expect(len(turn))
        started = self._installation.transport.server_time
        with closed_on_failure(reading):
            in_time = turn if full else until_late(turn, timedelta(minutes=settings.pay_methods_minutes))
            read = self.take(reading, in_time)
            return replace(self._installation.pulled(reading, "owners", started), owners=tuple(read))

    def _readings(self, known: KnownRows) -> list[tuple[int, datetime | None]]:
        """The snapshot's, after those of clients just pulled that the snapshot does not hold yet."""
        listed_clients = {client for client, _ in known.readings}
        new = [] if len(known.readings) < known.clients else sorted(self._pulled_clients - listed_clients)
        return [(client, None) for client in new] + list(known.readings)

    def take(self, reading: Reading, clients: Iterable[int]) -> list[int]:
        """The clients whose pay methods were read; what cannot be read is set aside."""
        read: list[int] = []
        for client, values in self._installation.transport.in_parallel(self._pay_methods_of, clients):
            if isinstance(values, SetAsideRecord):
                reading.set_aside[values.record_id] = values
                continue
            read.append(client)
            reading.take(Part(0, values, len(values["id"]), None))
        return read

    def _pay_methods_of(self, client_id: int) -> dict[str, list[Any]] | SetAsideRecord:
        answer = self._one_by_one.of_client("GetPayMethods", client_id, "paymethods")
        if isinstance(answer, SetAsideRecord):
            return answer
        if answer is None:
            answer = {"paymethods": []}
        echoed = loose_integer(answer.get("clientid"))
        rows = listed(answer, "paymethods", "paymethod")
        if rows is None or echoed not in (None, client_id):
            return SetAsideRecord(
                f"client {client_id}",
                "paymethods",
                "the answer does not hold the client's pay methods",
                str(client_id),
            )
        return {key: [row.get(key) for row in rows] for key in self._wanted_stream.action.keys} | {
            "clientid": [client_id] * len(rows)
        }
