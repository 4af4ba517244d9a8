"""Pulls of WHMCS."""

from jobs.sources.whmcs.source import WhmcsSource, connect

__all__ = ["WhmcsSource", "connect"]
