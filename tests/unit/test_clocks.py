"""Libraries that read the clock, APScheduler and PyJWT, while it jumps, sleeps and changes to summer time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import freezegun
import jwt
import pytest
from apscheduler.schedulers.base import BaseScheduler
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from config.schedule import JobTiming
from jobs.runs.scheduler import OFFERS, SlotTrigger
from readapi.keys import SharedKey
from readapi.problems import Problem
from readapi.tokens import Tokens

freezegun.configure(extend_ignore_list=["_pytest.timing"])  # how long a test took is read off the real clock
BERLIN = ZoneInfo("Europe/Berlin")
EVERY_5 = JobTiming(every=5)
KEY = "a shared key of the tests, 32 bytes or more"
ALICE = "001000000000001AAA"


class ByHand(BaseScheduler):  # type: ignore[misc]
    """APScheduler without a thread of its own: it looks at the clock when it is told to."""

    def wakeup(self) -> None:
        """Nobody sleeps."""

    def shutdown(self, wait: bool = True) -> None:
        super().shutdown(wait)

    def look(self) -> None:
        self._process_jobs()


class Offered:
    """A scheduler set up as the product's, and the instants at which it offered a slot."""

    def __init__(self, clock: FrozenDateTimeFactory, timing: JobTiming, zone: ZoneInfo) -> None:
        self.clock, self.timing, self.zone = clock, timing, zone
        self.at: list[datetime] = []
        self.scheduler = ByHand(timezone=UTC, job_defaults=OFFERS)
        self.scheduler.add_executor("debug")
        self.add()
        self.scheduler.start()
        self.scheduler.look()

    def add(self) -> None:
        """As at the start, and after the clock stepped."""
        trigger = SlotTrigger(self.timing, self.zone)
        offer: Callable[[], None] = lambda: self.at.append(datetime.now(UTC))  # noqa: E731
        self.scheduler.add_job(offer, trigger, id="job", replace_existing=True)

    def look_at(self, instant: str) -> list[str]:
        """The clock is moved there; what was offered then."""
        self.clock.move_to(instant)
        before = len(self.at)
        self.scheduler.look()
        return [f"{offered:%H:%M}" for offered in self.at[before:]]


@pytest.fixture
def offered() -> Iterator[Callable[..., Offered]]:
    """Starts one at an instant, in UTC."""
    with freeze_time("2026-03-01 00:00") as clock:

        def started(instant: str, timing: JobTiming, zone: ZoneInfo = BERLIN) -> Offered:
            clock.move_to(instant)
            return Offered(clock, timing, zone)

        yield started


def test_a_machine_that_slept_for_a_day_offers_one_slot_and_not_a_day_of_them(offered):
    """The slot it woke in; the next one is the next."""
    schedule = offered("2026-03-01 12:00:10", EVERY_5)
    assert ["12:07"] == schedule.look_at("2026-03-02 12:07")
    assert [] == schedule.look_at("2026-03-02 12:09:59")
    assert ["12:10"] == schedule.look_at("2026-03-02 12:10")


def test_after_a_clock_was_set_back_slots_go_on_at_once(offered):
    """The scheduler counts anew when it sees the step, else it would wait for the hour to come again."""
    schedule = offered("2026-03-01 12:00:10", EVERY_5)
    assert [] == schedule.look_at("2026-03-01 11:03")
    schedule.add()
    assert ["11:03"] == schedule.look_at("2026-03-01 11:03")
    assert ["11:05"] == schedule.look_at("2026-03-01 11:05")


def test_after_a_clock_was_set_ahead_one_slot_is_offered(offered):
    """An hour that never was brings no backlog."""
    schedule = offered("2026-03-01 12:00:10", EVERY_5)
    assert ["13:01"] == schedule.look_at("2026-03-01 13:01")
    schedule.add()
    assert ["13:01"] == schedule.look_at("2026-03-01 13:01:30")[:1]
    assert ["13:05"] == schedule.look_at("2026-03-01 13:05")


@pytest.mark.parametrize(
    ("day", "slot"),
    [
        pytest.param("2026-03-29", "01:00", id="02:30 does not come: at the change"),
        pytest.param("2026-10-25", "00:30", id="02:30 comes twice: the first time"),
        pytest.param("2026-06-01", "00:30", id="an ordinary day"),
    ],
)
def test_a_nightly_slot_comes_once_on_the_days_the_clocks_change(offered, day, slot):
    """Berlin, 02:30, looked at every ten minutes of the day, in UTC."""
    start = datetime.fromisoformat(f"{day} 00:00").replace(tzinfo=BERLIN).astimezone(UTC)
    schedule = offered(f"{start:%Y-%m-%d %H:%M}", JobTiming(cron="30 2 * * *"))
    instants = [start + timedelta(minutes=10 * step) for step in range(1, 23 * 6)]
    offers = [offer for instant in instants for offer in schedule.look_at(f"{instant:%Y-%m-%d %H:%M}")]
    assert [slot] == offers


@pytest.mark.parametrize(
    ("instant", "is_let_in"),
    [("12:59:59", True), ("13:00:01", False), ("11:59:45", True), ("11:58:00", False)],
)
def test_a_token_holds_from_nbf_to_exp_by_this_machines_clock(instant, is_let_in):
    """PyJWT reads the clock: nbf with a leeway for clocks that differ, exp with none."""
    start = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    token = jwt.encode({"sub": ALICE, "nbf": start, "exp": start + 3600}, KEY, "HS256")
    with freeze_time(f"2026-03-01 {instant}"):
        tokens = Tokens(SharedKey(KEY), clock=lambda: time.time())
        if is_let_in:
            assert ALICE == tokens.subject(f"Bearer {token}")
        else:
            with pytest.raises(Problem):
                tokens.subject(f"Bearer {token}")


def test_a_remembered_token_ends_with_its_hour_and_not_before() -> None:
    """Verified once, it is not verified again, but its end is looked at each time, also when the clock is set back."""
    with freeze_time("2026-03-01 12:00") as clock:
        tokens = Tokens(SharedKey(KEY), clock=lambda: time.time())
        authorization = f"Bearer {jwt.encode({'sub': ALICE, 'exp': time.time() + 3600}, KEY, 'HS256')}"
        assert ALICE == tokens.subject(authorization)
        clock.move_to("2026-03-01 12:59:59")
        assert ALICE == tokens.subject(authorization)
        clock.move_to("2026-03-01 13:00:00")
        with pytest.raises(Problem):
            tokens.subject(authorization)
