"""Pulls of WHMCS."""

from jobs.sources.whmcs.source import WhmcsSource, connect, unchecked

__all__ = ["WhmcsSource", "connect", "unchecked"]
