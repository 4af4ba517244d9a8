"""The two sync jobs: pull every stream of a source, apply it, remove what is gone, and note how far it came.

A stream that fails does not stop the others; the run fails at the end. What was committed stays, and the next run goes
on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

import sql
from config import logs
from config.database import Database
from config.errors import MeStatusError
from config.fields import FieldMapping
from config.settings import Settings
from config.tables import Tables
from jobs.runs import rate_limit
from jobs.runs.ledger import Run
from jobs.sources import salesforce, whmcs
from jobs.sources.errors import CredentialsError, QuotaExhausted, SourceError
from jobs.sources.known import KnownRows
from jobs.sources.salesforce.session import Usage
from materializer.snapshot import commit, readings, shrink_gate, store
from materializer.snapshot.commit import Applied
from materializer.snapshot.pulls import Pulled, SetAsideRecord, StreamState
from materializer.snapshot.streams import Source
from materializer.snapshot.transitions import TransitionPolicy
from materializer.units import Batching, Submit

log = structlog.get_logger()

SALESFORCE_STREAMS = ("account", "order", "case")
WHMCS_STREAMS = ("client", "service", "invoice", "cancellation", "balance", "pay_method")
SAMPLES = 5
"""Ids that a count comes with."""
OPTIONAL_STREAMS = frozenset({"balance", "pay_method"})
"""A source counts as synced without these: one call per record, often not allowed to the credentials."""

Pull = Callable[[str, StreamState | None], Pulled]


class SourceSync:
    """One run of one sync: the streams applied in so far, what failed, and `left`, as Removals has it."""

    def __init__(self, run: Run, tables: Tables, source: Source, submit: Submit | None) -> None:
        self.run = run
        self.tables = tables
        self.source = source
        self.submit = submit
        self.applied: list[Applied] = []
        self.failures: dict[str, SourceError] = {}
        self.left: dict[str, frozenset[str]] = {}
        with run.database.begin() as connection:
            self.states = store.stream_states(connection)

    def apply_streams(self, names: Sequence[str], pull: Pull) -> None:
        """Pulls and applies each stream; goes on to the next when one fails, unless no request can succeed."""
        for name in names:
            self._ask_together(name, names, pull)
            error = self._attempt(name, pull)
            if error is None:
                continue
            log.warning("stream not applied", source=self.source, stream=name, error=str(error))
            self._note_incomplete(name, str(error))
            self.failures[name] = error
            if isinstance(error, QuotaExhausted | CredentialsError):
                self.failures |= {later: error for later in names if later not in self._seen(name)}
                return

    def _ask_together(self, name: str, names: Sequence[str], pull: Pull) -> None:
        """Before the first list: all lists. Before the first of what is asked record by record, as lists say: those."""
        alike = [other for other in names if (other in OPTIONAL_STREAMS) == (name in OPTIONAL_STREAMS)]
        if name == alike[0]:
            self.run.options.asking.all_of([partial(pull, other, self.states.get(other)) for other in alike])

    def _attempt(self, name: str, pull: Pull) -> SourceError | None:
        """What went wrong with one stream; nothing unexpected in one stream stops the others."""
        try:
            self._apply_stream(name, pull)
        except SourceError as error:
            return error
        except MeStatusError:
            raise
        except Exception as error:
            log.exception("stream failed unexpectedly", source=self.source, stream=name)
            return SourceError(
                f"{self.source}: {name} could not be read or stored ({logs.describe(error)}); the other streams went on"
            )
        return None

    def _note_incomplete(self, name: str, reason: str | None) -> None:
        """Keeps for `me-status status` why the stream's last pull proves nothing; None: it was complete."""
        with self.run.database.begin() as connection:
            if reason is None:
                connection.execute(sql.statement("snapshot/note_stream_complete"), {"stream": name})
                return
            parameters = {"stream": name, "reason": reason, "now": self.run.now, "run_id": self.run.run_id}
            connection.execute(sql.statement("snapshot/note_stream_incomplete"), parameters)

    def _seen(self, name: str) -> set[str]:
        return {name} | {applied.pulled.stream.name for applied in self.applied} | set(self.failures)

    def _apply_stream(self, name: str, pull: Pull) -> None:
        state = self.states.get(name)
        with self.run.database.begin() as connection:
            began_at = readings.clock(connection)
        pulled = pull(name, state)
        pulled = replace(pulled, began_at=pulled.began_at or began_at)
        bar = self.run.options.progress.start(f"Apply {name}")
        try:
            policy = policy_for(self.tables.mapping, name, state, pulled)
            batching = Batching(self.tables.schedule.limits.window_rows, self.submit, bar)
            applied = commit.apply(self.run.database, pulled, policy, self.run.at, batching)
        finally:
            bar.finish()
            pulled.spool.close()
        self.applied.append(applied)
        self._count(applied)
        self._note_incomplete(name, pulled.why_incomplete)
        if state is None and not pulled.is_complete:
            raise SourceError(
                f"{self.source}: the first pull of {name} is not complete ({pulled.why_incomplete}); "
                "the next run reads it again"
            )

    def _count(self, applied: Applied) -> None:
        counts: dict[str, Any] = {
            name: getattr(applied, name) for name in ("read", "added", "changed", "removed", "set_aside", "ignored")
        }
        counts["extent"] = applied.pulled.extent
        if not applied.pulled.is_complete:
            counts["incomplete"] = applied.pulled.why_incomplete
            log.warning("pull is not complete; nothing is removed", stream=applied.pulled.stream.name)
        if applied.pulled.unreadable:
            counts["unreadable"] = _by_field(applied.pulled.unreadable)
            log.warning(
                "values that cannot be read count as none", stream=applied.pulled.stream.name, **counts["unreadable"]
            )
        self.run.counts[applied.pulled.stream.name] = counts
        self._add_transitions(applied.transitions)

    def _add_transitions(self, transitions: dict[str, int]) -> None:
        totals = self.run.counts.setdefault("transitions", {})
        for kind, count in transitions.items():
            totals[kind] = totals.get(kind, 0) + count

    def apply_removals(self) -> None:
        """Removes or holds what full pulls found gone."""
        gate = None if self.run.options.accept_shrink else self.tables.schedule.shrink_gate
        try:
            removals = shrink_gate.apply_removals(self.run.database, self.applied, gate, self.run.at)
        except SourceError as error:
            log.warning("removals not confirmed; nothing is removed", source=self.source, error=str(error))
            self.failures["removals"] = error
            self.left |= shrink_gate.left_by(self.applied)
            return
        for name, count in removals.removed.items():
            self.run.counts[name]["removed"] += count
        self._add_transitions(removals.transitions)
        self.left |= removals.left
        if removals.held is not None:
            self.run.hold("shrink", self.source, removals.held)

    def finish(self, organization_id: str | None = None) -> None:
        """Notes the source's health. Raises SourceError when something failed."""
        with self.run.database.begin() as connection:
            if not set(self.failures) - OPTIONAL_STREAMS:
                parameters = {"source": self.source, "now": self.run.now, "organization_id": organization_id}
                connection.execute(sql.statement("ledger/note_source_synced"), parameters)
            if self._may_have_changed_links(connection):
                at = {"now": self.run.now, "run_id": self.run.run_id}
                connection.execute(sql.statement("snapshot/note_link_problems"), at)
        if self.failures:
            raise self._failed()

    def _may_have_changed_links(self, connection: Connection) -> bool:
        """Also after a run that failed, which may have ended before it noted them, and after hinted readings."""
        counts = (self.run.counts.get(name, {}) for name in ("account", "client"))
        if any(count.get(kind) for count in counts for kind in ("added", "changed", "removed")):
            return True
        before = {"job": self.run.job, "run_id": self.run.run_id}
        return bool(connection.execute(sql.statement("ledger/may_have_changed_links"), before).scalar_one())

    def _failed(self) -> SourceError:
        messages = list(dict.fromkeys(str(error) for error in self.failures.values()))
        error = next(iter(self.failures.values()))
        if len(messages) > 1:
            error = SourceError("; ".join(messages))
        note_failure(self.run, self.source, error)
        return error


