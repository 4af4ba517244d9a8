"""`sync-hinted`: the customers that hints name are read again from both sources, and refreshed at once.

A hint is believed in nothing but whom to read. What is read goes the way of any pull: the same comparison, transitions,
shrink gate, outbox and flood gate. A customer is its account and its client, whichever of them a hint names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

import sql
from config.database import Database, LiveDatabase
from config.schedule import Hints
from config.tables import Tables
from jobs.runs.connections import Connections
from jobs.runs.ledger import Run
from jobs.runs.sync import OPTIONAL_STREAMS, SALESFORCE_STREAMS, WHMCS_STREAMS, SourceSync
from jobs.sources.errors import CredentialsError, QuotaExhausted, SourceError, TransientError
from jobs.sources.known import NOTHING, KnownRows
from materializer.refresh import refresh
from materializer.refresh.refresh import Refreshed
from materializer.rules.rules import Rules
from materializer.snapshot import readings
from materializer.snapshot.pulls import Pulled, StreamState
from materializer.snapshot.readings import OutdatedReading
from materializer.snapshot.streams import Source
from materializer.units import Batching

log = structlog.get_logger()
MOST_BY_HAND = 5000
"""Customers of one run by hand, or of a slot; `schedule` has smaller and more of them."""
STREAMS_OF: dict[Source, tuple[str, ...]] = {"salesforce": SALESFORCE_STREAMS, "whmcs": WHMCS_STREAMS}
AWAY = (TransientError, CredentialsError, QuotaExhausted)
"""What passes: the hints wait for the source. Any other failure would be the same the next time."""


@dataclass(frozen=True)
class Customers:
    """Whom to read: accounts (ids of 18 characters) and clients."""

    accounts: tuple[str, ...] = ()
    clients: tuple[int, ...] = ()

    @property
    def named(self) -> dict[str, Any]:
        return {"account_ids": list(self.accounts), "client_ids": list(self.clients)}


@dataclass
class _Outcome:
    """What became of a batch: sources and streams that were read, what failed, and clients that failed alone.

    `left`: by stream the owners whose rows stayed although they were read without them.
    """

    read: set[Source] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)
    failures: dict[str, SourceError] = field(default_factory=dict)
    put_off: set[int] = field(default_factory=set)
    left: dict[str, frozenset[str]] = field(default_factory=dict)

    def served(self, customers: Customers) -> Iterator[tuple[str, list[str]]]:
        """Each stream that was read, and the owners, as text, whose documents rest on it."""
        read = {str(owner) for owner in (*customers.accounts, *customers.clients) if owner not in self.put_off}
        for stream in sorted(self.streams):
            yield stream, sorted(read - self.left.get(stream, frozenset()))


def now(engine: Engine) -> datetime:
    """The clock, no earlier than the database's: what a hint asks for is read after the hint was noted."""
    with engine.connect() as connection:
        return max(datetime.now(UTC), readings.clock(connection))


def is_waiting(engine: Engine, hints: Hints) -> bool:
    """Whether there is a hint to follow now, be it one that has not paused yet."""
    return seconds_until_due(LiveDatabase(engine), hints, is_debounced=False) == 0


def seconds_until_due(database: Database, hints: Hints, *, is_debounced: bool) -> float | None:
    """In how many seconds the next hint is to be followed, 0 when one is due; None when none waits."""
    with database.begin() as connection:
        due: float | None = connection.execute(
            sql.statement("hints/read_next_due"), _pauses(hints, is_debounced=is_debounced)
        ).scalar_one()
    return due


