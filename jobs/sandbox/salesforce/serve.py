"""The made-up org on a loopback port."""

from __future__ import annotations

from jobs.sandbox.salesforce.http import app
from jobs.sandbox.salesforce.org import SalesforceOrg
from jobs.sandbox.server import StandIn


def serve(org: SalesforceOrg, port: int = 0) -> StandIn:
    """The org on a loopback port (0: any free one), until the stand-in is closed."""
    return StandIn(app(org), org.clock, port=port)
