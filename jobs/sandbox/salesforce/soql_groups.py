"""GROUP BY: records counted, and the highest of a field, by year and month of a date or by a field's value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from jobs.sandbox.salesforce.org import SalesforceOrg
from jobs.sandbox.salesforce.soql import Call, Count, Path
from jobs.sandbox.salesforce.soql_run import Bound, plain
from jobs.sandbox.tables import Row

Term = Path | Count | Call


def grouped(org: SalesforceOrg, bound: Bound, ids: Sequence[str]) -> dict[str, Any]:
    """The answer: one AggregateResult per group, in their order; without an alias a value is expr0, expr1 and so on."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for key in ids:
        if (row := bound.row(org, key)) is not None:
            groups[tuple(_one(term, row) for term in bound.query.groups)].append(row)
    records = [_record(bound.query.fields, groups[key]) for key in sorted(groups, key=repr)]
    return {"totalSize": len(records), "done": True, "records": records}


def _record(fields: Sequence[Term], rows: list[Row]) -> dict[str, Any]:
    record: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
    for number, term in enumerate(fields):
        alias = term.text if isinstance(term, Path) else term.alias or f"expr{number}"
        record[alias] = _of_all(term, rows)
    return record


def _of_all(term: Term, rows: list[Row]) -> Any:
    if isinstance(term, Count):
        return len(rows) if term.field is None else sum(_value(term.field, row) is not None for row in rows)
    if isinstance(term, Call) and term.function == "max":
        return max((value for row in rows if (value := _value(term.field, row)) is not None), default=None)
    return _one(term, rows[0])


def _one(term: Term, row: Row) -> Any:
    assert not isinstance(term, Count)
    value = _value(term if isinstance(term, Path) else term.field, row)
    if isinstance(term, Path) or value is None:
        return value
    return value.year if term.function == "calendar_year" else value.month


def _value(field: Path, row: Row) -> Any:
    found = next((name for name in row if name.lower() == field.text.lower()), None)
    return None if found is None else plain(row[found])