def sync_hinted(run: Run, tables: Tables, rules: Rules, connections: Connections) -> None:
    """Reads again whom the oldest hints name, refreshes them, and forgets the hints; fills `run.counts`.

    Raises SourceError at the end when a source did not answer: its hints wait, each attempt for longer.
    """
    hints = tables.schedule.hints
    with run.database.begin() as connection:
        oldest = readings.clock(connection) - timedelta(hours=hints.keep_hours)  # they are noted by the clock, too
        connection.execute(sql.statement("prune/prune_hints"), {"before": oldest, "rows": None})
        customers = _due(connection, hints, is_debounced=run.options.is_debounced)
        taken = connection.execute(sql.statement("hints/list_hints_of"), customers.named).mappings().all()
    outcome = _Outcome()
    for source in STREAMS_OF:
        if any(source in hint["sources"] for hint in taken):
            customers = _read(run, tables, connections, source, customers, outcome)
    _refresh(run, tables, rules, customers)
    with run.database.begin() as connection:
        _finish(connection, run, taken, customers, outcome, hints)
    if outcome.failures:
        raise next(iter(outcome.failures.values()))


def _pauses(hints: Hints, *, is_debounced: bool) -> dict[str, float]:
    if not is_debounced:
        return {"quiet_seconds": 0, "longest_seconds": 0}
    return {"quiet_seconds": hints.quiet_seconds, "longest_seconds": hints.longest_seconds}


def _due(connection: Connection, hints: Hints, *, is_debounced: bool) -> Customers:
    most = hints.batch_customers if is_debounced else MOST_BY_HAND
    due = _pauses(hints, is_debounced=is_debounced) | {"most": most}
    rows = connection.execute(sql.statement("hints/list_due_hints"), due).all()
    accounts = tuple(row.subject_id for row in rows if row.kind == "account")
    clients = tuple(int(row.subject_id) for row in rows if row.kind == "client")
    return _whole(connection, Customers(accounts, clients))


def _whole(connection: Connection, customers: Customers) -> Customers:
    """The same, with the other end of each link as the snapshot has it."""
    if not customers.accounts and not customers.clients:
        return customers
    rows = connection.execute(sql.statement("hints/list_customers_of_hints"), customers.named).all()
    accounts = sorted({row.account_id for row in rows if row.account_id is not None})
    return Customers(tuple(accounts), tuple(sorted({row.client_id for row in rows if row.client_id is not None})))


# Reading --------------------------------------------------------------------------------------------------------------


def _read(
    run: Run, tables: Tables, connections: Connections, source: Source, customers: Customers, outcome: _Outcome
) -> Customers:
    """Reads the customers from one source; with it, whom they are linked to by now."""
    sync = SourceSync(run, tables, source, None)
    try:
        with _answering(run.database, tables.schedule.hints, source), connections.checked(source, run.database):
            pull = _pull_of(run.database, connections, source, customers, outcome)
            for name in (name for name in STREAMS_OF[source] if name in sync.states):
                sync.apply_streams([name], pull)
                _raise_if_away(sync)
            sync.apply_removals()
            _raise_if_away(sync)
        outcome.read.add(source)
    except OutdatedReading as error:
        log.info("read again", source=source, reason=str(error))
    except AWAY as error:
        outcome.failures[source] = error
    outcome.left |= sync.left
    outcome.streams |= {applied.pulled.stream.name for applied in sync.applied}
    outcome.failures |= {name: error for name, error in sync.failures.items() if name not in OPTIONAL_STREAMS}
    with run.database.begin() as connection:
        return _whole(connection, customers)


def _pull_of(
    database: Database, connections: Connections, source: Source, customers: Customers, outcome: _Outcome
) -> Callable[[str, StreamState | None], Pulled]:
    def from_salesforce(name: str, state: StreamState | None) -> Pulled:
        assert state is not None
        return connections.salesforce().pull_owners(name, customers.accounts, state)

    def from_whmcs(name: str, _: StreamState | None) -> Pulled:
        known = _unpaid(database, customers.clients) if name == "balance" else NOTHING
        pulled = connections.whmcs().pull_owners(name, customers.clients, known)
        if pulled.extent == "owners" and name not in OPTIONAL_STREAMS:
            outcome.put_off |= set(customers.clients) - set(pulled.owners)
        return pulled

    return from_salesforce if source == "salesforce" else from_whmcs


