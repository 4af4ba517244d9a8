"""Units of work: how they are divided, and where they are done."""

from __future__ import annotations

from concurrent.futures import Future
from math import ceil
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.database import Database
from materializer.units import SMALLEST, Batching, done

NO_DATABASE = cast(Database, None)


class Workers:
    """A `submit` that does everything at once and remembers what it was given."""

    def __init__(self, shares: int) -> None:
        self.ahead = 8
        self.shares = shares
        self.given: list[Any] = []

    def __call__(self, unit: Any, *arguments: Any) -> Future[Any]:
        self.given += arguments
        future: Future[Any] = Future()
        future.set_result(unit(NO_DATABASE, *arguments))
        return future


def divided(count: int, batching: Batching) -> list[int]:
    """How many are in each unit; together the units are the customers, in their order."""
    customers = [str(number) for number in range(count)]
    units = list(batching.divided(customers))
    assert customers == [customer for unit in units for customer in unit]
    return [len(unit) for unit in units]


@given(st.integers(0, 20_000), st.integers(1, 5000), st.integers(1, 8))
def test_units_are_as_large_as_asked_for_at_most_and_equal(count: int, size: int, shares: int) -> None:
    """They differ by what the last one lacks, less than one customer a unit; rounds are as few as the size allows."""
    units = divided(count, Batching(size, Workers(shares)))
    assert max(units, default=0) <= size
    assert max(units, default=0) - min(units, default=0) < max(1, len(units))
    assert ceil(len(units) / shares) <= ceil(count / (size * shares))


@given(st.integers(1, 20_000), st.integers(SMALLEST, 5000), st.integers(1, 8))
def test_work_is_divided_below_the_smallest_unit_by_nobody(count: int, size: int, shares: int) -> None:
    """All units but the last have the smallest size at least, or there is one unit."""
    units = divided(count, Batching(size, Workers(shares)))
    assert len(units) == 1 or min(units[:-1]) >= min(SMALLEST, ceil(count / ceil(count / size)))


@pytest.mark.parametrize(
    ("count", "shares", "units"),
    [
        (0, 2, []),
        (201, 2, [201]),
        (399, 2, [399]),
        (400, 2, [200, 200]),
        (401, 2, [201, 200]),
        (1000, 2, [500, 500]),
        (10_000, 2, [1667] * 5 + [1665]),
        (3000, 1, [1500, 1500]),
    ],
)
def test_customers_are_shared_among_workers_unless_they_are_few(count: int, shares: int, units: list[int]) -> None:
    """Never more than 2,000 a unit."""
    assert units == divided(count, Batching(2000, Workers(shares)))


def test_who_works_alone_takes_units_of_the_same_sizes_as_one_worker_would() -> None:
    """3,000 are 1,500 and 1,500."""
    assert [1500, 1500] == divided(3000, Batching(2000))


@pytest.mark.parametrize(("shares", "here"), [(2, 1), (1, 2)])
def test_a_few_units_are_done_here(shares: int, here: int) -> None:
    """One where workers are near; two where little work is not divided, since reaching a worker costs more."""

    def unit(_: Database, number: int) -> dict[str, Any]:
        return {"number": number}

    for count in (here, here + 1):
        workers = Workers(shares)
        counted = list(done(NO_DATABASE, unit, ((number,) for number in range(count)), workers))
        assert [{"number": number} for number in range(count)] == counted
        assert workers.given == ([] if count == here else list(range(count)))