def sync_salesforce(run: Run, settings: Settings, tables: Tables, submit: Submit | None = None) -> None:
    """Brings the snapshot up to Salesforce and fills `run.counts`, by stream and for transitions by type.

    Raises SourceError when the login failed, the organization is another one, or, at the end, when a stream failed.
    """
    sync, asking = SourceSync(run, tables, "salesforce", submit), run.options.asking
    try:
        source = asking.answer(
            "salesforce", lambda: salesforce.connect(settings, tables.mapping, tables.schedule, run.options.progress)
        )
        organization_id = asking.answer("salesforce organization", lambda: source.organization_id)
        require_same_organization(run.database, organization_id)
    except SourceError as error:
        note_failure(run, "salesforce", error)
        raise

    def pull(name: str, state: StreamState | None) -> Pulled:
        return asking.pull(name, lambda: source.pull(name, state, full=run.options.full, now=run.now))

    sync.apply_streams(SALESFORCE_STREAMS, pull)
    sync.apply_removals()
    _note_usage(run, source.usage)
    sync.finish(organization_id)


def _note_usage(run: Run, usage: Usage | None) -> None:
    """Keeps what Salesforce said of its quota, also when that was why the run stopped."""
    if usage is not None:
        told = {"source": "salesforce", "used": usage.used, "allowed": usage.total, "now": run.now}
        with run.database.begin() as connection:
            connection.execute(sql.statement("ledger/note_source_usage"), told)


