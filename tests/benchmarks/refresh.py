"""A refresh of the 1 % of customers that are marked, against a full rebuild."""

from __future__ import annotations

from tests.benchmarks.bench import Bench
from tests.benchmarks.ground import Ground, filled, timed
from tests.benchmarks.measured import Measured, at_most, of_rounds

NOTE = (
    "marked customers lie evenly among all, and the document of each has changed; the rebuild writes every row again. "
    "What bounds it: two threads share one interpreter, where a rebuild has two processes, and facts are found "
    "customer by customer, not in order"
)


def run(bench: Bench) -> list[Measured]:
    """In rounds: 1 % change and are refreshed, then everything is rebuilt under other rules."""
    customers = bench.sized(1_000_000)
    rounds = []
    with filled(bench, customers) as ground:
        ground.rebuild()
        ground.refresh()  # sends the reminders that are due, which are no part of this
        for number in range(bench.pick(full=1, medium=3, small=3)):
            if number:
                ground.rebuild()
            ground.vacuum()
            change(ground, number)
            ours = timed(ground.refresh)
            theirs = timed(lambda: ground.rebuild(ground.reworded()))
            rounds.append((ours, theirs))
            bench.say(f"refreshed in {ours:.2f} s, rebuilt in {theirs:.1f} s")
    goal = at_most(0.03 if bench.is_small else 0.02)
    return [of_rounds(f"refresh of 1 % of {customers:,}", "full rebuild", rounds, "s", goal, NOTE)]


def change(ground: Ground, number: int) -> None:
    """Another product name for every hundredth customer's service, and their marks, as a sync would leave them."""
    ground.execute(
        "update snapshot.service set product_name = 'Hikari ' || cast(cast(:number as integer) as text) || 'G'"
        " where client_id % 100 = 0 and service_id < 5000 + cast(:customers as bigint) + 1",
        number=number,
        customers=ground.customers,
    )
    ground.execute(
        "insert into pipeline.refresh_mark (customer_id, marked_at)"
        " select account_id, timestamptz '2026-11-20 12:00:00Z' from snapshot.account where whmcs_client_id % 100 = 0"
    )
