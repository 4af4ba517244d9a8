"""Pulls of WHMCS streams: which reader reads which (whmcs-api 4, 7, 8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from config.fields import FieldMapping
from config.schedule import Schedule
from config.settings import Settings
from jobs.progress import Progress, silent
from jobs.sources.known import NOTHING, KnownRows
from jobs.sources.whmcs.answers import NoSuchRecord, UnreadablePage
from jobs.sources.whmcs.balances import Balances
from jobs.sources.whmcs.details import Details
from jobs.sources.whmcs.installation import Installation
from jobs.sources.whmcs.lists import Lists
from jobs.sources.whmcs.one_by_one import OneByOne
from jobs.sources.whmcs.owners import Owners
from jobs.sources.whmcs.pay_methods import PayMethods
from jobs.sources.whmcs.rows import whmcs_streams
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot.pulls import Pulled, StreamState


def connect(
    settings: Settings,
    mapping: FieldMapping,
    schedule: Schedule,
    progress: Progress | None = None,
    transport: WhmcsTransport | None = None,
) -> WhmcsSource:
    """Checks the address and the credentials by asking for one client. Raises SourceError."""
    source = unchecked(settings, mapping, schedule, transport or WhmcsTransport(settings, schedule), progress)
    source.check("GetClients")
    return source


def unchecked(
    settings: Settings,
    mapping: FieldMapping,
    schedule: Schedule,
    transport: WhmcsTransport,
    progress: Progress | None = None,
) -> WhmcsSource:
    """A source whose first call shows whether it can be reached."""
    return WhmcsSource(transport, settings, mapping, schedule, progress or silent())


class WhmcsSource:
    """A WHMCS installation. `pull` reads one stream; pull `client` before `pay_method`, which learns from it."""

    def __init__(
        self,
        transport: WhmcsTransport,
        settings: Settings,
        mapping: FieldMapping,
        schedule: Schedule,
        progress: Progress,
    ) -> None:
        self.transport = transport
        self._streams = whmcs_streams(settings.whmcs_zone)
        installation, one_by_one = Installation(transport, schedule, progress), OneByOne(transport)
        details = Details(installation, mapping.link, one_by_one)
        self._lists = Lists(installation, details)
        self._balances = Balances(installation, self._streams["balance"], one_by_one)
        self._pay_methods = PayMethods(installation, self._streams["pay_method"], one_by_one, details.clients)
        self._owners = Owners(installation, details, self._balances, self._pay_methods)

    def close(self) -> None:
        """Ends the connections."""
        self.transport.close()

    def check(self, action: str, **parameters: Any) -> None:
        """Calls an action for one row. Raises SourceError: refused, not allowed, unreachable."""
        try:
            self.transport.call(action, limitnum=1, **parameters)
        except (NoSuchRecord, UnreadablePage):
            return

    def pull(
        self,
        stream_name: str,
        state: StreamState | None,
        *,
        full: bool = False,
        known: KnownRows = NOTHING,
        now: datetime | None = None,
    ) -> Pulled:
        """Reads one stream: all of it, or what has probably changed, or some clients' pay methods or balances.

        Everything is read at the baseline, when asked, when the last sweep is too old, and when the stream is small.
        `now` is compared with `state`; without it the server's clock is. Raises SourceError.
        """
        moment = now or self.transport.server_time or datetime.now(UTC)
        if stream_name == "pay_method":
            return self._pay_methods.pull(state, full, known, moment)
        if stream_name == "balance":
            return self._balances.pull(state, full, known, moment)
        return self._lists.pull(self._streams[stream_name], state, full, known, moment)

    def pull_owners(self, stream_name: str, clients: Sequence[int], known: KnownRows = NOTHING) -> Pulled:
        """Reads everything of the clients, for hinted readings; of cancellations, which name none, the newest.

        Balances are those of the invoices in `known.references`. `owners` of the pull are the clients read whole.
        Raises SourceError: nothing of it may then be applied.
        """
        return self._owners.pull(self._streams[stream_name], clients, known)
