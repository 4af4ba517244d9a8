"""Listening to Salesforce's events: each names a customer, which becomes a hint; what it says besides is not believed.

Each channel has a thread, and among all processes one that listens: who holds the channel's advisory lock. The hints of
a response and the replay id after it are one transaction on the lock's own connection, so a process that loses the lock
can no longer write.

**Lost events** (a replay id that Salesforce no longer knows, gaps, overflows, records whose account nobody knows) are
noted with the channel. Then `sync-salesforce` runs, which reads everything since its own cursor; meanwhile the stream
goes on from the newest event.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine

import sql
from config import logs
from config.errors import MeStatusError, SettingsError
from config.event_channels import EventChannel
from config.settings import Settings
from jobs.program import Program
from jobs.runs.ledger import ORDINARY
from jobs.runs.run import by_hand
from jobs.sources.errors import SourceError
from jobs.sources.salesforce.session import SalesforceSession

if TYPE_CHECKING:
    from jobs.sources.salesforce.events.decoding import Named
    from jobs.sources.salesforce.events.service import PubSub, Stream

NEEDED = ("grpc", "fastavro", "google.protobuf")
log = logs.get("events")


@dataclass(frozen=True)
class Pace:
    """How patient the listener is, in seconds.

    Salesforce says at least every 270 s that a stream lives. A pull waits a moment after the stream has started, so
    that nothing falls between the two, and pulls keep a distance. Waits after failures double, up to the longest.
    Between two looks at what is left of the day's deliveries an hour passes.
    """

    silence: float = 330.0
    first_wait: float = 1.0
    longest_wait: float = 300.0
    standby: float = 5.0
    before_pull: float = 3.0
    between_pulls: float = 60.0
    between_looks: float = 3600.0


PACE = Pace()


def require(settings: Settings) -> None:
    """Checks what listening needs. Raises SettingsError that names everything missing."""
    faults = []
    if not settings.event_channels:
        faults.append("SALESFORCE_EVENT_CHANNELS is not set; give channels such as /data/AccountChangeEvent")
    if missing := [name for name in NEEDED if not _is_there(name)]:
        faults.append(f"{', '.join(missing)} not installed; run pip install 'me-status[events]'")
    authority = settings.salesforce_event_ca_file
    if authority is not None and not authority.is_file():
        faults.append(f"SALESFORCE_EVENT_CA_FILE: no file at {authority}")
    try:
        settings.require("salesforce")
    except SettingsError as error:
        faults += error.faults
    if faults:
        raise SettingsError(faults)


def _is_there(name: str) -> bool:
    with suppress(ModuleNotFoundError):
        return find_spec(name) is not None
    return False


def check(program: Program) -> None:
    """Asks about every channel. Raises SettingsError naming those at fault, SourceError when it cannot be asked."""
    if faults := [fault for _, found in faults_of_channels(program) for fault in found]:
        raise SettingsError(faults)


def faults_of_channels(program: Program) -> Iterator[tuple[str, list[str]]]:
    """Each channel's topic, with what keeps it from being listened to. Raises SourceError when it cannot be asked."""
    session = SalesforceSession(program.settings, program.tables.schedule)
    with _closing(_service(program, session)) as service:
        for channel in program.settings.event_channels:
            yield channel.topic, service.faults(channel)


def listen(engine: Engine, program: Program, stop: threading.Event, pace: Pace = PACE) -> None:
    """Listens to every channel until `stop` is set. No failure ends it, and none of one channel touches another."""
    channels = program.settings.event_channels
    puller = _Puller(engine, program, [channel.topic for channel in channels], pace)
    followers = [_Follower(engine, program, channel, puller, pace, stop) for channel in channels]
    threads = [threading.Thread(target=follower.run, name=follower.channel.topic) for follower in followers]
    threads.append(threading.Thread(target=puller.run, args=(stop,), name="pull after lost events"))
    for thread in threads:
        thread.start()
    while not stop.wait(min(1.0, pace.silence / 4)):
        for follower in followers:
            follower.end_if_silent()
    for follower in followers:
        follower.end()
    for thread in threads:
        thread.join()


