"""Pulls of Salesforce streams: what changed since the cursor, or everything (salesforce-api 10)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pyarrow.compute as pc
import structlog

from config.fields import FieldMapping
from config.schedule import Schedule
from config.settings import Settings
from jobs.progress import Progress, Task, silent
from jobs.sources.columns import instant
from jobs.sources.errors import CredentialsError, CursorLost, FieldMissing, QueryTimeout, QuotaExhausted, SourceError
from jobs.sources.identifiers import normalised
from jobs.sources.salesforce_bulk import bulk_records
from jobs.sources.salesforce_history import read_history
from jobs.sources.salesforce_rows import Selected, selections
from jobs.sources.salesforce_session import SalesforceSession, Usage
from jobs.sources.spool import SpooledRows
from materializer.pulls import HistoricChange, Key, Pulled, RefusedRecord, StreamState

log = structlog.get_logger()
LOOKED_UP_AT_ONCE = 200
"""Ids of one direct look-up: well inside the 16,384 bytes of a request (salesforce-api 3.1)."""
BULK_WAIT_SECONDS = 1800.0
RESTARTS = 3
"""How often a query starts over when its cursor is lost."""


def connect(
    settings: Settings, mapping: FieldMapping, schedule: Schedule, progress: Progress | None = None
) -> SalesforceSource:
    """Logs in. Raises SourceError: credentials refused, host unreachable."""
    return SalesforceSource(SalesforceSession(settings, schedule), mapping, schedule, progress or silent())


@dataclass
class _Reading:
    """What one pull has gathered so far."""

    selected: Selected
    spool: SpooledRows
    task: Task
    source_time: datetime | None
    received: int = 0
    announced: int = 0
    highest: datetime | None = None
    deleted: set[str] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    refused: list[RefusedRecord] = field(default_factory=list)

    def take(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Takes in one page: rows to the spool, deleted records apart, malformed ones refused."""
        alive = [record for record in records if record.get("IsDeleted") is not True]
        rows, refused = self.selected.rows(alive, self.received)
        self.spool.add(rows)
        self.refused += refused
        for record in records:
            if record.get("IsDeleted") is True:
                self._bury(record)
        self.received += len(records)
        stamp = pc.max(instant([record.get("SystemModstamp") for record in records])[0]).as_py()
        self.highest = max(filter(None, (self.highest, stamp)), default=None)
        self.task.advance(len(records))

    def _bury(self, record: Mapping[str, Any]) -> None:
        try:
            key, master = normalised(record.get("Id")), normalised(record.get("MasterRecordId"))
        except ValueError as error:
            self.refused.append(RefusedRecord("deleted record", "Id", str(error)))
            return
        if key is not None:
            self.deleted.add(key)
            if master is not None:
                self.merged[key] = master


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
        self._selections = selections(mapping)
        self._limits_read = False

    @property
    def usage(self) -> Usage | None:
        """API requests used, as the last answer told; None where the server does not tell."""
        return self.session.usage

    @property
    def organization_id(self) -> str | None:
        """The org's id, 18 characters; None where it is not shown."""
        try:
            records = self.session.query("SELECT Id FROM Organization LIMIT 1", "Organization")["records"]
            return normalised(records[0].get("Id")) if records else None
        except (CredentialsError, QuotaExhausted):
            raise
        except (SourceError, ValueError):
            return None

    def fields_of(self, stream_name: str) -> dict[str, bool] | None:
        """The fields of the stream's object that the user sees, true where a formula; None without a describe."""
        described = self.session.describe(self._selections[stream_name].sobject)
        if described is None:
            return None
        return {str(entry.get("name")): entry.get("calculated") is True for entry in described["fields"]}

    def pull(
        self, stream_name: str, state: StreamState | None, *, full: bool = False, now: datetime | None = None
    ) -> Pulled:
        """Reads what changed since `state`, or everything: when asked, at the baseline, with other fields, when due.

        `now` is compared with `state.full_at`; without it the server's clock is. Raises SourceError: nothing of the
        pull may then be taken in. A required field that is absent raises FieldMissing.
        """
        if not self._limits_read:
            self.session.read_limits()
            self._limits_read = True
        self.session.check_quota()
        selected = self._selections[stream_name]
        mapped = self._present(selected)
        while True:
            try:
                return self._pull(selected, mapped, state, full, now)
            except FieldMissing as error:
                mapped = _without(mapped, selected, error)

    def _present(self, selected: Selected) -> tuple[str, ...]:
        """The mapped fields that the describe shows; all of them without one."""
        seen = self.fields_of(selected.stream.name)
        if seen is None:
            return selected.mapped
        folded = {name.lower() for name in seen}
        for name in sorted(selected.required):
            if name.lower() not in folded:
                raise FieldMissing(_absent(selected, name), name)
        return tuple(name for name in selected.mapped if name.lower() in folded)

    def _pull(
        self, selected: Selected, mapped: tuple[str, ...], state: StreamState | None, full: bool, now: datetime | None
    ) -> Pulled:
        started = self.session.server_time
        reading = self._started(selected)
        try:
            if full or self._is_full_due(state, mapped, now or started):
                return self._full(reading, mapped, state)
            assert state is not None
            return self._incremental(reading, mapped, state)
        except BaseException:
            reading.spool.close()
            raise

    def _started(self, selected: Selected) -> _Reading:
        task = self._progress.start(f"Salesforce {selected.sobject}")
        return _Reading(selected, SpooledRows(selected.stream), task, self.session.server_time)

    def _is_full_due(self, state: StreamState | None, mapped: tuple[str, ...], now: datetime | None) -> bool:
        if state is None or state.cursor_at is None or state.full_at is None or set(mapped) != set(state.fields):
            return True
        return now is not None and now - state.full_at >= timedelta(hours=self._schedule.salesforce.full_every_hours)

    # What changed --------------------------------------------------------------------------------------------------

    def _incremental(self, reading: _Reading, mapped: tuple[str, ...], state: StreamState) -> Pulled:
        assert state.cursor_at is not None
        since = state.cursor_at - timedelta(minutes=self._schedule.salesforce.overlap_minutes)
        before = _upper(reading.source_time, state.cursor_at)
        self._read_window(reading, mapped, since, before)
        history: tuple[HistoricChange, ...] = ()
        if reading.selected.sobject == "Account":
            until = _literal(before) if before else None
            history = read_history(self.session, self._mapping.account, _literal(since), until)
        is_whole = reading.received >= reading.announced
        cursor = _next_cursor(reading, state.cursor_at) if is_whole else state.cursor_at
        return self._pulled(reading, mapped, "partial", _counts(reading.announced, reading.received), cursor, history)

    def _read_window(
        self, reading: _Reading, mapped: tuple[str, ...], since: datetime, before: datetime | None
    ) -> None:
        upper = f" AND SystemModstamp < {_literal(before)}" if before else ""
        soql = (
            f"SELECT {_names(reading.selected, mapped)} FROM {reading.selected.sobject} "  # noqa: S608 - names of the mapping
            f"WHERE SystemModstamp >= {_literal(since)}{upper} ORDER BY SystemModstamp, Id"
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

    def _read_query(self, reading: _Reading, soql: str, *, include_deleted: bool) -> None:
        """All pages of one query into the reading; from the start again when the server loses the cursor (H44)."""
        received, refused, announced = reading.received, list(reading.refused), reading.announced
        for restart in range(RESTARTS):
            reading.received, reading.refused, reading.announced = received, list(refused), announced
            try:
                for number, page in enumerate(
                    self.session.pages(soql, reading.selected.sobject, include_deleted=include_deleted)
                ):
                    if number == 0:
                        reading.announced += int(page.get("totalSize") or 0)
                        reading.task.expect(reading.announced)
                    reading.take(page["records"])
                return
            except CursorLost:
                if restart == RESTARTS - 1:
                    raise

    # Everything ----------------------------------------------------------------------------------------------------

    def _full(self, reading: _Reading, mapped: tuple[str, ...], state: StreamState | None) -> Pulled:
        names = _names(reading.selected, mapped)
        source = f"FROM {reading.selected.sobject}"
        if self._is_large(reading.selected.sobject):
            by_bulk = self._full_by_bulk(reading, f"SELECT {names} {source}")
            if by_bulk is not None:
                return self._whole(by_bulk, mapped, state)
        self._read_query(reading, f"SELECT {names} {source} ORDER BY Id", include_deleted=False)
        return self._whole(reading, mapped, state)

    def _is_large(self, sobject: str) -> bool:
        try:
            page = self.session.query(f"SELECT COUNT() FROM {sobject}", sobject)  # noqa: S608 - a constant
        except (CredentialsError, QuotaExhausted):
            raise
        except SourceError:
            return False
        return int(page.get("totalSize") or 0) > self._schedule.salesforce.bulk_above_rows

    def _full_by_bulk(self, empty: _Reading, soql: str) -> _Reading | None:
        """The reading by Bulk, or None when Bulk does not deliver; then REST reads into the first one."""
        reading = _Reading(empty.selected, SpooledRows(empty.selected.stream), empty.task, empty.source_time)
        what = empty.selected.sobject
        try:
            for records, total in bulk_records(self.session, soql, what, wait_seconds=self.bulk_wait_seconds):
                reading.announced = total
                reading.take(records)
        except (CredentialsError, QuotaExhausted):
            reading.spool.close()
            raise
        except SourceError as error:
            reading.spool.close()
            log.warning("Bulk did not deliver; reading by REST", object=what, reason=str(error))
            return None
        empty.spool.close()
        return reading

    def _whole(self, reading: _Reading, mapped: tuple[str, ...], state: StreamState | None) -> Pulled:
        distinct = reading.spool.rows + len(reading.refused)
        cursor = _next_cursor(reading, state.cursor_at if state else None)
        why = _counts(reading.announced, distinct) if distinct != reading.announced else None
        return self._pulled(reading, mapped, "full", why, cursor)

    def _pulled(
        self,
        reading: _Reading,
        mapped: tuple[str, ...],
        extent: Literal["full", "partial"],
        why_incomplete: str | None,
        cursor: datetime | None,
        history: tuple[HistoricChange, ...] = (),
    ) -> Pulled:
        reading.task.finish()
        return Pulled(
            stream=reading.selected.stream,
            spool=reading.spool,
            extent=extent,
            is_complete=why_incomplete is None,
            why_incomplete=why_incomplete,
            deleted=reading.deleted,
            merged=reading.merged,
            refused=tuple(reading.refused),
            history=history,
            fields=mapped,
            cursor_at=cursor,
            source_time=reading.source_time,
            confirm_gone=self._confirmer(reading.selected.sobject, reading.merged),
        )

    def _confirmer(self, sobject: str, merged: dict[str, str]) -> Callable[[Collection[Key]], set[Key]]:
        """Looks keys up directly; a loser of a merge found so is added to `merged`, the pull's own dictionary."""
        names = "Id, IsDeleted" + (", MasterRecordId" if sobject == "Account" else "")

        def confirm_gone(keys: Collection[Key]) -> set[Key]:
            wanted = [str(key) for key in keys]
            alive: set[Key] = set()
            for start in range(0, len(wanted), LOOKED_UP_AT_ONCE):
                ids = ", ".join(f"'{key}'" for key in wanted[start : start + LOOKED_UP_AT_ONCE])
                soql = f"SELECT {names} FROM {sobject} WHERE Id IN ({ids})"  # noqa: S608 - ids of the snapshot
                for page in self.session.pages(soql, sobject, include_deleted=True):
                    for record in page["records"]:
                        key, master = normalised(record.get("Id")), normalised(record.get("MasterRecordId"))
                        if key is not None and record.get("IsDeleted") is not True:
                            alive.add(key)
                        elif key is not None and master is not None:
                            merged[key] = master
            return set(keys) - alive

        return confirm_gone


def _names(selected: Selected, mapped: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys((*selected.system, *mapped)))


def _without(mapped: tuple[str, ...], selected: Selected, error: FieldMissing) -> tuple[str, ...]:
    """The fields without the one the server refused. Raises the error when that one is required or not named."""
    name = (error.field or "").lower()
    if name in {required.lower() for required in selected.required}:
        raise FieldMissing(_absent(selected, str(error.field)), error.field) from error
    kept = tuple(field for field in mapped if field.lower() != name)
    if kept == mapped:
        raise error
    log.warning("optional field cannot be read; it is null", object=selected.sobject, field=error.field)
    return kept


def _absent(selected: Selected, name: str) -> str:
    return (
        f"Salesforce: {selected.sobject}: field {name} is not there or hidden from the integration user; "
        "create it, grant Read on it, or map another in ME_STATUS_FIELDS"
    )


def _literal(moment: datetime) -> str:
    """A SOQL instant: whole seconds, UTC, with Z (H6, H12)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _upper(server_time: datetime | None, cursor: datetime) -> datetime | None:
    """The window's end: just after the server's present second; None where its clock is behind its own stamps."""
    if server_time is None or server_time < cursor:
        return None
    return server_time.replace(microsecond=0) + timedelta(seconds=1)


def _next_cursor(reading: _Reading, previous: datetime | None) -> datetime | None:
    """The highest stamp read, not beyond the server's clock at the start (H9, H11), never back.

    Stamps more than an hour ahead of that clock mean that the clock is not the one that stamps; then they count.
    """
    highest, clock = reading.highest, reading.source_time
    if highest is not None and clock is not None and clock < highest <= clock + timedelta(hours=1):
        highest = clock
    return max(filter(None, (highest, previous)), default=None)


def _counts(announced: int, received: int) -> str | None:
    return None if announced == received else f"{announced} records announced, {received} received"
