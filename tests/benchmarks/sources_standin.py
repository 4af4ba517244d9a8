"""`python -m tests.benchmarks.sources_standin CUSTOMERS`: both sources' stand-ins in a process of their own.

One line of JSON on standard output holds the settings that lead to them; it ends when its standard input does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jobs.sandbox import salesforce, whmcs
from jobs.sandbox.clock import SimulatedClock
from jobs.sandbox.population import Population
from tests.benchmarks.ground import NOW
from tests.benchmarks.whmcs_standin import POPULATION


@contextmanager
def started(customers: int) -> Iterator[dict[str, Any]]:
    """Starts the process and gives the settings that lead to both."""
    command = [sys.executable, "-m", "tests.benchmarks.sources_standin", str(customers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


def main() -> None:
    """Serves both until its end."""
    population = Population(int(sys.argv[1]), **POPULATION)  # type: ignore[arg-type]
    clock = SimulatedClock(NOW)
    org = salesforce.SalesforceOrg(clock, tables=population.salesforce_tables())
    install = whmcs.WhmcsInstall(clock, zone=population.zone, tables=population.whmcs_tables())
    with salesforce.serve(org) as of_salesforce, whmcs.serve(install) as of_whmcs:
        told = {
            "salesforce_instance_url": of_salesforce.url,
            "salesforce_consumer_key": org.consumer_key,
            "salesforce_consumer_secret": org.consumer_secret,
            "whmcs_url": of_whmcs.url,
            "whmcs_identifier": install.identifier,
            "whmcs_secret": install.secret,
            "me_status_timezone": population.zone.key,
        }
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
