"""Running a parsed query over the org: names checked, ids found, records written (salesforce-api 3.2, 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from jobs.sandbox.salesforce.org import SalesforceOrg
from jobs.sandbox.salesforce.soql import Call, Count, Path, Query, SoqlError
from jobs.sandbox.salesforce.soql_where import Column, Narrowing, Parent, Test, compiled, narrowing_of
from jobs.sandbox.tables import Row

OFFSET_LIMIT = 2000
ADVICE = "Please reference your WSDL or the describe call for the appropriate names."


@dataclass(frozen=True)
class Bound:
    """A query whose names exist. `columns` in SELECT order, in the schema's spelling."""

    query: Query
    sobject: str
    columns: tuple[Column, ...]
    count: Count | None
    test: Test
    narrowing: Narrowing
    include_deleted: bool

    def row(self, org: SalesforceOrg, record_id: str) -> Row | None:
        """The record with its parents under their relationship names; None when it is no longer to be seen."""
        return org.row(self.sobject, record_id, deleted=self.include_deleted)


def bind(org: SalesforceOrg, query: Query, *, include_deleted: bool) -> Bound:
    """Checks names and value types. Raises SoqlError INVALID_TYPE, INVALID_FIELD or MALFORMED_QUERY."""
    sobject = _sobject(org, query)
    names = _Names(org, query, sobject)
    counts = [field for field in query.fields if isinstance(field, Count)]
    if query.groups:
        counts = []
    elif (counts and len(query.fields) > 1) or any(isinstance(field, Call) for field in query.fields):
        raise SoqlError("MALFORMED_QUERY", "Grouped query is required to mix aggregates and fields")
    if query.offset > OFFSET_LIMIT:
        raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {OFFSET_LIMIT}")
    paths = [field for field in query.fields if isinstance(field, Path)]
    columns = tuple(map(names.column, paths)) if not query.all_fields else names.all_columns()
    for order in query.order:
        names.column(order.path)
    if counts and counts[0].field is not None:
        names.column(counts[0].field)
    test = compiled(query.where, names.column)
    narrowing = narrowing_of(query.where)
    return Bound(query, sobject, columns, counts[0] if counts else None, test, narrowing, include_deleted)


def find_ids(org: SalesforceOrg, bound: Bound) -> list[str]:
    """The ids of the answer in its order, with LIMIT and OFFSET applied: what a cursor holds (salesforce-api 3.1)."""
    query = bound.query
    ids: Iterable[str] = _matching(org, bound)
    if query.order and not _is_by_id(query):
        ids = _sorted(org, bound, ids)
    end = None if query.limit is None else query.offset + query.limit
    return list(islice(ids, query.offset, end))


def find_rows(org: SalesforceOrg, bound: Bound) -> Iterator[Row]:
    """The rows of the answer in its order, each read once unless the query has an order or a limit."""
    if bound.query.order or bound.query.limit is not None:
        return (row for key in find_ids(org, bound) if (row := bound.row(org, key)) is not None)
    candidates = (bound.row(org, key) for key in _candidates(org, bound))
    return (row for row in candidates if row is not None and _holds(org, bound.test, row))


def record_of(org: SalesforceOrg, bound: Bound, row: Row, instance: str) -> dict[str, Any]:
    """The JSON object of one record, values still Python values; `instance` such as /services/data/v59.0."""
    record: dict[str, Any] = {"attributes": attributes(bound.sobject, row["Id"], instance)}
    for column in bound.columns:
        if column.parent is None:
            record[column.name] = plain(row.get(column.name))
        else:
            _add_parent(org, record, column, row, instance)
    return record


def attributes(sobject: str, record_id: str, instance: str) -> dict[str, str]:
    return {"type": sobject, "url": f"{instance}/sobjects/{sobject}/{record_id}"}


def plain(value: Any) -> Any:
    """Empty texts do not exist: they are null (salesforce-api 3.2)."""
    return None if value == "" else value


def parent_of(org: SalesforceOrg, column: Column, row: Row) -> Row | None:
    """The parent record a column reads through, soft-deleted ones included."""
    assert column.parent is not None
    key = row.get(column.parent.through)
    return org.row(column.parent.sobject, key, deleted=True) if key else None


def _add_parent(org: SalesforceOrg, record: dict[str, Any], column: Column, row: Row, instance: str) -> None:
    assert column.parent is not None
    parent = parent_of(org, column, row)
    if parent is None:
        record[column.parent.relationship] = None
        return
    shown_parent = record.setdefault(
        column.parent.relationship, {"attributes": attributes(column.parent.sobject, parent["Id"], instance)}
    )
    shown_parent[column.name] = plain(parent.get(column.name))


