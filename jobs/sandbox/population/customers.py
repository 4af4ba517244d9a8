"""A made-up Japanese internet and SIM provider of any size: every row a pure function of seed and position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobs.sandbox.population.layout import Ids, Layout
from jobs.sandbox.population.persons import FIRST_KEYS, Persons
from jobs.sandbox.population.salesforce import SalesforcePeople
from jobs.sandbox.population.whmcs import WhmcsPeople
from jobs.sandbox.tables import Row, Table


class Population(Persons):
    """The persons with their rows in both sources."""

    def salesforce_tables(self) -> dict[str, Table[str]]:
        """Account, Order and Case; fresh tables with nothing written yet."""
        people = SalesforcePeople(self)
        return {
            "Account": Table(GeneratedById(self.layouts["account"], self.accounts, self.customers, people.account)),
            "Order": Table(GeneratedById(self.layouts["order"], Ids("801"), self.rows_of("order"), people.order)),
            "Case": Table(GeneratedById(self.layouts["case"], Ids("500"), self.rows_of("case"), people.case)),
        }

    def whmcs_tables(self) -> dict[str, Table[int]]:
        """clients, invoices, services, pay_methods and cancellations; fresh tables with nothing written yet."""
        people = WhmcsPeople(self)
        makers = {
            "clients": ("client", people.client),
            "invoices": ("invoice", people.invoices.row),
            "services": ("service", people.service),
            "pay_methods": ("pay_method", people.pay_method),
            "cancellations": ("cancellation", people.cancellation),
        }
        return {
            table: Table(GeneratedByNumber(self.layouts[sort], FIRST_KEYS[sort], self.rows_of(sort), make, self))
            for table, (sort, make) in makers.items()
        }


class GeneratedById:
    """Rows under Salesforce ids."""

    def __init__(self, layout: Layout, ids: Ids, rows: int, make: Callable[[str, int, int, int], Row]) -> None:
        self._layout, self._ids, self._rows, self._make = layout, ids, rows, make

    def __len__(self) -> int:
        return self._rows

    def key_at(self, position: int) -> str:
        return self._ids.at(position)

    def row_at(self, position: int) -> Row:
        return self._make(self._ids.at(position), position, *self._layout.owner(position))

    def position_of(self, key: str) -> int | None:
        position = self._ids.position(key)
        return position if position is not None and position < self._rows else None


class GeneratedByNumber:
    """Rows under WHMCS ids: whole numbers without gaps, one client's rows side by side."""

    def __init__(
        self, layout: Layout, first: int, rows: int, make: Callable[[int, int, int], Row], population: Persons
    ) -> None:
        self._layout, self._first, self._rows, self._make = layout, first, rows, make
        self._population = population

    def __len__(self) -> int:
        return self._rows

    def key_at(self, position: int) -> int:
        return self._first + position

    def row_at(self, position: int) -> Row:
        return self._make(self._first + position, *self._layout.owner(position))

    def position_of(self, key: Any) -> int | None:
        position = key - self._first
        return position if 0 <= position < self._rows else None

    def keys_of_client(self, client_id: int) -> range:
        """The keys of one client's generated rows."""
        person = self._population.person_of_client(client_id)
        if person is None:
            return range(0)
        first = self._first + self._layout.before(person)
        return range(first, first + self._layout.count(person))
