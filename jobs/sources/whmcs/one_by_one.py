"""Calls about one record each: one record's failure is not another's, unless many fail."""

from __future__ import annotations

from typing import Any

from jobs.sources.errors import ProtocolError, TransientError
from jobs.sources.whmcs.answers import NoSuchRecord, UnreadablePage
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot.pulls import SetAsideRecord

FAILING_CLIENTS = 3
"""So many clients may fail one by one before the source is taken to be down."""


class OneByOne:
    """Calls about single clients and invoices of a source, whose failures are counted together."""

    def __init__(self, transport: WhmcsTransport) -> None:
        self._transport = transport
        self._failing = 0

    def of_client(self, action: str, client_id: int, part: str) -> dict[str, Any] | SetAsideRecord | None:
        """The client's answer; the client's `part` set aside where that fails; None for no such client."""
        try:
            return self._transport.call(action, clientid=client_id)
        except NoSuchRecord:
            return None
        except (UnreadablePage, ProtocolError):
            return SetAsideRecord(
                f"client {client_id}", part, f"{action} of this client cannot be read", str(client_id)
            )
        except TransientError:
            if not self.tolerates_failure():
                raise
            return SetAsideRecord(
                f"client {client_id}", part, f"{action} of this client fails again and again", str(client_id)
            )

    def tolerates_failure(self) -> bool:
        """Counts a call whose attempts all failed; False once so many did that the source is taken to be down."""
        self._failing += 1
        return self._failing < FAILING_CLIENTS
