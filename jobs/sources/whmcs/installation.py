"""What all readers of a WHMCS installation share: its calls, and how a pull begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from config.schedule import Schedule
from jobs.progress import Progress
from jobs.sources.spool import SpooledRows
from jobs.sources.whmcs.confirm import confirmer
from jobs.sources.whmcs.reading import Reading
from jobs.sources.whmcs.rows import WhmcsStream
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot.pulls import Pulled


@dataclass(frozen=True)
class Installation:
    """Where the calls go, how often and how much is read, and who shows how far it is."""

    transport: WhmcsTransport
    schedule: Schedule
    progress: Progress

    @property
    def page_size(self) -> int:
        """Rows of one page."""
        return self.schedule.whmcs.page_size

    def started(self, wanted_stream: WhmcsStream) -> Reading:
        """An empty reading."""
        bar = self.progress.start(f"WHMCS {wanted_stream.action.name}")
        return Reading(wanted_stream, SpooledRows(wanted_stream.stream), bar)

    def pulled(
        self,
        reading: Reading,
        extent: Literal["full", "partial", "owners"],
        started: datetime | None,
        why_incomplete: str | None = None,
    ) -> Pulled:
        """What the reading came to; `started` is the server's clock before the first call, None where unknown."""
        reading.parse()
        reading.bar.finish()
        wanted_stream = reading.wanted_stream
        return Pulled(
            stream=wanted_stream.stream,
            spool=reading.spool,
            extent=extent,
            is_complete=why_incomplete is None,
            why_incomplete=why_incomplete,
            set_aside=reading.all_refused(),
            unreadable=tuple(reading.nulled),
            fields=tuple(column.key for column in wanted_stream.columns),
            source_time=started or self.transport.server_time,
            confirm_gone=confirmer(self.transport, wanted_stream, self.schedule),
        )
