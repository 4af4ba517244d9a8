"""`python -m tests.benchmarks.sources_standin CUSTOMERS PAGE_SIZE`: both sources' stand-ins in a process of their own.

WHMCS's lists in pages of PAGE_SIZE are rendered beforehand; 0: none is. It announces the settings that lead to them.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any

from jobs.sandbox import salesforce, whmcs
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from tests.benchmarks import beside
from tests.benchmarks.ground import NOW
from tests.benchmarks.whmcs_standin import POPULATION, render

LISTS = ("client", "invoice", "service", "cancellation")


def started(customers: int, page_size: int = 0) -> AbstractContextManager[dict[str, Any]]:
    """Starts the process and gives the settings that lead to both."""
    return beside.started(__name__, customers, page_size)


def main() -> None:
    """Serves both until its end."""
    customers, page_size = map(int, sys.argv[1:])
    population = Population(customers, **POPULATION)  # type: ignore[arg-type]
    clock = SimulatedClock(NOW)
    org = salesforce.SalesforceOrg(clock, tables=population.salesforce_tables())
    install = whmcs.WhmcsInstall(clock, zone=population.zone, tables=population.whmcs_tables())
    if page_size:
        render(install, LISTS, page_size)
    with salesforce.serve(org) as of_salesforce, whmcs.serve(install) as of_whmcs:
        given = {
            "salesforce_instance_url": of_salesforce.url,
            "salesforce_consumer_key": org.consumer_key,
            "salesforce_consumer_secret": org.consumer_secret,
            "whmcs_url": of_whmcs.url,
            "whmcs_identifier": install.identifier,
            "whmcs_secret": install.secret,
            "me_status_timezone": population.zone.key,
        }
        beside.announce(given)


if __name__ == "__main__":
    main()
