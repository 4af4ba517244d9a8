"""`python -m tests.benchmarks.whmcs_standin CUSTOMERS PAGE_SIZE`: a WHMCS stand-in in a process of its own.

Its pages of invoices are rendered beforehand. It announces where it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from jobs.sandbox import whmcs
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from jobs.sources.whmcs.rows import whmcs_streams
from tests.benchmarks import beside
from tests.benchmarks.ground import NOW

POPULATION = {"seed": 7, "start": date(2026, 11, 20), "zone": ZoneInfo("Asia/Tokyo")}


def started(customers: int, page_size: int) -> AbstractContextManager[dict[str, Any]]:
    """Starts the process and gives settings that lead to it, and how many invoices it has."""
    return beside.started(__name__, customers, page_size)


def render(install: whmcs.WhmcsInstall, streams: Sequence[str], page_size: int) -> None:
    """Renders the pages of the streams' lists; they overlap by one row, as the pull reads them."""
    for stream in streams:
        action = whmcs_streams(install.zone)[stream].action
        install.prerender(action.name, page_size=page_size, step=page_size - 1, **dict(action.parameters))


def main() -> None:
    """Renders, serves, and waits for its end."""
    customers, page_size = map(int, sys.argv[1:])
    population = Population(customers, **POPULATION)  # type: ignore[arg-type]
    install = whmcs.WhmcsInstall(SimulatedClock(NOW), zone=population.zone, tables=population.whmcs_tables())
    render(install, ["invoice"], page_size)
    with whmcs.serve(install) as stand_in:
        given = {
            "url": stand_in.url,
            "identifier": install.identifier,
            "secret": install.secret,
            "invoices": len(install.tables["invoices"]),
        }
        beside.announce(given)


if __name__ == "__main__":
    main()