@contextmanager
def beside(program: Program, stop: threading.Event) -> Iterator[None]:
    """Listens in a thread while the block runs, which ends with `stop` set; does nothing where no channel is set."""
    if not program.settings.event_channels:
        yield
        return
    thread = threading.Thread(target=_listen_alone, args=(program, stop), name="events")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _listen_alone(program: Program, stop: threading.Event) -> None:
    with program.database() as engine:
        listen(engine, program, stop)


class _Puller:
    """Runs `sync-salesforce` when a channel calls for it: what it lost is read from the objects themselves."""

    def __init__(self, engine: Engine, program: Program, topics: list[str], pace: Pace) -> None:
        self._engine, self._program, self._topics, self._pace = engine, program, topics, pace
        self.called = threading.Event()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if self.called.wait(min(1.0, self._pace.standby)) and not stop.wait(self._pace.before_pull):
                self.called.clear()
                try:
                    if self._pull():
                        stop.wait(self._pace.between_pulls)
                except Exception as error:  # noqa: BLE001, the call for a pull stays in the table
                    log.warning("the pull after lost events failed", error=logs.describe(error))
                    self.called.set()
                    stop.wait(self._pace.between_pulls)

    def _pull(self) -> bool:
        """Pulls if a channel calls for it, and says whether one did. Raises MeStatusError when the run failed."""
        with self._engine.begin() as connection:
            asked = {"topics": self._topics}
            began_at = connection.execute(sql.statement("events/is_pull_called_for"), asked).scalar()
        if began_at is None:
            return False
        (report,) = by_hand(self._engine, self._program, "sync-salesforce", ORDINARY, None)
        if report.outcome not in ("succeeded", "held"):
            raise MeStatusError(report.error or f"sync-salesforce {report.outcome}")
        with self._engine.begin() as connection:
            connection.execute(sql.statement("events/note_pulled"), {"began_at": began_at})
        return True


