"""Peak memory of a pull and its diff, over ten times the rows, against the same over one tenth of them."""

from __future__ import annotations

from tests.benchmarks.applying import in_process
from tests.benchmarks.bench import Bench
from tests.benchmarks.ground import run_ids
from tests.benchmarks.measured import Measured, at_most
from tests.benchmarks.whmcs_standin import started

PAGE_SIZE = 1000
NOTE = (
    "ru_maxrss of a process that pulls every invoice over HTTP and takes them in, the second time over a full "
    "snapshot. What grows with the rows: their keys, 8 bytes each, by which what is spooled is merged and doubles are "
    "found"
)


def run(bench: Bench) -> list[Measured]:
    """A first pull and an unchanged one, of many rows and of a tenth as many."""
    many, few = (_peak(bench, bench.sized(customers)) for customers in (1_000_000, 100_000))
    work = f"peak memory of pull and diff, {bench.sized(1_000_000):,} customers"
    return [Measured(work, "a tenth as many", many, few, "MB", at_most(1.2), NOTE)]


def _peak(bench: Bench, customers: int) -> float:
    with started(customers, PAGE_SIZE) as standin, bench.database() as url:
        runs = [in_process(url, standin=standin, page_size=PAGE_SIZE, run_id=next(run_ids)) for _ in range(2)]
    bench.say(f"{standin['invoices']:,} invoices: " + ", ".join(f"{run['peak']:.0f} MB" for run in runs))
    return max(float(run["peak"]) for run in runs)
