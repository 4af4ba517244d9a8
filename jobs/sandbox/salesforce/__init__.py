"""The Salesforce stand-in."""

from jobs.sandbox.salesforce.http import app
from jobs.sandbox.salesforce.org import SalesforceOrg
from jobs.sandbox.salesforce.records import ORGANIZATION_ID
from jobs.sandbox.salesforce.serve import serve

__all__ = ["ORGANIZATION_ID", "SalesforceOrg", "app", "serve"]
