"""Pulls of Salesforce streams: what changed since the cursor, or everything (salesforce-api 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import structlog

from config.fields import FieldMapping
from config.salesforce_id import normalised
from config.schedule import Schedule
from config.settings import Settings
from jobs.progress import Progress, silent
from jobs.sources.errors import (
    CredentialsError,
    CursorLost,
    FieldMissing,
    PermissionDenied,
    ProtocolError,
    QueryTimeout,
    QuotaExhausted,
    SourceError,
)
from jobs.sources.salesforce.bulk import bulk_records
from jobs.sources.salesforce.history import read_history
from jobs.sources.salesforce.lookup import confirmer, in_batches
from jobs.sources.salesforce.reading import Reading, literal, upper_bound
from jobs.sources.salesforce.rows import SalesforceStream, salesforce_streams
from jobs.sources.salesforce.session import SalesforceSession, Usage
from jobs.sources.spool import SpooledRows, closed_on_failure
from materializer.snapshot.pulls import HistoricChange, Pulled, StreamState

log = structlog.get_logger()
BULK_WAIT_SECONDS = 1800.0
RESTARTS = 3
"""How often a query starts over when its cursor is lost."""


def connect(
    settings: Settings, mapping: FieldMapping, schedule: Schedule, progress: Progress | None = None
) -> SalesforceSource:
    """Logs in. Raises SourceError: credentials refused, host unreachable."""
    return SalesforceSource(SalesforceSession(settings, schedule), mapping, schedule, progress or silent())


class SalesforceSource:
    """A connected org. `pull` reads one stream; streams are independent of each other."""

    def __init__(
        self, session: SalesforceSession, mapping: FieldMapping, schedule: Schedule, progress: Progress
    ) -> None:
        self.session = session
        self.bulk_wait_seconds = BULK_WAIT_SECONDS
        self._mapping = mapping
        self._schedule = schedule
        self._progress = progress
        self._streams = salesforce_streams(mapping)
        self._limits_read = False
        self._formulas: dict[str, list[str]] = {}

    @property
    def usage(self) -> Usage | None:
        """API requests used, as the last answer said; None where the server does not say."""
        return self.session.usage

    @property
    def organization_id(self) -> str | None:
        """The org's id, 18 characters; None where it is not shown. Raises SourceError when it cannot be asked now."""
        try:
            records = self.session.query("SELECT Id FROM Organization LIMIT 1", "Organization")["records"]
            return normalised(records[0].get("Id")) if records else None
        except (PermissionDenied, FieldMissing, ValueError):
            return None

    def fields_of(self, stream_name: str) -> dict[str, bool] | None:
        """The fields of the stream's object that the user sees, true where a formula; None without a describe."""
        described = self.session.describe(self._streams[stream_name].sobject)
        if described is None:
            return None
        return {str(entry.get("name")): entry.get("calculated") is True for entry in described["fields"]}

    def pull(
        self, stream_name: str, state: StreamState | None, *, full: bool = False, now: datetime | None = None
    ) -> Pulled:
        """Reads what changed since `state`, or everything: when asked, at the baseline, with other fields, when due.

        `now` is compared with `state.full_at`; without it the server's clock is. Raises SourceError: nothing of the
        pull may then be applied. A required field that is absent raises FieldMissing.
        """
        if not self._limits_read:
            self.session.read_limits()
            self._limits_read = True
        self.session.check_quota()
        wanted_stream = self._streams[stream_name]
        mapped = self._present(wanted_stream, state)
        while True:
            try:
                return self._pull(wanted_stream, mapped, state, full, now)
            except FieldMissing as error:
                mapped = _without(mapped, wanted_stream, error)

    def pull_owners(self, stream_name: str, accounts: Sequence[str], state: StreamState) -> Pulled:
        """Reads everything of the accounts (ids of 18 characters), deleted records included, by a query per 200.

        The fields are those of the last good pull. Raises SourceError: nothing of it may then be taken in.
        """
        self.session.check_quota()
        wanted_stream = self._streams[stream_name]
        mapped = tuple(name for name in wanted_stream.mapped if name in state.fields)
        while True:
            try:
                return self._pull_owners(wanted_stream, mapped, accounts, state)
            except FieldMissing as error:
                mapped = _without(mapped, wanted_stream, error)

    def _pull_owners(
        self, wanted_stream: SalesforceStream, mapped: tuple[str, ...], accounts: Sequence[str], state: StreamState
    ) -> Pulled:
        owner = "Id" if wanted_stream.sobject == "Account" else "AccountId"
        reading = self._started(wanted_stream)
        with closed_on_failure(reading):
            for ids in in_batches(accounts):
                soql = (
                    f"SELECT {_names(wanted_stream, mapped)} FROM {wanted_stream.sobject} "  # noqa: S608 - checked ids
                    f"WHERE {owner} IN ({ids}) ORDER BY Id"
                )
                self._read_query(reading, soql, include_deleted=True)
            pulled = self._pulled(
                reading, mapped, "owners", _counts(reading.announced, reading.received), state, accounts
            )
            return replace(pulled, owners=tuple(accounts), is_hinted=True)

    def _present(self, wanted_stream: SalesforceStream, state: StreamState | None) -> tuple[str, ...]:
        """The mapped fields that the describe shows; all of them without one. Warns of one that was there before."""
        seen = self.fields_of(wanted_stream.stream.name)
        if seen is None:
            return wanted_stream.mapped
        folded = {name.lower() for name in seen}
        for name in sorted(wanted_stream.required):
            if name.lower() not in folded:
                raise FieldMissing(_absent(wanted_stream, name), name)
        for name in sorted(set(state.fields if state else ()) & set(wanted_stream.mapped)):
            if name.lower() not in folded:
                log.warning("optional field is gone or hidden; it is null", object=wanted_stream.sobject, field=name)
        formulas = {name.lower() for name, is_formula in seen.items() if is_formula}
        self._formulas[wanted_stream.sobject] = [name for name in wanted_stream.mapped if name.lower() in formulas]
        return tuple(name for name in wanted_stream.mapped if name.lower() in folded)

    def _pull(
        self,
        wanted_stream: SalesforceStream,
        mapped: tuple[str, ...],
        state: StreamState | None,
        full: bool,
        now: datetime | None,
    ) -> Pulled:
        started = self.session.server_time
        reading = self._started(wanted_stream)
        with closed_on_failure(reading):
            if full or self._is_full_due(state, mapped, now or started):
                return self._full(reading, mapped, state)
            assert state is not None
            return self._incremental(reading, mapped, state)

    def _started(self, wanted_stream: SalesforceStream) -> Reading:
        bar = self._progress.start(f"Salesforce {wanted_stream.sobject}")
        return Reading(wanted_stream, SpooledRows(wanted_stream.stream), bar, self.session.server_time)

    def _is_full_due(self, state: StreamState | None, mapped: tuple[str, ...], now: datetime | None) -> bool:
        if state is None or state.cursor_at is None or state.full_at is None or set(mapped) != set(state.fields):
            return True
        return now is not None and now - state.full_at >= timedelta(hours=self._schedule.salesforce.full_every_hours)

    # What changed --------------------------------------------------------------------------------------------------

    def _incremental(self, reading: Reading, mapped: tuple[str, ...], state: StreamState) -> Pulled:
        assert state.cursor_at is not None
        before = upper_bound(reading.source_time, state.cursor_at)
        self._read_window(reading, mapped, self._since(state), before)
        if before is not None and (self.session.server_time is None or self.session.server_time >= before):
            # a record that changed beyond the window's end left it, and took along what it had changed before
            self._read_window(reading, mapped, before, None)
        why = _counts(reading.announced, reading.received)
        return self._pulled(reading, mapped, "partial", why, state)

    def _since(self, state: StreamState) -> datetime:
        assert state.cursor_at is not None
        return state.cursor_at - timedelta(minutes=self._schedule.salesforce.overlap_minutes)

    def _read_window(self, reading: Reading, mapped: tuple[str, ...], since: datetime, before: datetime | None) -> None:
        upper = f" AND SystemModstamp < {literal(before)}" if before else ""
        soql = (
            f"SELECT {_names(reading.wanted_stream, mapped)} FROM {reading.wanted_stream.sobject} "  # noqa: S608 - names of the mapping
            f"WHERE SystemModstamp >= {literal(since)}{upper} ORDER BY SystemModstamp, Id"
        )
        try:
            self._read_query(reading, soql, include_deleted=True)
        except QueryTimeout:
            end = before or (reading.source_time or since) + timedelta(seconds=1)
            middle = since + timedelta(seconds=(end - since).total_seconds() // 2)
            if not since < middle < end:
                raise
            self._read_window(reading, mapped, since, middle)
            self._read_window(reading, mapped, middle, before)

    def _read_query(self, reading: Reading, soql: str, *, include_deleted: bool) -> None:
        """All pages of one query into the reading; from the start again when the server loses the cursor (H44)."""
        counts = reading.received, reading.announced, list(reading.set_aside)
        for restart in range(RESTARTS):
            try:
                for number, page in enumerate(
                    self.session.pages(soql, reading.wanted_stream.sobject, include_deleted=include_deleted)
                ):
                    if number == 0:
                        reading.announced += int(page.get("totalSize") or 0)
                        reading.bar.expect(reading.announced)
                    reading.take(page["records"])
                return
            except (CursorLost, QueryTimeout) as error:
                reading.back_to(*counts)
                if restart == RESTARTS - 1 or isinstance(error, QueryTimeout):
                    raise

    # Everything ----------------------------------------------------------------------------------------------------

    def _full(self, reading: Reading, mapped: tuple[str, ...], state: StreamState | None) -> Pulled:
        """By Bulk what is large, by REST what is not; each stands in where the other does not deliver."""
        soql = f"SELECT {_names(reading.wanted_stream, mapped)} FROM {reading.wanted_stream.sobject}"  # noqa: S608 - of the mapping
        if formulas := self._formulas.get(reading.wanted_stream.sobject):
            log.warning("formulas change without a stamp: only full pulls see that", fields=formulas)
        is_large = self._is_large(reading.wanted_stream.sobject)
        whole = self._by_bulk(reading, soql) if is_large else None
        if whole is None:
            try:
                self._read_query(reading, f"{soql} ORDER BY Id", include_deleted=False)
            except QueryTimeout:
                whole = None if is_large else self._by_bulk(reading, soql)
                if whole is None:
                    raise
        whole = whole or reading
        return self._pulled(whole, mapped, "full", _counts(whole.announced, whole.distinct), state)

    def _is_large(self, sobject: str) -> bool:
        try:
            page = self.session.query(f"SELECT COUNT() FROM {sobject}", sobject)  # noqa: S608 - a constant
        except (CredentialsError, QuotaExhausted):
            raise
        except SourceError as error:
            return isinstance(error, QueryTimeout)
        return int(page.get("totalSize") or 0) > self._schedule.salesforce.bulk_above_rows

    def _by_bulk(self, empty: Reading, soql: str) -> Reading | None:
        """The reading by Bulk, or None when Bulk does not deliver; then REST reads into the first one."""
        reading = Reading(empty.wanted_stream, SpooledRows(empty.wanted_stream.stream), empty.bar, empty.source_time)
        what = empty.wanted_stream.sobject
        try:
            for records, total in bulk_records(self.session, soql, what, wait_seconds=self.bulk_wait_seconds):
                reading.announced = total
                reading.take(records)
            if why := _counts(reading.announced, reading.distinct):
                raise ProtocolError(f"Salesforce: bulk query of {what}: {why}")
        except (CredentialsError, QuotaExhausted):
            reading.spool.close()
            raise
        except SourceError as error:
            reading.spool.close()
            log.warning("Bulk did not deliver; reading by REST", object=what, reason=str(error))
            return None
        empty.spool.close()
        return reading

    def _pulled(
        self,
        reading: Reading,
        mapped: tuple[str, ...],
        extent: Literal["full", "partial", "owners"],
        why_incomplete: str | None,
        state: StreamState | None,
        owners: Sequence[str] = (),
    ) -> Pulled:
        history = self._history(reading, state, owners)
        reading.bar.finish()
        return Pulled(
            stream=reading.wanted_stream.stream,
            spool=reading.spool,
            extent=extent,
            is_complete=why_incomplete is None,
            why_incomplete=why_incomplete,
            deleted=reading.deleted,
            merged=reading.merged,
            set_aside=tuple(reading.set_aside),
            unreadable=tuple(reading.nulled),
            history=history,
            fields=mapped,
            cursor_at=reading.next_cursor(state.cursor_at if state else None, self.session.server_time),
            source_time=reading.source_time,
            confirm_gone=confirmer(self.session, reading.wanted_stream.sobject, reading.merged),
        )

    def _history(
        self, reading: Reading, state: StreamState | None, owners: Sequence[str]
    ) -> tuple[HistoricChange, ...]:
        """The steps of the accounts' statuses since the cursor, overlap included; none at the baseline.

        Of `owners` alone where there are some.

        Read after the accounts and without an upper bound: an account's own stamp says which steps it has taken.
        """
        if reading.wanted_stream.sobject != "Account" or state is None or state.cursor_at is None:
            return ()
        return read_history(self.session, self._mapping.account, literal(self._since(state)), owners)


def _names(wanted_stream: SalesforceStream, mapped: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys((*wanted_stream.system, *mapped)))


def _without(mapped: tuple[str, ...], wanted_stream: SalesforceStream, error: FieldMissing) -> tuple[str, ...]:
    """The fields without the one the server refused. Raises the error when that one is required or not named."""
    name = (error.field or "").lower()
    if name in {required.lower() for required in wanted_stream.required}:
        raise FieldMissing(_absent(wanted_stream, str(error.field)), error.field) from error
    kept = tuple(field for field in mapped if field.lower() != name)
    if kept == mapped:
        raise error
    log.warning("optional field cannot be read; it is null", object=wanted_stream.sobject, field=error.field)
    return kept


def _absent(wanted_stream: SalesforceStream, name: str) -> str:
    return (
        f"Salesforce: {wanted_stream.sobject}: field {name} is not there or hidden from the integration user; "
        "create it, grant Read on it, or map another in ME_STATUS_FIELDS"
    )


def _counts(announced: int, received: int) -> str | None:
    return None if announced == received else f"{announced} records announced, {received} received"
