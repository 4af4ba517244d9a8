"""`python -m tests.benchmarks.whmcs_standin CUSTOMERS PAGE_SIZE`: a WHMCS stand-in in a process of its own.

Its pages of invoices are rendered beforehand. One line of JSON on standard output says where it is; it ends when its
standard input does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from jobs.sandbox import whmcs
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from tests.benchmarks.ground import NOW

POPULATION = {"seed": 7, "start": date(2026, 11, 20), "zone": ZoneInfo("Asia/Tokyo")}


@contextmanager
def started(customers: int, page_size: int) -> Iterator[dict[str, Any]]:
    """Starts the process and gives settings that lead to it, and how many invoices it has."""
    command = [sys.executable, "-m", "tests.benchmarks.whmcs_standin", str(customers), str(page_size)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


def main() -> None:
    """Renders, serves, and waits for its end."""
    customers, page_size = (int(given) for given in sys.argv[1:])
    population = Population(customers, **POPULATION)  # type: ignore[arg-type]
    install = whmcs.WhmcsInstall(SimulatedClock(NOW), zone=population.zone, tables=population.whmcs_tables())
    # Pages overlap by one row, as the pull reads them.
    install.prerender("GetInvoices", page_size=page_size, step=page_size - 1, orderby="id", order="asc")
    with whmcs.serve(install) as stand_in:
        told = {
            "url": stand_in.url,
            "identifier": install.identifier,
            "secret": install.secret,
            "invoices": len(install.tables["invoices"]),
        }
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