def _matching(org: SalesforceOrg, bound: Bound) -> Iterable[str]:
    candidates = _candidates(org, bound)
    if bound.narrowing.is_all_there_is:
        return candidates
    return (key for key in candidates if (row := bound.row(org, key)) is not None and _holds(org, bound.test, row))


def _candidates(org: SalesforceOrg, bound: Bound) -> Iterable[str]:
    """Ids that can match, ascending: by Id where the query names them, by stamp where it bounds that, else all."""
    narrowing = bound.narrowing
    if narrowing.ids is not None:
        return sorted(set(narrowing.ids))
    if narrowing.stamped_from is not None or narrowing.stamped_until is not None:
        keys = org.keys_stamped(bound.sobject, narrowing.stamped_from, narrowing.stamped_until)
        return (key for key in keys if narrowing.admits(key))
    return (
        key
        for key in org.keys(bound.sobject, deleted=bound.include_deleted, since=narrowing.lowest_id)
        if narrowing.admits(key)
    )


def _holds(org: SalesforceOrg, test: Test, row: Row) -> bool:
    return test(lambda column: _value(org, column, row))


def _value(org: SalesforceOrg, column: Column, row: Row) -> Any:
    if column.parent is not None:
        parent = parent_of(org, column, row)
        return None if parent is None else plain(parent.get(column.name))
    return plain(row.get(column.name)) if column.type != "boolean" else bool(row.get(column.name))


def _is_by_id(query: Query) -> bool:
    first = query.order[0]
    return first.path.text.lower() == "id" and not first.descending


def _sorted(org: SalesforceOrg, bound: Bound, ids: Iterable[str]) -> list[str]:
    names = _Names(org, bound.query, bound.sobject)
    terms = [(names.column(order.path), order.descending, order.nulls_first) for order in bound.query.order]
    keyed = [(key, row) for key in ids if (row := bound.row(org, key)) is not None]
    for column, descending, nulls_first in reversed(terms):
        keyed.sort(key=_sort_key(org, column, nulls_last=nulls_first == descending), reverse=descending)
    return [key for key, _ in keyed]


def _sort_key(org: SalesforceOrg, column: Column, *, nulls_last: bool) -> Callable[[tuple[str, Row]], tuple[bool, Any]]:
    def key(item: tuple[str, Row]) -> tuple[bool, Any]:
        value = _value(org, column, item[1])
        if value is None:
            return (nulls_last, 0)
        return (not nulls_last, value.isoformat() if isinstance(value, date | datetime) else value)

    return key


def _sobject(org: SalesforceOrg, query: Query) -> str:
    wanted = query.sobject.text
    found = next((name for name in org.schema if name.lower() == wanted.lower()), None)
    if found is None:
        raise SoqlError(
            "INVALID_TYPE",
            _pointed(query, query.sobject) + f"sObject type '{wanted}' is not supported. If you are attempting to use "
            f"a custom object, be sure to append the '__c' after the entity name. {ADVICE}",
        )
    return found


def _pointed(query: Query, path: Path) -> str:
    return f"\n{query.text}\n{' ' * path.at}^\nERROR at Row:1:Column:{path.at + 1}\n"


class _Names:
    """Looks names up as the integration user may see them."""

    def __init__(self, org: SalesforceOrg, query: Query, sobject: str) -> None:
        self._org = org
        self._query = query
        self._sobject = sobject

    def all_columns(self) -> tuple[Column, ...]:
        fields = self._org.visible_fields(self._sobject)
        return tuple(Column(field.name, field.type, None) for field in fields)

    def column(self, path: Path) -> Column:
        """The column of a field or of a field of one parent. Raises SoqlError INVALID_FIELD."""
        relationship, dot, name = path.text.rpartition(".")
        if not dot or relationship.lower() == self._sobject.lower():
            return self._column_of(self._sobject, name, path, None)
        return self._parent_column(relationship, name, path)

    def _parent_column(self, relationship: str, name: str, path: Path) -> Column:
        for field in self._org.visible_fields(self._sobject):
            if field.relationship is not None and field.relationship.lower() == relationship.lower():
                assert field.refers_to is not None
                parent = Parent(field.relationship, field.name, field.refers_to)
                return self._column_of(field.refers_to, name, path, parent)
        raise SoqlError(
            "INVALID_FIELD",
            _pointed(self._query, path) + f"Didn't understand relationship '{relationship}' in field path. If you are "
            "attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. "
            + ADVICE,
        )

    def _column_of(self, sobject: str, name: str, path: Path, parent: Parent | None) -> Column:
        for field in self._org.visible_fields(sobject):
            if field.name.lower() == name.lower():
                return Column(field.name, field.type, parent)
        raise SoqlError(
            "INVALID_FIELD",
            _pointed(self._query, path)
            + f"No such column '{name}' on entity '{sobject}'. If you are attempting to use "
            f"a custom field, be sure to append the '__c' after the custom field name. {ADVICE}",
        )
