"""Records looked up by their ids: whether what a full pull did not have is really gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from config.salesforce_id import if_readable
from jobs.sources.salesforce.session import SalesforceSession
from materializer.snapshot.pulls import Key

AT_ONCE = 200
"""Ids of one look-up: well inside the 16,384 bytes of a request (salesforce-api 3.1)."""


def in_batches(ids: Sequence[str]) -> Iterator[str]:
    """The ids (of a snapshot, or checked) as the inside of SOQL's IN (...), so many of them at once."""
    return map(_listed, _batches(ids))


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(f"'{key}'" for key in ids)


def confirmer(
    session: SalesforceSession, sobject: str, merged: dict[str, str]
) -> Callable[[Collection[Key]], set[Key]]:
    """Looks keys up directly; a loser of a merge found so is added to `merged`, the pull's own dictionary."""
    names = "Id, IsDeleted" + (", MasterRecordId" if sobject == "Account" else "")

    def confirm_gone(keys: Collection[Key]) -> set[Key]:
        alive: set[Key] = set()
        for asked in _batches([str(key) for key in keys]):
            soql = f"SELECT {names} FROM {sobject} WHERE Id IN ({_listed(asked)})"  # noqa: S608 - ids of the snapshot
            for page in session.pages(soql, sobject, include_deleted=True):
                for record in page["records"]:
                    key, master = if_readable(record.get("Id")), if_readable(record.get("MasterRecordId"))
                    if key is None:
                        alive.update(asked)  # one of these is there, and which cannot be read
                    elif record.get("IsDeleted") is not True:
                        alive.add(key)
                    elif master is not None:
                        merged[key] = master
        return set(keys) - alive

    return confirm_gone
