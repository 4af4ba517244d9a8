"""Who lives in the made-up world: which sort of customer each person is, and which ids and rows belong to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from jobs.sandbox.population.layout import Ids, Layout, Pattern, mix, pattern_of, turns_of

UNKNOWN_WORDS_FROM = 500
FIRST_KEYS = {"client": 1001, "invoice": 100_001, "service": 5001, "pay_method": 7001, "cancellation": 301}


@dataclass(frozen=True)
class Persons:
    """`customers` Salesforce accounts as they stand on the morning of `start` in `zone`, and their WHMCS clients.

    About 5 invoices and 1.5 services per customer; some 8 % have an invoice due or overdue, 2 % a card about to expire.
    One in 2,000 has a status word that no mapping knows, from 500 customers on, or when `unknown_words` says so.
    """

    customers: int
    seed: int
    start: date
    zone: ZoneInfo
    unknown_words: bool | None = None

    def __post_init__(self) -> None:
        if self.customers < 1:
            raise ValueError(f"a population has at least 1 customer, not {self.customers}")

    @cached_property
    def layouts(self) -> dict[str, Layout]:
        """By sort of row: the fields of Pattern but `kind`."""
        return {sort: Layout.of(sort, self._turns) for sort in Pattern._fields[1:]}

    @cached_property
    def _turns(self) -> bytes:
        return turns_of(self.seed, self.customers)

    @cached_property
    def accounts(self) -> Ids:
        return Ids("001")

    @cached_property
    def persons(self) -> int:
        """How many persons there are, with an account or only with a WHMCS client."""
        return self.layouts["account"].owner(self.customers - 1)[0] + 1

    @property
    def has_unknown_words(self) -> bool:
        return self.customers >= UNKNOWN_WORDS_FROM if self.unknown_words is None else self.unknown_words

    def rows_of(self, sort: str) -> int:
        """How many rows of a sort there are in all."""
        return self.layouts[sort].before(self.persons)

    def kind(self, person: int) -> str:
        """What sort of customer a person is, such as "hikari"."""
        return pattern_of(self._turns, person).kind

    def draw(self, person: int, salt: int) -> int:
        """A 60-bit number of this person for one purpose, named by the salt."""
        return mix(self.seed, person, salt)

    def account_id(self, person: int) -> str | None:
        """The person's Salesforce account; None for one that only WHMCS knows."""
        layout = self.layouts["account"]
        return self.accounts.at(layout.before(person)) if layout.count(person) else None

    def client_id(self, person: int) -> int | None:
        """The person's own WHMCS client, whatever the account's link says; None when there is none."""
        layout = self.layouts["client"]
        return FIRST_KEYS["client"] + layout.before(person) if layout.count(person) else None

    def person_of_client(self, client_id: int) -> int | None:
        """The person behind a WHMCS client; None for a client that is not of this population."""
        at = client_id - FIRST_KEYS["client"]
        return self.layouts["client"].owner(at)[0] if 0 <= at < self.rows_of("client") else None