@dataclass
class _Follower:
    """Follows one channel: its lock, its stream, its transactions."""

    engine: Engine
    program: Program
    channel: EventChannel
    puller: _Puller
    pace: Pace
    stop: threading.Event
    failures: int = 0
    heard: float = field(default_factory=time.monotonic)
    stream: Stream | None = None
    looked: float = float("-inf")

    def run(self) -> None:
        """Again and again until stopped: wait for the lock, open the stream, note what comes."""
        while not self.stop.is_set():
            try:
                with self._alone() as connection:
                    if connection is None:
                        self.stop.wait(self.pace.standby)
                        continue
                    self._follow(connection)
            except Exception as error:  # noqa: BLE001, a channel is never given up, and stops nothing else
                if not self.stop.is_set():
                    self._note_failure(error)
                    self.stop.wait(self._next_wait())

    def end_if_silent(self) -> None:
        """Ends a stream that said nothing for longer than Salesforce lets pass; it is then opened again."""
        if self.stream is not None and time.monotonic() - self.heard > self.pace.silence:
            log.warning("no word from the stream; it is opened again", topic=self.channel.topic)
            self.end()

    def end(self) -> None:
        if stream := self.stream:
            stream.cancel()

    @contextmanager
    def _alone(self) -> Iterator[Connection | None]:
        """A connection that holds the channel's lock until the block ends; None while another process has it."""
        name = f"me-status events {self.channel.topic}"
        with self.engine.connect() as connection:
            with connection.begin():
                is_alone = connection.execute(sql.statement("ledger/try_session_lock"), {"name": name}).scalar_one()
            try:
                yield connection if is_alone else None
            finally:
                connection.invalidate()  # closes it, and so gives the lock back whatever state it is in

    def _follow(self, connection: Connection) -> None:
        from jobs.sources.salesforce.events.service import ReplayIdLostError, SessionEndedError

        with connection.begin():
            replay_id = self._execute(connection, "open_event_channel").scalar_one()
        session = SalesforceSession(self.program.settings, self.program.tables.schedule)
        with _closing(_service(self.program, session)) as service:
            while not self.stop.is_set():
                try:
                    self._read(connection, service, session, replay_id)
                except ReplayIdLostError as error:
                    log.warning("events were lost", topic=self.channel.topic, error=str(error))
                    with connection.begin():
                        self._execute(connection, "forget_replay_id")
                    replay_id = None
                except SessionEndedError:
                    if self.failures:
                        raise
                    self.failures = 1
                    session.renew(session.token)
                    with connection.begin():
                        replay_id = self._execute(connection, "open_event_channel").scalar_one()

    def _read(
        self, connection: Connection, service: PubSub, session: SalesforceSession, replay_id: bytes | None
    ) -> None:
        self.heard = time.monotonic()
        self.stream = stream = service.subscribe(self.channel.topic, replay_id)
        self.puller.called.set()
        if self.stop.is_set():
            stream.cancel()
        for response in stream:
            self.heard = time.monotonic()
            self._note(connection, service, response)
            self.failures = 0
            if response.pending_num_requested == 0:
                stream.more()
            self._look_at_deliveries(connection, session)

    def _note(self, connection: Connection, service: PubSub, response: Any) -> None:
        """The hints of a response's events and the replay id after them, together."""
        found, broken = _named(self.channel, service, response.events)
        with connection.begin():
            self._add_owners(connection, found)
            if found.accounts:
                hints = {"account_ids": sorted(found.accounts), "client_ids": [], "origin": "salesforce"}
                connection.execute(sql.statement("hints/insert_hints"), hints)
            self._execute(
                connection, "note_events",
                replay_id=response.events[-1].replay_id if response.events else response.latest_replay_id,
                events=len(response.events), broken=broken, is_lost=found.is_lost,
            )  # fmt: skip
        if found.is_lost:
            self.puller.called.set()

    def _look_at_deliveries(self, connection: Connection, session: SalesforceSession) -> None:
        """Notes what is left of the day's deliveries. That it cannot be asked is no reason to end the stream."""
        if time.monotonic() - self.looked < self.pace.between_looks:
            return
        self.looked = time.monotonic()
        try:
            used = session.event_deliveries()
        except SourceError as error:
            log.warning("the day's deliveries cannot be asked", topic=self.channel.topic, error=str(error))
            return
        left = {} if used is None else {"remaining": used.total - used.used, "total": used.total}
        with connection.begin():
            self._execute(connection, "note_deliveries", **({"remaining": None, "total": None} | left))

    def _add_owners(self, connection: Connection, found: Named) -> None:
        """The accounts of orders and cases, as far as the snapshot knows them; a pull finds the others."""
        if not found.records:
            return
        known = connection.execute(
            sql.statement("events/list_owners_of_records"), {"record_ids": sorted(found.records)}
        ).all()
        owners: dict[str, str | None] = {row.record_id: row.account_id for row in known}
        found.accounts |= {account for account in owners.values() if account is not None}
        found.is_lost = found.is_lost or len(owners) < len(found.records)

    def _execute(self, connection: Connection, name: str, **parameters: object) -> Any:
        return connection.execute(sql.statement(f"events/{name}"), {"topic": self.channel.topic} | parameters)

    def _note_failure(self, error: Exception) -> None:
        described = logs.describe(error)
        log.warning("the stream ended", topic=self.channel.topic, error=described)
        with suppress(Exception), self.engine.begin() as connection:
            self._execute(connection, "note_channel_failed", error=described)

    def _next_wait(self) -> float:
        """Doubled with each failure in a row, and never the same for two processes."""
        wait: float = min(self.pace.longest_wait, self.pace.first_wait * 2**self.failures)
        self.failures = min(self.failures + 1, 20)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311, no secret


def _named(channel: EventChannel, service: PubSub, events: Any) -> tuple[Named, int]:
    """What the events name, and how many of them could not be read."""
    from jobs.sources.salesforce.events.decoding import Named, named

    found, broken = Named(), 0
    for event in events:
        try:
            found.add(named(channel, service.schema(event.event.schema_id), event.event.payload))
        except ValueError as error:
            broken += 1
            log.warning("an event was passed over", topic=channel.topic, error=str(error))
    return found, broken


def _service(program: Program, session: SalesforceSession) -> PubSub:
    from jobs.sources.salesforce.events.service import PubSub

    return PubSub(program.settings, session)


@contextmanager
def _closing(service: PubSub) -> Iterator[PubSub]:
    try:
        yield service
    finally:
        service.close()
