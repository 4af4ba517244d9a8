"""The Salesforce stand-in."""

from jobs.sandbox.salesforce.org import ORGANIZATION_ID, SalesforceOrg, serve

__all__ = ["ORGANIZATION_ID", "SalesforceOrg", "serve"]
