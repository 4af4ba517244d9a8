"""Streams that WHMCS lists: the whole list, or between two sweeps what has probably changed (whmcs-api 4, 8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from jobs.sources.known import KnownRows
from jobs.sources.spool import closed_on_failure
from jobs.sources.whmcs.answers import UnreadablePage
from jobs.sources.whmcs.between_sweeps import read_changed
from jobs.sources.whmcs.details import Details
from jobs.sources.whmcs.installation import Installation
from jobs.sources.whmcs.reading import Reading
from jobs.sources.whmcs.rows import WhmcsStream
from jobs.sources.whmcs.sweep import read_whole
from materializer.snapshot.pulls import Pulled, StreamState


class Lists:
    """Reads lists of an installation; those of clients are completed by `details`."""

    def __init__(self, installation: Installation, details: Details) -> None:
        self._installation = installation
        self._details = details

    def pull(
        self, wanted_stream: WhmcsStream, state: StreamState | None, full: bool, known: KnownRows, now: datetime
    ) -> Pulled:
        """A sweep when asked, when the last one is too old and when the list is small; else what has changed."""
        if full or self._is_sweep_due(state, now) or self._is_small(wanted_stream, known):
            return self._sweep(wanted_stream, state, known, now, again=not self._is_large(known))
        return self._between_sweeps(wanted_stream, state, known, now)

    def _is_sweep_due(self, state: StreamState | None, now: datetime) -> bool:
        if state is None or state.full_at is None:
            return True
        return now - state.full_at >= timedelta(minutes=self._installation.schedule.whmcs.sweep_every_minutes)

    def _is_small(self, wanted_stream: WhmcsStream, known: KnownRows) -> bool:
        """Whether the list is short, or has shrunk: then a sweep is the cheaper or the only honest answer."""
        try:
            total = self._installation.transport.page(wanted_stream.action, 0, 1).total
        except UnreadablePage:
            return True
        always_below = self._installation.schedule.whmcs.sweep_always_below_rows
        return total is None or total <= always_below or total < known.rows

    def _is_large(self, known: KnownRows) -> bool:
        return known.rows > self._installation.schedule.whmcs.sweep_always_below_rows

    def _sweep(
        self, wanted_stream: WhmcsStream, state: StreamState | None, known: KnownRows, now: datetime, *, again: bool
    ) -> Pulled:
        started = self._installation.transport.server_time
        reading, why = self._whole(wanted_stream, again=again)
        with closed_on_failure(reading):
            if wanted_stream.stream.name == "client":
                self._details.complete(reading, state, known, now)
            pulled = self._installation.pulled(reading, "full", started, why)
            return replace(pulled, suspects=known.unpaid) if wanted_stream.stream.name == "invoice" else pulled

    def _whole(self, wanted_stream: WhmcsStream, *, again: bool) -> tuple[Reading, str | None]:
        """The list, read once more if `again` when it is not provably whole; and why it still is not, or None."""
        reading = self._installation.started(wanted_stream)
        with closed_on_failure(reading):
            why = read_whole(self._installation.transport, reading, self._installation.page_size)
        if why is None or not again:
            return reading, why
        reading.spool.close()
        return self._whole(wanted_stream, again=False)

    def _between_sweeps(
        self, wanted_stream: WhmcsStream, state: StreamState | None, known: KnownRows, now: datetime
    ) -> Pulled:
        started = self._installation.transport.server_time
        reading = self._installation.started(wanted_stream)
        with closed_on_failure(reading):
            if read_changed(self._installation, reading, known):
                if wanted_stream.stream.name == "client":
                    self._details.complete(reading, state, known, now)
                return self._installation.pulled(reading, "partial", started)
        reading.spool.close()
        return self._sweep(wanted_stream, state, known, now, again=False)
