"""The state machine: anything happens in the sources, any job runs, time goes on; product and model must agree."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import Engine, text

from config import fields, notifications, schedule, tasks, wording
from config.database import LiveDatabase, rehearsal
from config.schedule import ShadowCheck
from config.tables import Tables
from jobs.runs import ledger, prune, sync
from jobs.runs.ledger import RunOptions
from jobs.sources.errors import CredentialsError, SourceError, TransientError
from materializer.refresh import outbox, read_model, rebuild, refresh, shadow
from materializer.rules.rules import Rules
from materializer.snapshot import shrink_gate
from materializer.snapshot.pulls import Pulled, StreamState
from materializer.units import At, Batching
from tests.builders import LIMITS
from tests.integration.truth.comparing import EMPTIED, agree_on_documents, agree_on_notifications
from tests.integration.truth.deliveries import SALESFORCE, WHMCS, Delivery
from tests.integration.truth.feeding import Feed
from tests.integration.truth.reference import Reference
from tests.integration.truth.world import SALESFORCE_EVENTS, WHMCS_EVENTS, World

ZONES = (
    "UTC",
    "Asia/Tokyo",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Pacific/Kiritimati",
    "Asia/Kathmandu",
)
STARTS = (
    datetime(2028, 2, 27, 23, 30, tzinfo=UTC),
    datetime(2026, 3, 28, 21, 0, 0, 500_000, tzinfo=UTC),
    datetime(2026, 4, 3, 20, 59, 59, tzinfo=UTC),
    datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 12, 31, 12, tzinfo=UTC),
    datetime(2027, 9, 4, 3, 59, 59, tzinfo=UTC),
    datetime(2027, 4, 23, 21, tzinfo=UTC),
)
PASSING = {
    "a second": timedelta(seconds=1),
    "ten minutes": timedelta(minutes=10),
    "just less than an hour": timedelta(hours=1, microseconds=-1),
    "an hour": timedelta(hours=1),
    "just more than an hour": timedelta(hours=1, seconds=1),
    "just less than a day": timedelta(days=1, microseconds=-1),
    "a day": timedelta(days=1),
    "a week": timedelta(days=7),
    "a month": timedelta(days=31),
    "four months": timedelta(days=120),
}
FAULTS = (
    "none",
    "none",
    "none",
    "none",
    "none",
    "down",
    "credentials",
    "set_aside",
    "incomplete",
    "omitted",
    "unconfirmed",
)
SETTINGS = {"shrink_percent": 30, "shrink_rows": 2, "flood_floor": 1, "invoice_steps": (), "then_every_days": 7}
OFTEN = {
    "salesforce_changes": 7,
    "whmcs_changes": 7,
    "time_passes": 2,
    "time_passes_to_a_change": 2,
    "syncs": 2,
    "refreshes": 1,
    "runs_all": 3,
    "rebuilds": 1,
    "runs_a_quiet_job": 1,
    "decides_a_hold": 1,
    "announces": 1,
}
LEADS = (timedelta(microseconds=-1), timedelta(0), timedelta(hours=3))
EVERYBODY = ShadowCheck(customers=1000, hours=24)
DICE = st.integers(0, 2**24 - 1)


@dataclass
class Tally:
    """What the machines of one test function did."""

    steps: int = 0
    done: Counter[str] = field(default_factory=Counter)


class Truth(RuleBasedStateMachine):
    """One history; after steps that touch the database product and model are compared."""

    def __init__(self, engine: Engine, tally: Tally) -> None:
        super().__init__()
        self.engine = engine
        self.tally = tally
        self.database = LiveDatabase(engine)

    def teardown(self) -> None:
        with suppress(AttributeError):
            del self.world

    # The beginning ----------------------------------------------------------------------------------------------------

    @initialize(
        dice=DICE,
    )
    def begin(self, dice: int) -> None:
        """A few accounts and clients, applied whole and notified of: the baseline."""
        thrown = Random(dice)
        zone, server_zone = ZoneInfo(thrown.choice(ZONES)), ZoneInfo(thrown.choice(ZONES))
        start, link, has_steps = thrown.choice(STARTS), thrown.choice(("account", "account", "client")), dice % 3 == 0
        note(f"business time {zone}, server time {server_zone}, link held by {link}, steps {has_steps}")
        with self.engine.begin() as connection:
            connection.execute(text(EMPTIED))
        self.now = start
        settings = SETTINGS | ({"invoice_steps": (3, 1, 0)} if has_steps else {})
        self.world = World(start, zone, server_zone, link)
        self.model = Reference(zone, server_zone, settings)
        self.tables = tables_for(settings, link)
        self.rules_in_force = Rules(self.tables.notifications, self.tables.tasks, zone, self.tables.wording)
        self.feed = Feed(self.tables.mapping, server_zone)
        for event in (World.account, World.client, World.invoice, World.service, World.card, World.order):
            for pick in range(4):
                event(self.world, pick, thrown.randrange(64))
        self.sync("salesforce", False, "none", 0, False)
        self.sync("whmcs", False, "none", 0, False)
        self.refresh()

    @rule(dice=DICE)
    def happens(self, dice: int) -> None:
        """One step, all of it described by one number: steps can then be left out without changing the others."""
        thrown = Random(dice)
        (what,) = thrown.choices(list(OFTEN), list(OFTEN.values()))
        getattr(self, what)(thrown)

    # What people do ---------------------------------------------------------------------------------------------------

    def salesforce_changes(self, dice: Random) -> None:
        self._change(SALESFORCE_EVENTS, dice)

    def whmcs_changes(self, dice: Random) -> None:
        self._change(WHMCS_EVENTS, dice)

    def _change(self, events: dict[str, Any], dice: Random) -> None:
        what, pick, value = dice.choice(sorted(events)), dice.randrange(6), dice.randrange(64)
        events[what](self.world, pick, value)
        self.stepped(what, pick, value)

    def time_passes(self, dice: Random) -> None:
        how = dice.choice(list(PASSING))
        self._move_to(self.now + PASSING[how])
        self.stepped("time passes", how)

    def time_passes_to_a_change(self, dice: Random) -> None:
        """Just before, at, or a little after the moment some document is said to change, or a reminder to come."""
        lead = dice.choice(LEADS)
        with self.engine.connect() as connection:
            found = connection.execute(
                text(
                    "select next_change_at from me_status where next_change_at is not null"
                    " union select next_notification_at from me_status where next_notification_at is not null"
                    " order by 1"
                )
            )
            moments = [at for at in found.scalars() if at + lead >= self.now]
        if moments:
            self._move_to(dice.choice(moments) + lead)
        self.stepped("time passes to a change", lead)

    def _move_to(self, moment: datetime) -> None:
        self.now = self.world.now = moment

    # Jobs -------------------------------------------------------------------------------------------------------------

    def syncs(self, dice: Random) -> None:
        source, full, fault = dice.choice(("salesforce", "whmcs")), dice.random() < 0.4, dice.choice(FAULTS)
        where, accept = dice.randrange(5), dice.random() < 0.2
        self.stepped(f"sync-{source}", full, fault, where, accept)
        self.sync(source, full, fault, where, accept)
        self.told_alike()

    def refreshes(self, dice: Random) -> None:
        self.stepped("refresh")
        self.refresh()
        self.told_alike()
        self.documents_alike()

    def runs_all(self, dice: Random) -> None:
        """`run all`: both syncs, one of them perhaps failing, then the refresh."""
        full, fault, where = dice.random() < 0.3, dice.choice(FAULTS), dice.randrange(10)
        self.stepped("run all", full, fault, where)
        self.sync("salesforce", full, fault if where % 2 else "none", where // 2, False)
        self.sync("whmcs", full, "none" if where % 2 else fault, where // 2, False)
        self.refresh()
        self.told_alike()
        self.documents_alike()

    def rebuilds(self, dice: Random) -> None:
        accounts = sorted(self.model.tables["account"])
        customer = dice.choice(accounts) if dice.random() < 0.5 and accounts else None
        self.stepped("rebuild", customer)
        only = None if customer is None else self._with(customer)
        with ledger.started(self.engine, "rebuild", now=self.now) as run:
            rebuild.rebuild(run.database, self.rules_in_force, run.at, Batching(2), customer=customer)
        self.model.rebuild(only)
        self.told_alike()
        self.documents_alike(only=customer)

    def _with(self, customer: str) -> set[str]:
        """The customer, and where something changed hands, all those whose documents stay together."""
        with self.engine.connect() as connection:
            together = read_model.changing_hands(connection)
        return {customer, *together} if customer in together else {customer}

    def runs_a_quiet_job(self, dice: Random) -> None:
        job = dice.choice(("prune", "rehearsed refresh", "rebuild report"))
        self.stepped(job)
        if job == "prune":
            with ledger.started(self.engine, "prune", now=self.now) as run:
                prune.prune(run.database, self.tables.schedule.retention_days, now=self.now, flood_days=35)
            self.model.prune(self.now)
        elif job == "rehearsed refresh":
            with rehearsal(self.engine) as practice, ledger.rehearsed(practice, "refresh", now=self.now) as run:
                self._refresh(run)
        else:
            rebuild.forecast(self.database, self.rules_in_force, self.now)
        self.told_alike()

    def decides_a_hold(self, dice: Random) -> None:
        """What a gate stopped goes on or is dropped; deciding again changes nothing."""
        action = dice.choice(("release", "discard", "release"))
        held = sorted([*self.model.flood_holds, *self.model.shrink_holds])
        self.stepped("decide", action, len(held))
        if not held:
            return
        run_id = dice.choice(held)
        is_flood = run_id in self.model.flood_holds
        for _ in range(dice.randint(1, 2)):
            self._decide(action, run_id, is_flood)
        if is_flood and action == "release":
            self.model.release_flood(run_id, self.now)
        elif is_flood:
            self.model.discard_flood(run_id, self.now)
        elif action == "release":
            self.model.release_shrink(run_id)
        else:
            del self.model.shrink_holds[run_id]
        self.tally.done[f"{'flood' if is_flood else 'shrink'} {action}"] += 1
        self.told_alike()

    def _decide(self, action: str, run_id: int, is_flood: bool) -> None:
        if not is_flood:
            (shrink_gate.release if action == "release" else shrink_gate.discard)(self.database, At(run_id, self.now))
        elif action == "release":
            outbox.release(self.database, At(run_id, self.now))
        else:
            outbox.discard(self.database, At(run_id, self.now))

    def announces(self, dice: Random) -> None:
        """To all, or to a list that has merged and unknown accounts on it."""
        everybody, confirmed = dice.random() < 0.5, dice.random() < 0.5
        self.stepped("announce", everybody, confirmed)
        listed = (
            None if everybody else [*sorted(self.model.redirects), *sorted(self.model.rows)[:2], "001000000000999AAA"]
        )
        with ledger.started(self.engine, "announce", now=self.now) as run:
            works = outbox.Announcement("Works", "On {Sunday}", customers=listed)
            outbox.announce(run.database, self.rules_in_force, works, run.at, confirmed=confirmed)
        self.model.announce(listed, run.run_id, self.now, confirmed)
        self.told_alike()

    # How jobs run on both sides ---------------------------------------------------------------------------------------

    def sync(self, source: str, full: bool, fault: str, where: int, accept: bool) -> None:
        """One sync of both sides; `where` is the stream a fault strikes."""
        names = SALESFORCE if source == "salesforce" else WHMCS
        struck = names[where % len(names)]
        taken: list[tuple[Delivery, list[Any], int]] = []

        def pull(name: str, state: StreamState | None) -> Pulled:
            if name == struck and fault in ("set_aside", "credentials"):
                raise (CredentialsError if fault == "credentials" else TransientError)(f"{source}: no {name}")
            own = fault if name == struck or fault == "unconfirmed" else "none"
            delivery = self.world.pull(name, state, full=full, fault=own)
            had = self.model.known_before(delivery)
            taken.append((delivery, self.model.take(delivery, self.now), had))
            return self.feed.pulled(delivery)

        run_id = self._sync_product(source, names, fault, accept, pull)
        if fault == "down":
            return
        self.model.apply_removals(source, taken, run_id, accept)
        if run_id in self.model.shrink_holds:
            self.tally.done["shrink hold"] += 1

    def _sync_product(self, source: Any, names: Any, fault: str, accept: bool, pull: Any) -> int:
        run_id = 0
        options = RunOptions(accept_shrink=accept)
        with suppress(SourceError), ledger.started(self.engine, f"sync-{source}", now=self.now, options=options) as run:
            run_id = run.run_id
            job = sync.SourceSync(run, self.tables, source, None)
            if fault == "down":
                error = TransientError(f"{source} does not answer")
                sync.note_failure(run, source, error)
                raise error
            job.apply_streams(names, pull)
            job.apply_removals()
            unexpected = [error for error in job.failures.values() if "unexpected" in str(error)]
            assert not unexpected, unexpected
            job.finish("00D000000000001AAA" if source == "salesforce" else None)
        return run_id

    def refresh(self) -> None:
        with ledger.started(self.engine, "refresh", now=self.now) as run:
            done = self._refresh(run)
            shadowed = shadow.check(run.database, self.rules_in_force, run.at, EVERYBODY)
            if done.held is not None:
                run.hold("flood", None, done.held)
        self.model.refresh(run.run_id, self.now)
        assert (run.run_id in self.model.flood_holds) == (done.held is not None)
        self.tally.done["flood hold"] += done.held is not None
        self.tally.done["shadow checks"] += shadowed.checked
        assert 0 == shadowed.differing

    def _refresh(self, run: ledger.Run) -> refresh.Refreshed:
        return refresh.refresh(run.database, self.rules_in_force, run.at, LIMITS, Batching(2))

    # Comparing --------------------------------------------------------------------------------------------------------

    def stepped(self, what: str, *how: object) -> None:
        note(f"{self.now.isoformat()} {what} {' '.join(map(str, how))}")
        self.tally.steps += 1
        self.tally.done[what] += 1

    def told_alike(self) -> None:
        agree_on_notifications(self.engine, self.model)

    def documents_alike(self, only: str | None = None) -> None:
        agree_on_documents(self.engine, self.model, self.rules_in_force, self.now, only)


def tables_for(settings: dict[str, Any], link: str) -> Tables:
    """The packaged data files with small windows, and gates that a handful of customers can trip."""
    packaged = notifications.load()
    due = {"steps": settings["invoice_steps"], "then_every_days": settings["then_every_days"]}
    types = packaged.types | {"INVOICE_DUE": packaged.types["INVOICE_DUE"].model_copy(update=due)}
    gate = packaged.flood_gate.model_copy(update={"floor": settings["flood_floor"]})
    timing = schedule.load()
    shrink = {"percent": settings["shrink_percent"], "rows": settings["shrink_rows"]}
    sizes = {
        "limits": timing.limits.model_copy(update={"window_rows": 7}),
        "shrink_gate": timing.shrink_gate.model_copy(update=shrink),
    }
    mapping = fields.load()
    rule = mapping.link.model_copy(update={"held_by": link, "client_custom_field": 3})
    return Tables(
        mapping.model_copy(update={"link": rule}),
        packaged.model_copy(update={"types": types, "flood_gate": gate}),
        tasks.load(),
        timing.model_copy(update=sizes),
        wording.load(),
    )