def sync_whmcs(run: Run, settings: Settings, tables: Tables, submit: Submit | None = None) -> None:
    """Brings the snapshot up to WHMCS and fills `run.counts`, by stream and for transitions by type.

    Raises SourceError when the credentials are refused or, at the end, when a stream failed. A failure of the pay
    methods alone leaves the source synced.
    """
    sync, asking = SourceSync(run, tables, "whmcs", submit), run.options.asking

    def connect() -> whmcs.WhmcsSource:
        transport = rate_limit.transport(settings, tables.schedule, run.database, submit)
        return whmcs.connect(settings, tables.mapping, tables.schedule, run.options.progress, transport)

    try:
        source = asking.answer("whmcs", connect)
    except SourceError as error:
        note_failure(run, "whmcs", error)
        raise

    def pull(name: str, state: StreamState | None) -> Pulled:
        known = known_of(run.database, tables.mapping, name)
        return asking.pull(name, lambda: source.pull(name, state, full=run.options.full, known=known, now=run.now))

    with asking.using(source):
        sync.apply_streams(WHMCS_STREAMS, pull)
        sync.apply_removals()
    sync.finish()


def _by_field(unreadable: Sequence[SetAsideRecord]) -> dict[str, Any]:
    """How many records have a value that cannot be read, by field, with a few ids and the first reason."""
    found: dict[str, list[SetAsideRecord]] = {}
    for record in unreadable:
        found.setdefault(record.field, []).append(record)
    return {
        field: {
            "records": len(records),
            "samples": [record.record_id for record in records[:SAMPLES]],
            "reason": records[0].reason,
        }
        for field, records in found.items()
    }


# What a pull starts from ----------------------------------------------------------------------------------------------


def policy_for(mapping: FieldMapping, stream: str, state: StreamState | None, pulled: Pulled) -> TransitionPolicy:
    """How the pull's changes are judged: a stream without a state has its baseline now.

    So has a field that is read for the first time; one that went missing shows no transition either (H21, H23).
    """
    if state is None:
        return TransitionPolicy(mapping.words, is_baseline=True)
    return TransitionPolicy(
        mapping.words,
        baseline_fields=_unlike_before(mapping, stream, state, pulled),
        created_after=state.cursor_at or state.source_time,
    )


def _unlike_before(mapping: FieldMapping, stream: str, state: StreamState, pulled: Pulled) -> frozenset[str]:
    tracked: dict[str, dict[str, str]] = {
        "account": {
            "eligibility_status": mapping.account.eligibility_status,
            "verification_status": mapping.account.verification_status,
        },
        "order": {"status": mapping.order.status, "activation_status": mapping.order.activation_status},
        "case": {"status": mapping.case.status, "is_closed": mapping.case.is_closed},
    }
    differs = {name.lower() for name in pulled.fields} ^ {name.lower() for name in state.fields}
    return frozenset(column for column, field in tracked.get(stream, {}).items() if field.lower() in differs)


def known_of(database: Database, mapping: FieldMapping, stream: str) -> KnownRows:
    """What a WHMCS pull needs of the snapshot, read in a short transaction."""
    with database.begin() as connection:
        rows, highest = connection.execute(sql.statement("snapshot/read_known_stream"), {"stream": stream}).one()
        if stream == "invoice":
            unpaid = frozenset(connection.execute(sql.statement("snapshot/list_unpaid_invoice_ids")).scalars())
            return KnownRows(rows, highest, unpaid=unpaid)
        if stream == "pay_method":
            readings = tuple(
                (row.client_id, row.read_at)
                for row in connection.execute(sql.statement("snapshot/list_pay_method_readings"))
            )
            return KnownRows(rows, highest, readings=readings, clients=len(readings))
        if stream == "balance":
            asked = connection.execute(sql.statement("snapshot/list_balance_readings")).all()
            readings = tuple((row.invoice_id, row.read_at) for row in asked)
            return KnownRows(
                rows, highest, readings=readings, references={row.invoice_id: row.client_id for row in asked}
            )
        if stream == "client" and mapping.link.held_by == "client":
            references = connection.execute(sql.statement("snapshot/list_client_references"))
            return KnownRows(rows, highest, references={row.client_id: row.account_reference for row in references})
        return KnownRows(rows, highest)


def require_same_organization(database: Database, organization_id: str | None) -> None:
    """Raises SourceError when the organization is another one than the snapshot's."""
    with database.begin() as connection:
        known = connection.execute(
            sql.statement("ledger/read_source_organization"), {"source": "salesforce"}
        ).scalar_one()
    if None not in (known, organization_id) and known != organization_id:
        raise SourceError(
            f"Salesforce: this is organization {organization_id}, the snapshot is of {known}; all ids differ between "
            "the two. Point SALESFORCE_INSTANCE_URL back, or give this organization a database of its own"
        )


def note_failure(run: Run, source: Source, error: SourceError) -> None:
    """Keeps what the source answered for `me-status status`."""
    with run.database.begin() as connection:
        parameters = {"source": source, "now": run.now, "error": str(error)}
        connection.execute(sql.statement("ledger/note_source_failed"), parameters)
