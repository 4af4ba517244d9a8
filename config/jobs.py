"""The names of the jobs."""

from __future__ import annotations

JOBS = ("sync-salesforce", "sync-whmcs", "refresh", "prune")
OF_ALL = ("sync-salesforce", "sync-whmcs", "refresh")
"""What `run all` does, in this order."""
