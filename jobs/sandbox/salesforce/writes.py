"""Writes to the stand-in's org: stamped when made, seen when their transaction commits (salesforce-api 9.3, H1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Any

from jobs.sandbox.salesforce.ids import to_18
from jobs.sandbox.salesforce.records import Records
from jobs.sandbox.tables import Row

TRACKED = ("Internet_Eligibility_Status__c", "Id_Verification_Status__c")
ACTIVATED_CATEGORY = ("Activated", "Completed")
REPARENTED = (("Order", "AccountId"), ("Case", "AccountId"), ("AccountHistory", "AccountId"), ("Account", "ParentId"))


class Transaction:
    """Writes that become visible together.

    As a context manager it commits at the end, or forgets everything on an exception. Rows are read through it, so a
    later write sees an earlier one of the same transaction.
    """

    def __init__(self, org: Records) -> None:
        self._org = org
        self._rows: dict[tuple[str, str], Row | None] = {}
        self.opened_at = org.stamp()

    def __enter__(self) -> Transaction:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.commit() if kind is None else self.rollback()

    def insert(self, sobject: str, **fields: Any) -> str:
        """Adds a record and returns its Id (given or made up). Raises KeyError for an object the org lacks."""
        stamp = self._org.stamp()
        record_id = to_18(fields.get("Id") or self._org.next_id(sobject))
        row = {"IsDeleted": False, "CreatedDate": stamp, "LastModifiedDate": stamp, "SystemModstamp": stamp}
        row |= self._org.new_record_defaults(sobject)
        self._rows[sobject, record_id] = row | _derived(sobject, fields) | {"Id": record_id}
        return record_id

    def update(self, sobject: str, record_id: str, **fields: Any) -> None:
        """Sets fields and stamps the record. Raises KeyError for a record there is not."""
        self._change(sobject, record_id, fields, user_edit=True)

    def touch(self, sobject: str, record_id: str, **fields: Any) -> None:
        """What platform processes do: moves SystemModstamp, not LastModifiedDate."""
        self._change(sobject, record_id, fields, user_edit=False)

    def set_formula(self, sobject: str, record_id: str, **fields: Any) -> None:
        """Formula results change without any stamp (salesforce-api 9.3)."""
        row = self._row(sobject, record_id)
        self._rows[sobject, to_18(record_id)] = row | fields

    def delete(self, sobject: str, record_id: str) -> None:
        """Soft delete: into the Recycle Bin, stamped."""
        self._change(sobject, record_id, {"IsDeleted": True}, user_edit=False)

    def undelete(self, sobject: str, record_id: str) -> None:
        self._change(sobject, record_id, {"IsDeleted": False}, user_edit=False)

    def hard_delete(self, sobject: str, record_id: str) -> None:
        """The record is gone without passing the Recycle Bin (Bulk hardDelete)."""
        self._row(sobject, record_id)
        self._rows[sobject, to_18(record_id)] = None

    def merge(self, winner: str, loser: str) -> None:
        """Merges two Accounts: the loser is soft-deleted and names the winner, its children move (H24)."""
        winner, loser = to_18(winner), to_18(loser)
        self._row("Account", winner)
        for sobject, parent in REPARENTED:
            for record_id in self._org.ids_where(sobject, parent, loser):
                self.touch(sobject, record_id, **{parent: winner})
        self._change("Account", loser, {"IsDeleted": True, "MasterRecordId": winner}, user_edit=True)
        self.touch("Account", winner)

    def mass_update(self, sobject: str, record_ids: Iterable[str], **fields: Any) -> int:
        """The same fields on many records, all stamped with one second. Returns how many."""
        changed = 0
        for record_id in record_ids:
            self.update(sobject, record_id, **fields)
            changed += 1
        return changed

    def commit(self) -> None:
        """Makes the writes visible with the stamps they got when they were made."""
        self._org.apply(self, self._rows)

    def rollback(self) -> None:
        self._org.apply(self, {})

    def _change(self, sobject: str, record_id: str, fields: Row, *, user_edit: bool) -> None:
        row = self._row(sobject, record_id)
        stamp = self._org.stamp()
        if sobject == "Account":
            self._track(row, fields, stamp)
        stamps = {"SystemModstamp": stamp, "LastModifiedDate": stamp} if user_edit else {"SystemModstamp": stamp}
        known = {"LastModifiedDate": row.get("SystemModstamp")} | row
        self._rows[sobject, to_18(record_id)] = (
            known | (stamps if self._has_stamps(sobject) else {}) | _derived(sobject, fields)
        )

    def _has_stamps(self, sobject: str) -> bool:
        return self._org.schema[sobject].has_stamp

    def _row(self, sobject: str, record_id: str) -> Row:
        key = to_18(record_id)
        row = self._rows[sobject, key] if (sobject, key) in self._rows else self._org.tables[sobject].get(key)
        if row is None:
            raise KeyError((sobject, record_id))
        return row

    def _track(self, row: Row, fields: Row, stamp: datetime) -> None:
        if not self._org.tracks_history:
            return
        for name in TRACKED:
            if name in fields and fields[name] != row.get(name):
                values = {"Field": name, "OldValue": row.get(name), "NewValue": fields[name]}
                self.insert("AccountHistory", AccountId=row["Id"], CreatedDate=stamp, **values)


def _derived(sobject: str, fields: Row) -> Row:
    """The fields, and an order's StatusCode, which follows its Status (salesforce-api 13)."""
    if sobject != "Order" or "Status" not in fields:
        return fields
    return {"StatusCode": "Activated" if fields["Status"] in ACTIVATED_CATEGORY else "Draft"} | fields
