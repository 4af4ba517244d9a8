"""Units of work: how they are divided, and where they are done."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from config.database import Database
from materializer.units import SMALLEST, Batching, done

NO_DATABASE = cast(Database, None)


class Workers:
    """A `submit` that does everything at once and remembers what it was given."""

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead
        self.given: list[Any] = []

    def __call__(self, unit: Any, *arguments: Any) -> Future[Any]:
        self.given += arguments
        future: Future[Any] = Future()
        future.set_result(unit(NO_DATABASE, *arguments))
        return future


def sizes(count: int, size: int) -> list[int]:
    return [min(size, count - start) for start in range(0, count, size)]


@given(st.integers(0, 100_000), st.integers(1, 5000), st.integers(1, 8))
def test_units_are_never_larger_than_asked_for_and_keep_every_worker_busy(count: int, size: int, workers: int) -> None:
    """As many rounds as the largest units need; where units are not the smallest, no worker is idle in a round."""
    chosen = Batching(size, Workers(workers)).size_for(count)
    divided = sizes(count, chosen)
    assert 1 <= chosen <= size
    assert -(-len(divided) // workers) <= max(1, -(-count // (size * workers)))
    if chosen > SMALLEST and count:
        assert max(divided) - sum(divided) / workers / -(-len(divided) // workers) < 1


def test_some_customers_are_divided_between_the_workers_and_few_are_not() -> None:
    """1,000 for two workers; 10,000 in three rounds of two; but 200 by one of them."""
    batching = Batching(2000, Workers(2))
    assert [500, 500] == sizes(1000, batching.size_for(1000))
    assert 6 == len(sizes(10_000, batching.size_for(10_000)))
    assert [200] == sizes(200, batching.size_for(200))
    assert [2000, 1000] == sizes(3000, Batching(2000).size_for(4000))


def test_a_single_unit_is_done_here_and_several_are_handed_out() -> None:
    """Handing out one gains nothing."""
    workers = Workers(2)

    def unit(_: Database, number: int) -> dict[str, Any]:
        return {"number": number}

    assert [{"number": 7}] == list(done(NO_DATABASE, unit, [(7,)], workers))
    assert [] == workers.given
    assert [{"number": number} for number in range(5)] == list(
        done(NO_DATABASE, unit, ((number,) for number in range(5)), workers)
    )
    assert [0, 1, 2, 3, 4] == workers.given
