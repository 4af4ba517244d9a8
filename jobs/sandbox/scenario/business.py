"""Daily business around the stories: invoices, payments, sign-ups, the cron; more of it with the size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice

from jobs.sandbox.population import Population
from jobs.sandbox.population.invoices import plan_of
from jobs.sandbox.population.people import full_name
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.scenario.cast import Apply, Beat
from jobs.sandbox.scenario.stories import sign_up
from jobs.sandbox.whmcs import WhmcsInstall

TRIES = 400


def beats(population: Population, first_runs: Sequence[int]) -> list[Beat]:
    """One round of business a day, seen first by the runs given; the cron runs in the evening,
    from the second day on."""
    rounds = []
    for day, run in enumerate(first_runs):
        much = max(1, min(25, population.customers // 200))
        rounds += [
            Beat(run, _issue(population, day, much), f"{_count(much, 'invoice')} issued"),
            Beat(run, _pay(population, day, 2 * much), f"up to {2 * much} open invoices are paid"),
            Beat(run, _sign_ups(population, day, 1 + much // 5), f"{_count(1 + much // 5, 'customer')} signed up"),
        ]
        if day > 0:
            rounds.append(Beat(run + 2, _cron, ""))
    return rounds


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _issue(population: Population, day: int, how_many: int) -> Apply:
    def issue(_: SalesforceOrg, install: WhmcsInstall) -> None:
        for person in islice(_payers(population, day, salt=70), how_many):
            client = population.client_id(person)
            assert client is not None
            total = plan_of(population.draw(person, 1), 0).gross
            install.add_invoice(client, total=total, duedate=install.today() + timedelta(days=10))

    return issue


def _pay(population: Population, day: int, how_many: int) -> Apply:
    def pay(_: SalesforceOrg, install: WhmcsInstall) -> None:
        soon = install.today() + timedelta(days=7)
        payers = islice(_payers(population, day, salt=71), TRIES)
        clients = dict.fromkeys(population.client_id(person) for person in payers)
        rows = (row for client in clients if client for row in install.lookups["invoices"].rows_of(client))
        due = (row["id"] for row in rows if row["status"] == "Unpaid" and row["duedate"] <= soon)
        for invoice in list(islice(due, how_many)):
            install.pay_invoice(invoice)

    return pay


def _sign_ups(population: Population, day: int, how_many: int) -> Apply:
    def apply(org: SalesforceOrg, install: WhmcsInstall) -> None:
        for number in range(how_many):
            draw = population.draw(day * 100 + number, 72)
            sign_up(full_name(draw), ("Pending", None)[draw % 2])(org, install)

    return apply


def _cron(_: SalesforceOrg, install: WhmcsInstall) -> None:
    install.run_daily_cron()


def _payers(population: Population, day: int, salt: int) -> Iterator[int]:
    """Persons who get invoices, chosen by day; the same one may come twice."""
    invoices = population.layouts["invoice"]
    number = 0
    while True:
        person = population.draw(day * 10_000 + number, salt) % population.persons
        number += 1
        if invoices.count(person):
            yield person
