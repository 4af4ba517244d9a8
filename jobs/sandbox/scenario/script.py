"""What happens to a population over some days: a script of events, and the instants at which the jobs run.

The stories (`stories`) make every notification type but the operator's announcement, and every task, happen on
any number of days from 1; daily business (`business`) goes on around them and grows mildly with the size.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from jobs.sandbox.population import Population
from jobs.sandbox.scenario import business, stories
from jobs.sandbox.scenario.cast import Apply

MOST_DAYS = 30
FIRST_DAY = (time(9, 0), time(9, 20), time(9, 40), time(10, 0), time(18, 0))
FURTHER_DAYS = (time(9, 0), time(13, 0), time(18, 0))
BEFORE_A_RUN = timedelta(minutes=5)


@dataclass(frozen=True)
class Event:
    """Something that happens in the sources at an instant (aware UTC); `says` is it in plain words."""

    at: datetime
    apply: Apply
    says: str


def events(population: Population, days: int) -> list[Event]:
    """The script in order of time; the same for the same population and days.

    Those before the first run instant set the scene. Raises ValueError unless there are 1 to 30 days.
    """
    runs = run_instants(population, days)
    happening = [
        Event(runs[beat.run] - BEFORE_A_RUN, beat.apply, beat.says)
        for beat in (
            *stories.beats(population, len(runs)),
            *business.beats(population, [first_run_of(day) for day in range(days)]),
        )
    ]
    return sorted(happening, key=lambda event: event.at)


def run_instants(population: Population, days: int) -> list[datetime]:
    """When the jobs run: five times on the first day, three times on each further one (aware UTC).

    Raises ValueError unless there are 1 to 30 days.
    """
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"the script has 1 to {MOST_DAYS} days, not {days}")
    return [
        datetime.combine(population.start + timedelta(days=day), at, population.zone).astimezone(UTC)
        for day in range(days)
        for at in (FURTHER_DAYS if day else FIRST_DAY)
    ]


def first_run_of(day: int) -> int:
    """The index of the first run of a day (from 0); of the first day the one after the baseline."""
    return len(FIRST_DAY) + (day - 1) * len(FURTHER_DAYS) if day else 1
