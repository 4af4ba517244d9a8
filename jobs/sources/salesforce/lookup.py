"""Records looked up by their ids: whether what a full pull did not have is really gone."""

from __future__ import annotations

from collections.abc import Callable, Collection

from config.salesforce_id import normalised
from jobs.sources.salesforce.session import SalesforceSession
from materializer.snapshot.pulls import Key

AT_ONCE = 200
"""Ids of one look-up: well inside the 16,384 bytes of a request (salesforce-api 3.1)."""


def confirmer(
    session: SalesforceSession, sobject: str, merged: dict[str, str]
) -> Callable[[Collection[Key]], set[Key]]:
    """Looks keys up directly; a loser of a merge found so is added to `merged`, the pull's own dictionary."""
    names = "Id, IsDeleted" + (", MasterRecordId" if sobject == "Account" else "")

    def confirm_gone(keys: Collection[Key]) -> set[Key]:
        wanted = [str(key) for key in keys]
        alive: set[Key] = set()
        for start in range(0, len(wanted), AT_ONCE):
            ids = ", ".join(f"'{key}'" for key in wanted[start : start + AT_ONCE])
            soql = f"SELECT {names} FROM {sobject} WHERE Id IN ({ids})"  # noqa: S608 - ids of the snapshot
            for page in session.pages(soql, sobject, include_deleted=True):
                for record in page["records"]:
                    key, master = normalised(record.get("Id")), normalised(record.get("MasterRecordId"))
                    if key is not None and record.get("IsDeleted") is not True:
                        alive.add(key)
                    elif key is not None and master is not None:
                        merged[key] = master
        return set(keys) - alive

    return confirm_gone
