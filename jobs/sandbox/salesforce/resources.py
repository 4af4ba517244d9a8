"""REST resources beside queries: describe, single records, get updated and deleted, limits (salesforce-api 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.sandbox.salesforce.answers import Refusal, json_answer, not_found
from jobs.sandbox.salesforce.ids import to_18
from jobs.sandbox.salesforce.org import SalesforceOrg
from jobs.sandbox.salesforce.soql_run import attributes, plain
from jobs.sandbox.tables import Row

REACH = {"updated": timedelta(days=30), "deleted": timedelta(days=15)}
NEWEST_VERSION = 68
LARGEST_BATCH = 25
SEASONS = ("Spring", "Summer", "Winter")


def versions() -> list[dict[str, str]]:
    """GET /services/data/: version 68 is Winter '27; three a year (salesforce-api 12)."""
    return [_version(number) for number in range(31, NEWEST_VERSION + 1)]


def _version(number: int) -> dict[str, str]:
    # Winter '27 is 68 and Winter carries the next year's number.
    year, season = divmod(number - NEWEST_VERSION - 1, 3)
    label = f"{SEASONS[season]} '{27 + year + (season == 2):02d}"
    return {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}


def limits(org: SalesforceOrg, bulk_jobs: int) -> dict[str, dict[str, int]]:
    return {
        "DailyApiRequests": {"Max": org.api_total, "Remaining": max(0, org.api_total - org.api_used)},
        "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
        "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000 - bulk_jobs},
        "DailyDeliveredPlatformEvents": {
            "Max": org.deliveries_total,
            "Remaining": max(0, org.deliveries_total - org.deliveries_used),
        },
        "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
    }


def describe_global(org: SalesforceOrg) -> dict[str, Any]:
    return {
        "encoding": "UTF-8",
        "maxBatchSize": 200,
        "sobjects": [sobject.summary() for sobject in org.schema.values()],
    }


def sobject_answer(org: SalesforceOrg, path: list[str], arguments: dict[str, str], version: str) -> Any:
    """Anything under sobjects/{name}. Raises Refusal."""
    name = next((known for known in org.schema if known.lower() == path[0].lower()), None)
    if name is None:
        raise not_found()
    match path[1:]:
        case []:
            return {"objectDescribe": org.schema[name].summary(), "recentItems": []}
        case ["describe"]:
            fields = [field.describe() for field in org.visible_fields(name)]
            return org.schema[name].summary() | {"fields": fields, "childRelationships": [], "recordTypeInfos": []}
        case ["updated"]:
            return _updated(org, name, *_span(org, "updated", arguments))
        case ["deleted"]:
            return _deleted(org, name, *_span(org, "deleted", arguments))
        case [record_id]:
            return _record(org, name, to_18(record_id), version)
        case [field, value]:
            return _record_by(org, name, field, value.replace("+", " "), version)
    raise not_found()


def _record(org: SalesforceOrg, sobject: str, record_id: str, version: str) -> dict[str, Any]:
    row = org.row(sobject, record_id, deleted=True)
    if row is None:
        raise not_found()
    if row.get("IsDeleted"):
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted")
    values = {field.name: plain(row.get(field.name)) for field in org.visible_fields(sobject)}
    return {"attributes": attributes(sobject, record_id, f"/services/data/{version}")} | values


def _record_by(org: SalesforceOrg, sobject: str, field: str, value: str, version: str) -> Any:
    found = [key for key in org.ids_where(sobject, field, value) if org.row(sobject, key, deleted=False)]
    if len(found) > 1:
        paths = [f"/services/data/{version}/sobjects/{sobject}/{key}" for key in found]
        return json_answer(paths, 300)
    if not found:
        raise not_found()
    return _record(org, sobject, found[0], version)


def _span(org: SalesforceOrg, what: str, arguments: dict[str, str]) -> tuple[datetime, datetime]:
    """Start and end in whole minutes: their seconds are dropped (H8). Raises Refusal INVALID_REPLICATION_DATE."""
    try:
        start, end = (
            datetime.fromisoformat(arguments[name]).astimezone(UTC).replace(second=0, microsecond=0)
            for name in ("start", "end")
        )
    except (KeyError, ValueError):
        raise Refusal(400, "INVALID_REPLICATION_DATE", "startDate or endDate is not a date") from None
    if end - start < timedelta(minutes=1):
        raise Refusal(400, "INVALID_REPLICATION_DATE", "endDate must be at least one minute after startDate")
    if start < org.clock.now() - REACH[what]:
        raise Refusal(400, "INVALID_REPLICATION_DATE", f"startDate is before the {REACH[what].days} days kept")
    return start, end


def _updated(org: SalesforceOrg, sobject: str, start: datetime, end: datetime) -> dict[str, Any]:
    rows = _stamped(org, sobject, start, end, lambda row: not row.get("IsDeleted"))
    return {"ids": [row["Id"] for row in rows], "latestDateCovered": min(end, org.covered_until())}


def _deleted(org: SalesforceOrg, sobject: str, start: datetime, end: datetime) -> dict[str, Any]:
    rows = _stamped(org, sobject, start, end, lambda row: bool(row.get("IsDeleted")))
    gone = [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in rows]
    seen = {entry["id"] for entry in gone}
    gone += [
        {"id": record_id, "deletedDate": at}
        for name, record_id, at in org.hard_deleted
        if name == sobject and start <= at < end and record_id not in seen
    ]
    earliest = (org.clock.now() - REACH["deleted"]).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "deletedRecords": gone,
        "earliestDateAvailable": earliest,
        "latestDateCovered": min(end, org.covered_until()),
    }


def _stamped(
    org: SalesforceOrg, sobject: str, start: datetime, end: datetime, wanted: Callable[[Row], bool]
) -> list[Row]:
    if not org.schema[sobject].has_stamp:
        raise Refusal(400, "INVALID_TYPE_FOR_OPERATION", f"{sobject} cannot be replicated")
    rows = [org.row(sobject, key, deleted=True) for key in org.keys_stamped(sobject, start, end)]
    return [row for row in rows if row is not None and start <= row["SystemModstamp"] < end and wanted(row)]
