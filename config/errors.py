"""The errors of the product. Each message names the thing, the value that came, and what to do."""

from __future__ import annotations


class MeStatusError(Exception):
    """The job failed for a reason an operator can act on (exit 1)."""


class SettingsError(MeStatusError):
    """Settings or data files are missing or wrong (exit 2). `faults` holds one sentence each, all of them at once."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class Interrupted(KeyboardInterrupt):
    """The process was asked to stop while a run was under way (exit 143); what catches errors does not catch it."""


class DatabaseAway(MeStatusError):  # noqa: N818 (named by what happened)
    """The database does not answer; it may later."""
