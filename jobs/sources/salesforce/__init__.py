"""Pulls of Salesforce."""

from jobs.sources.salesforce.source import SalesforceSource, connect

__all__ = ["SalesforceSource", "connect"]
