"""The sandbox population: any size, the same for the same seed, nothing held."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobs.sandbox.population import Population
from jobs.sandbox.population.layout import Ids
from jobs.sandbox.salesforce.ids import to_18
from jobs.sandbox.tables import Table

START = date(2026, 11, 20)
TABLES = ("Account", "Order", "Case", "clients", "invoices", "services", "pay_methods", "cancellations")


def population(customers: int, seed: int = 1, **more: bool) -> Population:
    return Population(customers, seed, START, ZoneInfo("Asia/Tokyo"), **more)


def tables(people: Population) -> dict[str, Table]:  # type: ignore[type-arg]
    return {**people.salesforce_tables(), **people.whmcs_tables()}


@pytest.mark.parametrize("customers", [1, 10, 41, 200, 1_000_000])
@pytest.mark.parametrize("name", TABLES)
def test_keys_ascend_with_the_position_and_lead_back_to_it(customers: int, name: str) -> None:
    """A table can be paged by position and looked up by key without a scan."""
    generated = tables(population(customers))[name].generated
    positions = range(0, len(generated), max(1, len(generated) // 300))
    keys = [generated.key_at(position) for position in positions]
    assert sorted(set(keys)) == keys
    assert list(positions) == [generated.position_of(key) for key in keys]


@pytest.mark.parametrize("name", TABLES)
def test_the_same_seed_gives_the_same_rows_in_any_order(name: str) -> None:
    """A row is a function of seed and position, not of what was asked before."""
    one, other = tables(population(300))[name].generated, tables(population(300))[name].generated
    positions = range(len(one))
    assert [one.row_at(n) for n in positions] == [other.row_at(n) for n in reversed(positions)][::-1]


def test_another_seed_gives_other_rows() -> None:
    """Seeds are worth changing."""
    assert list(population(50, 1).salesforce_tables()["Account"].rows()) != list(
        population(50, 2).salesforce_tables()["Account"].rows()
    )


@pytest.mark.parametrize("customers", [1, 10, 39, 40, 200, 5000])
def test_there_are_as_many_accounts_as_customers_asked_for(customers: int) -> None:
    """Size means Salesforce accounts."""
    assert customers == len(population(customers).salesforce_tables()["Account"])


def test_there_is_no_population_of_nobody() -> None:
    """A size below 1 is refused in words."""
    with pytest.raises(ValueError, match="at least 1 customer, not 0"):
        population(0)


def test_a_clients_rows_are_found_without_a_scan() -> None:
    """keys_of_client gives exactly the rows that name the client."""
    held = population(200).whmcs_tables()
    for name, owner in (("invoices", "userid"), ("services", "clientid"), ("pay_methods", "clientid")):
        by_client: dict[int, list[int]] = {}
        for row in held[name].rows():
            by_client.setdefault(row[owner], []).append(row["id"])
        for client in held["clients"].keys():  # noqa: SIM118
            assert by_client.get(client, []) == list(held[name].generated.keys_of_client(client))  # type: ignore[attr-defined]


def test_rows_name_accounts_clients_and_services_that_exist() -> None:
    """Orders and cases belong to accounts, invoices and services to clients, cancellations to services."""
    held = tables(population(400))
    for child, field, parent in (
        ("Order", "AccountId", "Account"),
        ("Case", "AccountId", "Account"),
        ("invoices", "userid", "clients"),
        ("services", "clientid", "clients"),
        ("pay_methods", "clientid", "clients"),
        ("cancellations", "relid", "services"),
    ):
        assert set() == {row[field] for row in held[child].rows()} - set(held[parent].keys())


def test_few_enough_are_due_for_a_first_run_of_200_to_pass_the_flood_gate() -> None:
    """Some 8 % have an invoice due or overdue and 2 % a card about to expire, so fewer than 100 of a type are sent."""
    held = population(5000).whmcs_tables()
    soon = START + timedelta(days=7)
    due = {row["userid"] for row in held["invoices"].rows() if row["status"] == "Unpaid" and row["duedate"] <= soon}
    expiring = [row for row in held["pay_methods"].rows() if row.get("expiry_date") == f"{START:%m/%y}"]
    assert 0.05 < len(due) / 5000 < 0.10
    assert 0.01 < len(expiring) / 5000 < 0.03


def test_unknown_words_are_rare_and_absent_from_small_populations() -> None:
    """One in 2,000 from 500 customers on."""

    def words(people: Population) -> Counter[str | None]:
        accounts = people.salesforce_tables()["Account"].rows()
        return Counter(row["Internet_Eligibility_Status__c"] for row in accounts)

    assert words(population(499))["On Hold"] == 0
    assert 1 <= words(population(10_000))["On Hold"] <= 15


def test_links_come_in_every_form_that_people_type() -> None:
    """Plain, with spaces, as a decimal, dangling, twice, and none."""
    links = [row["WHMCS_Client_Id__c"] for row in population(3000).salesforce_tables()["Account"].rows()]
    plain = Counter(int(float(link)) for link in links if link is not None)
    assert any(link is None for link in links)
    assert any(link and link != link.strip() for link in links)
    assert any(link and link.endswith(".0") for link in links)
    assert any(client >= 9_000_000 for client in plain)
    assert any(times == 2 for times in plain.values())


def test_nothing_is_held_in_memory() -> None:
    """A million customers cost no more than a few bytes per forty of them."""
    tracemalloc.start()
    invoices = population(1_000_000).whmcs_tables()["invoices"]
    for position in range(0, len(invoices), 5000):
        invoices.generated.row_at(position)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_generated_ids_carry_their_checksum() -> None:
    """15 characters and the three that belong to them."""
    for key in (Ids("001").at(0), Ids("500").at(12_345), Ids("801").at(2_000_000)):
        assert key == to_18(key[:15])
