"""Whether the snapshot is equal to its sources: counts of both sides compared, and how far each stream is proved.

Complete pulls prove a stream, too (see `shrink_gate`); an incremental one does not. What differs stops the instant
where it is, until a later comparison or complete pull finds both sides equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

import sql
from config.database import Database
from config.settings import Settings
from config.tables import Tables
from jobs.sources.counts import Counted, SourceCounts
from jobs.sources.salesforce import counts as salesforce_counts
from jobs.sources.salesforce.rows import salesforce_streams
from jobs.sources.salesforce.session import SalesforceSession
from jobs.sources.whmcs import counts as whmcs_counts
from jobs.sources.whmcs.rows import whmcs_streams
from jobs.sources.whmcs.transport import WhmcsTransport
from materializer.snapshot import set_aside, store
from materializer.snapshot.pulls import StreamState
from materializer.snapshot.streams import STREAMS, Source

Verdict = Literal["equal", "differs", "undecided"]
COMPARED: dict[Source, tuple[str, ...]] = {
    "salesforce": ("account", "order", "case"),
    "whmcs": ("client", "service", "invoice", "cancellation"),
}
"""Pay methods are not among them: WHMCS counts them client by client."""
SAMPLES = 12
"""Buckets listed of each stream that differs."""


@dataclass(frozen=True)
class Difference:
    """One bucket: the rows of both sides, and their latest stamps where these are what differs."""

    bucket: str
    source: int
    snapshot: int
    source_newest: datetime | None = None
    snapshot_newest: datetime | None = None


@dataclass(frozen=True)
class Proof:
    """How one stream compares. `why` says what follows for whoever reads it; None when both sides are equal."""

    stream: str
    verdict: Verdict
    pulled_at: datetime | None
    differences: tuple[Difference, ...] = ()
    why: str | None = None


def prove(database: Database, settings: Settings, tables: Tables, source: Source, now: datetime) -> list[Proof]:
    """Asks the source for counts (12 calls at most), compares, and keeps the outcome. Raises SourceError."""
    with database.begin() as connection:
        states = store.stream_states(connection)
    compare = _salesforce if source == "salesforce" else _whmcs
    proofs = list(compare(database, settings, tables, states))
    with database.begin() as connection:
        for proof in proofs:
            _note(connection, proof, now)
    return proofs


def compared(stream: str, state: StreamState, source: SourceCounts, known: Mapping[str, Counted], unread: int) -> Proof:
    """The verdict on one stream, of which `unread` records are set aside.

    More at the source than known, beyond those or what may have moved, is a loss. Fewer, or as many in other buckets,
    is one only where the source names what moved (Salesforce); elsewhere a later pull decides.
    """
    if set(source.buckets) == {"all"}:
        known = {"all": Counted(sum(counted.rows for counted in known.values()))}
    differences = tuple(_differing(source.buckets, known))
    more = sum(max(one.source - one.snapshot, 0) for one in differences)
    fewer = sum(max(one.snapshot - one.source, 0) for one in differences)
    is_exact = STREAMS[stream].source == "salesforce"
    lost = more - unread if is_exact else more - fewer - unread
    wrong = fewer + sum(one.source == one.snapshot for one in differences) if is_exact else 0
    if max(lost, wrong) > source.uncertain:
        return Proof(stream, "differs", state.synced_at, differences, "run the sync with --full to read it all again")
    if not more and not wrong and not fewer:
        return Proof(stream, "equal", state.synced_at)
    if is_exact and not source.uncertain and not wrong:
        return Proof(stream, "equal", state.synced_at, why=f"but for {more} set aside")
    if more <= unread and not fewer:
        return Proof(stream, "equal", state.synced_at, why=f"but for {more} set aside")
    return Proof(
        stream, "undecided", state.synced_at, differences, "it moves, or a change was missed; ask again after a sync"
    )


def _differing(source: Mapping[str, Counted], known: Mapping[str, Counted]) -> Iterator[Difference]:
    nothing = Counted(0)
    for bucket in sorted({*source, *known}):
        there, here = source.get(bucket, nothing), known.get(bucket, nothing)
        if there.rows != here.rows:
            yield Difference(bucket, there.rows, here.rows)
        elif there.newest is not None and there.newest != here.newest:
            yield Difference(bucket, there.rows, here.rows, there.newest, here.newest)


# Both sides -----------------------------------------------------------------------------------------------------------


def _salesforce(
    database: Database, settings: Settings, tables: Tables, states: Mapping[str, StreamState]
) -> Iterator[Proof]:
    session = SalesforceSession(settings, tables.schedule)
    overlap = timedelta(minutes=tables.schedule.salesforce.overlap_minutes)
    streams = salesforce_streams(tables.mapping)
    for name in COMPARED["salesforce"]:
        state, sobject = states.get(name), streams[name].sobject
        if state is None:
            yield _never_pulled(name)
            continue
        pulled_at = state.source_time or state.cursor_at
        until = None if pulled_at is None else pulled_at - overlap
        counts = salesforce_counts.count(session, sobject, until)
        proof = _beside_snapshot(database, state, counts)
        if proof.verdict == "differs" and until is not None:
            counts = salesforce_counts.again(session, sobject, until, counts)
            proof = _beside_snapshot(database, state, counts)
        yield proof


def _whmcs(
    database: Database, settings: Settings, tables: Tables, states: Mapping[str, StreamState]
) -> Iterator[Proof]:
    streams = whmcs_streams(settings.whmcs_zone)
    with closing(WhmcsTransport(settings, tables.schedule)) as transport:
        for name in COMPARED["whmcs"]:
            state = states.get(name)
            if state is None:
                yield _never_pulled(name)
                continue
            with database.begin() as connection:
                rows, highest = connection.execute(sql.statement("snapshot/read_known_stream"), {"stream": name}).one()
            yield _beside_snapshot(database, state, whmcs_counts.count(transport, streams[name], highest, rows))


def _never_pulled(stream: str) -> Proof:
    return Proof(stream, "differs", None, why=f"it was never pulled; run sync-{STREAMS[stream].source}")


def _beside_snapshot(database: Database, state: StreamState, source: SourceCounts) -> Proof:
    stream = STREAMS[state.stream]
    parameters: dict[str, Any] = {"stream": stream.name}
    if stream.source == "salesforce":
        parameters["moved"] = sorted(source.moved)
    with database.begin() as connection:
        rows = connection.execute(sql.statement(f"proof/count_{stream.source}_rows"), parameters).all()
        unread = len(set_aside.ids(connection, stream) - source.moved)
    known = {row.bucket: Counted(row.records, row.newest) for row in rows}
    return compared(stream.name, state, source, known, unread)


def _note(connection: Connection, proof: Proof, now: datetime) -> None:
    differences = [as_json(difference) for difference in proof.differences[:SAMPLES]]
    parameters = {
        "stream": proof.stream,
        "through": proof.pulled_at,
        "checked_at": now,
        "verdict": proof.verdict,
        "differences": json.dumps(differences),
    }
    connection.execute(sql.statement("proof/note_stream_checked"), parameters)


def as_json(difference: Difference) -> dict[str, Any]:
    """A difference as it is printed and stored."""
    written = {"bucket": difference.bucket, "source": difference.source, "snapshot": difference.snapshot}
    if difference.source_newest is None and difference.snapshot_newest is None:
        return written
    newest = {"sourceNewest": difference.source_newest, "snapshotNewest": difference.snapshot_newest}
    return written | {name: None if at is None else at.isoformat() for name, at in newest.items()}
