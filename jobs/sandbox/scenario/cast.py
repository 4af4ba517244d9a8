"""The people of the script: which customers of a population the stories are about, and one story's beats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice

from jobs.sandbox.population import Population
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.whmcs import WhmcsInstall

Apply = Callable[[SalesforceOrg, WhmcsInstall], object]
TROUBLED = ("suspended", "left", "leaving", "billing_only", "prospect")


@dataclass(frozen=True)
class Beat:
    """An event by the index of the run that is the first to see it; 0 is the baseline."""

    run: int
    apply: Apply
    says: str


@dataclass(frozen=True)
class Actor:
    """A customer whose link is beyond doubt: account id, account number and WHMCS client id."""

    account_id: str
    number: str
    client_id: int


def actors(population: Population) -> Iterator[Actor]:
    """The customers with an account and an undisputed client, in order; not those in trouble or on their way out."""
    accounts = population.salesforce_tables()["Account"].generated
    for person in range(population.persons):
        account_id, client_id = population.account_id(person), population.client_id(person)
        if account_id is None or client_id is None or population.kind(person) in TROUBLED:
            continue
        row = accounts.row_at(population.layouts["account"].before(person))
        if _names(row["WHMCS_Client_Id__c"], client_id) and not _is_claimed_by_next(population, person, client_id):
            yield Actor(account_id, row["AccountNumber"], client_id)


def cast(population: Population, roles: int) -> list[Actor]:
    """So many actors; the same ones play again when the population has too few. Raises ValueError when it has none."""
    found = list(islice(actors(population), roles))
    if not found:
        raise ValueError(f"a population of {population.customers} has nobody for the script; take 10 or more")
    return list(islice(cycle(found), roles))


def _names(link: str | None, client_id: int) -> bool:
    return link is not None and float(link) == client_id


def _is_claimed_by_next(population: Population, person: int, client_id: int) -> bool:
    accounts = population.salesforce_tables()["Account"].generated
    after = population.layouts["account"].before(person) + 1
    near = range(after, min(after + 3, population.customers))
    return any(_names(accounts.row_at(position)["WHMCS_Client_Id__c"], client_id) for position in near)
