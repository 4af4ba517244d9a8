"""Salesforce asked for counts: rows and the highest SystemModstamp by month of creation, two or three calls an object.

A moving org is no obstacle: what is stamped after the last pull's overlap is named by its ids, and left out on both
sides. The ids are asked first; when the counts then differ from the snapshot's, `again` tells how much moved meanwhile.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from config.salesforce_id import if_readable
from jobs.sources.counts import Counted, SourceCounts
from jobs.sources.errors import CredentialsError, QuotaExhausted, SourceError, TransientError
from jobs.sources.salesforce.reading import literal
from jobs.sources.salesforce.session import SalesforceSession

ALL = "all"


def count(session: SalesforceSession, sobject: str, until: datetime | None) -> SourceCounts:
    """The object's rows stamped up to `until` (None: all of them), soft-deleted ones left out.

    Raises SourceError when the org cannot be asked.
    """
    if until is None:
        return SourceCounts(_by_month(session, sobject, ""))
    moved, unnamed = _stamped_after(session, sobject, until)
    buckets = _by_month(session, sobject, f" WHERE SystemModstamp <= {literal(until)}")
    return SourceCounts(buckets, moved, unnamed)


def again(session: SalesforceSession, sobject: str, until: datetime, counts: SourceCounts) -> SourceCounts:
    """The same counts, with what moved while they were made."""
    moved, unnamed = _stamped_after(session, sobject, until)
    return SourceCounts(counts.buckets, counts.moved, unnamed + len(moved - counts.moved))


def _stamped_after(session: SalesforceSession, sobject: str, until: datetime) -> tuple[frozenset[str], int]:
    """The ids on the first page, deleted ones among them, and how many more there are."""
    soql = f"SELECT Id FROM {sobject} WHERE SystemModstamp > {literal(until)} ORDER BY Id"  # noqa: S608 - a constant
    page = session.query(soql, sobject, include_deleted=True)
    ids = frozenset(key for record in page["records"] if (key := if_readable(record.get("Id"))) is not None)
    return ids, max(int(page.get("totalSize") or 0) - len(ids), 0)


def _by_month(session: SalesforceSession, sobject: str, where: str) -> dict[str, Counted]:
    """By month of CreatedDate in UTC; as one number where the org does not group."""
    months = "CALENDAR_YEAR(CreatedDate), CALENDAR_MONTH(CreatedDate)"
    soql = (
        "SELECT CALENDAR_YEAR(CreatedDate) y, CALENDAR_MONTH(CreatedDate) m, COUNT(Id) c, MAX(SystemModstamp) s "  # noqa: S608 - constants
        f"FROM {sobject}{where} GROUP BY {months}"
    )
    try:
        records = session.query(soql, sobject)["records"]
        return dict(_bucket(record) for record in records)
    except (CredentialsError, QuotaExhausted, TransientError):
        raise
    except (SourceError, ValueError, TypeError):
        page = session.query(f"SELECT COUNT() FROM {sobject}{where}", sobject)  # noqa: S608 - constants
        return {ALL: Counted(int(page.get("totalSize") or 0))}


def _bucket(record: dict[str, Any]) -> tuple[str, Counted]:
    stamp = record.get("s")
    newest = None if stamp is None else datetime.fromisoformat(stamp).astimezone(UTC)
    return f"{int(record['y']):04}-{int(record['m']):02}", Counted(int(record["c"]), newest)
