"""The Salesforce stand-in: one made-up org, its records, users and sessions, and the steps of a scenario.

Speaks what /services answers speak (salesforce-api 2 to 7), so that the real client library works against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from jobs.sandbox.salesforce.ids import to_18
from jobs.sandbox.salesforce.records import Records
from jobs.sandbox.salesforce.schema import Field
from jobs.sandbox.salesforce.writes import Transaction

AFTER_EMPTYING = timedelta(days=1)


class SalesforceOrg(Records):
    """The org with the steps of a scenario; each of these is a transaction of its own."""

    def open_transaction(self) -> Transaction:
        """A transaction that stays invisible until its `commit()`; its stamps are those of the writing (H1)."""
        with self.lock:
            transaction = Transaction(self)
            self._open.append(transaction)
            return transaction

    def insert(self, sobject: str, **fields: Any) -> str:
        with self.open_transaction() as step:
            return step.insert(sobject, **fields)

    def update(self, sobject: str, record_id: str, **fields: Any) -> None:
        with self.open_transaction() as step:
            step.update(sobject, record_id, **fields)

    def touch(self, sobject: str, record_id: str) -> None:
        """Moves SystemModstamp and nothing else (H14)."""
        with self.open_transaction() as step:
            step.touch(sobject, record_id)

    def set_formula(self, sobject: str, record_id: str, **fields: Any) -> None:
        """Changes a formula result: no stamp moves, and describe calls the field calculated (H15)."""
        for name in fields:
            self.schema[sobject].set_calculated(name, calculated=True)
        with self.open_transaction() as step:
            step.set_formula(sobject, record_id, **fields)

    def delete(self, sobject: str, record_id: str) -> None:
        with self.open_transaction() as step:
            step.delete(sobject, record_id)

    def undelete(self, sobject: str, record_id: str) -> None:
        with self.open_transaction() as step:
            step.undelete(sobject, record_id)

    def hard_delete(self, sobject: str, record_id: str) -> None:
        with self.open_transaction() as step:
            step.hard_delete(sobject, record_id)

    def merge(self, winner: str, loser: str) -> None:
        """Two Accounts become one (H24)."""
        with self.open_transaction() as step:
            step.merge(winner, loser)

    def mass_update(self, sobject: str, record_ids: Iterable[str], **fields: Any) -> int:
        """Many records in one second (H5). Returns how many."""
        with self.open_transaction() as step:
            return step.mass_update(sobject, list(record_ids), **fields)

    def rename_picklist(self, sobject: str, field: str, old: str, new: str, *, stamp_all: bool = True) -> None:
        """An admin renames a value: holders get the new one; SystemModstamp moves on all rows (13), or on theirs."""
        with self.open_transaction() as step:
            for row in list(self.tables[sobject].rows()):
                if row.get(field) == old:
                    step.touch(sobject, row["Id"], **{field: new})
                elif stamp_all:
                    step.touch(sobject, row["Id"])

    def track_history(self, enabled: bool = True) -> None:
        """From now on a change of a status field of an Account writes an AccountHistory row."""
        self.tracks_history = enabled

    def empty_bin(self) -> None:
        """Empties the Recycle Bin; queryAll shows its rows for about one more day (H17)."""
        with self.lock:
            gone_at = self.clock.now() + AFTER_EMPTYING
            self._bin = {key: min(at, gone_at) for key, at in self._bin.items()}

    def hide_field(self, sobject: str, field: str, *, hidden: bool = True) -> None:
        """Field-level security: the field is missing in describe and INVALID_FIELD in queries (H21)."""
        (self._hidden_fields.add if hidden else self._hidden_fields.discard)((sobject, field))

    def hide_rows(self, sobject: str, hides: Callable[[str], bool] | Iterable[str] | None) -> None:
        """Sharing: rows whose Id `hides` says (or holds) are silently absent (H20). None shows all again."""
        if hides is None:
            self._hidden_rows.pop(sobject, None)
        else:
            self._hidden_rows[sobject] = hides if callable(hides) else frozenset(map(to_18, hides)).__contains__

    def add_field(self, sobject: str, field: Field) -> None:
        self.schema[sobject].with_field(field)

    def remove_field(self, sobject: str, field: str) -> None:
        """The field is deleted from the org. Raises KeyError when there is none."""
        del self.schema[sobject].fields[field]

    def remove_object(self, sobject: str) -> None:
        """The object is switched off, as Orders may be: INVALID_TYPE."""
        del self.schema[sobject]