def _unpaid(database: Database, clients: Sequence[int]) -> KnownRows:
    """The invoices whose balances are asked for: all unpaid ones, as the invoices just read say."""
    with database.begin() as connection:
        rows = connection.execute(sql.statement("snapshot/list_unpaid_of_clients"), {"client_ids": list(clients)})
        return KnownRows(references={row.invoice_id: row.client_id for row in rows})


def _raise_if_away(sync: SourceSync) -> None:
    """Raises the failure of a stream that needed to be read, when the source may answer later."""
    for name, error in sync.failures.items():
        if name not in OPTIONAL_STREAMS and isinstance(error, AWAY):
            raise error


@contextmanager
def _answering(database: Database, hints: Hints, source: Source) -> Iterator[None]:
    """Notes whether the source answered: while it does not, attempts become rarer."""
    try:
        yield
    except AWAY:
        waits = {"retry_seconds": hints.retry_seconds, "longest_seconds": hints.retry_longest_seconds}
        with database.begin() as connection:
            connection.execute(sql.statement("hints/note_source_away"), waits | {"source": source})
        raise
    with database.begin() as connection:
        connection.execute(sql.statement("hints/note_source_answered"), {"source": source})


# Afterwards -----------------------------------------------------------------------------------------------------------


def _refresh(run: Run, tables: Tables, rules: Rules, customers: Customers) -> None:
    """The customers that were read; with them the refresh takes whoever something was handed over from or to."""
    with run.database.begin() as connection:
        known = set(connection.execute(sql.statement("hints/list_known_subjects"), customers.named).scalars())
        marked = refresh.marked_among(connection, customers.accounts)
    concerned = sorted({account for account in customers.accounts if account in known} | set(marked))
    batching = Batching(tables.schedule.limits.batch_customers)
    done = refresh.refresh(run.database, rules, run.at, tables.schedule.freshness_minutes, batching, concerned)
    _count(run, done)


def _count(run: Run, done: Refreshed) -> None:
    run.counts.update(
        customers=done.customers,
        changed=done.changed,
        removed=done.removed,
        resolved=done.resolved,
        sent=done.sent,
        suppressed=done.suppressed,
    )
    if done.held is not None:
        run.hold("flood", None, done.held)


def _finish(
    connection: Connection, run: Run, taken: Sequence[Any], customers: Customers, outcome: _Outcome, hints: Hints
) -> None:
    """Forgets the hints that were followed; of ids that no source knows, too."""
    if outcome.put_off:
        waits = {"retry_seconds": hints.retry_seconds, "longest_seconds": hints.retry_longest_seconds}
        parameters = waits | {"client_ids": sorted(outcome.put_off)}
        connection.execute(sql.statement("hints/put_off_hints"), parameters)
    known = set(connection.execute(sql.statement("hints/list_known_subjects"), customers.named).scalars())
    noted = [
        {"stream": stream, "owner_ids": owners, "now": run.now}
        for stream, owners in outcome.served(customers)
        if owners
    ]
    if noted:
        connection.execute(sql.statement("hints/note_owners_served"), noted)
    followed = [hint for hint in taken if not _is_put_off(hint, outcome.put_off)]
    for name, chosen in (
        ("read", [hint for hint in followed if hint["subject_id"] in known]),
        ("unknown", [hint for hint in followed if hint["subject_id"] not in known]),
    ):
        if chosen and outcome.read:
            connection.execute(sql.statement("hints/finish_hints"), _hint_arrays(chosen, outcome.read, name))
        run.counts[f"hints_{name}"] = sum(hint["hints"] for hint in chosen)


def _is_put_off(hint: Any, clients: Collection[int]) -> bool:
    return hint["kind"] == "client" and int(hint["subject_id"]) in clients


def _hint_arrays(hints: Sequence[Any], sources: Collection[Source], outcome: str) -> dict[str, Any]:
    return {
        "kinds": [hint["kind"] for hint in hints],
        "subject_ids": [hint["subject_id"] for hint in hints],
        "origins": [hint["origin"] for hint in hints],
        "numbers": [hint["hints"] for hint in hints],
        "sources": sorted(sources),
        "outcome": outcome,
    }
