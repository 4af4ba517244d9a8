"""What a refresh also does, against the refresh without it: the shadow check, and the history of what was served."""

from __future__ import annotations

import math
from unittest import mock

from config import schedule
from config.schedule import ShadowCheck
from materializer.refresh import served_history, shadow
from materializer.units import At
from tests.benchmarks.bench import Bench
from tests.benchmarks.ground import NOW, Ground, filled, run_ids, timed
from tests.benchmarks.measured import Measured, at_most, of_rounds
from tests.benchmarks.refresh import change

MINUTES_OF_A_DAY = 1440
NOTE_SHADOW = (
    "1 % of the customers marked, a refresh each minute: so many documents are checked in each that everybody's turn "
    "comes within a day. What bounds it: those are 1 for every 14 refreshed, read and computed once more"
)
NOTE_HISTORY = (
    "each document of the refresh has changed, so that each gets a version; without: the versions are not written. "
    "What bounds it: for each document one version ends and one begins, in a table with three indexes"
)


def run(bench: Bench) -> list[Measured]:
    """By turns: refreshes with and without the shadow check, with and without history."""
    customers = bench.sized(1_000_000)
    checked, kept = [], []
    a_minutes_share = math.ceil(customers / MINUTES_OF_A_DAY)
    walk = schedule.load().shadow_check.model_copy(update={"customers": a_minutes_share})
    with filled(bench, customers) as ground:
        ground.rebuild()
        ground.refresh()
        for number in range(bench.pick(full=5, small=5)):
            alone = _refreshed(ground, 2 * number)
            check = timed(lambda: _check(ground, walk))
            checked.append((alone + check, alone))
            with mock.patch.object(served_history, "record"):
                without = _refreshed(ground, 2 * number + 1)
            kept.append((alone, without))
            bench.say(f"refreshed in {alone:.2f} s, checked in {check:.3f} s; without history {without:.2f} s")
    size = f"of 1 % of {customers:,}"
    return [
        of_rounds(f"shadow check on, refresh {size}", "off", checked, "s", at_most(1.02), NOTE_SHADOW),
        of_rounds(f"history on, refresh {size}", "off", kept, "s", at_most(1.15), NOTE_HISTORY),
    ]


def _refreshed(ground: Ground, number: int) -> float:
    ground.vacuum()
    change(ground, number)
    return timed(ground.refresh)


def _check(ground: Ground, walk: ShadowCheck) -> None:
    found = shadow.check(ground.database, ground.rules, At(next(run_ids), NOW), walk)
    assert found.checked == walk.customers, found
    assert not found.differing, found
