"""Which states of a customer's lists an answer shows, by the reference model, which imports nothing of the product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, combinations, product
from typing import Any

from tests.histories.sources import LISTS, ZONE, Sources, States
from tests.integration.truth import reference_document
from tests.integration.truth.comparing import apart

SALESFORCE, WHMCS = ("account", "order", "case"), ("service", "invoice", "balance", "pay_method")
SECTIONS = {
    "summary": ("account", "order", "case", "service", "invoice", "balance"),
    "internetEligibility": ("account",),
    "residenceCardVerification": ("account",),
    "paymentMethods": ("account", "pay_method"),
    "tasks": LISTS,
}
"""The lists that each section rests on."""
CLAIM = dict.fromkeys(LISTS, "summary") | {"account": "internetEligibility", "pay_method": "paymentMethods"}
"""The section whose age says how old a list may be at most."""
Vector = dict[str, int]
"""A state of each list."""


@dataclass(frozen=True)
class Claim:
    """What an answer says: the document without its freshness, how old each section is, and when it was answered.

    `computed`: the instant that the document is of; what happened after it is in no list of events yet.
    """

    customer: int
    document: dict[str, Any]
    as_of: Mapping[str, float]
    computed: float
    first: float
    last: float


@dataclass(frozen=True)
class Shown:
    """The states an answer may show. `is_pair`: each section is of one instant of each source."""

    vectors: list[Vector]
    is_pair: bool = False
    is_unasked: bool = False
    """Whether some balance is the total, as it is until it was asked for."""


class Model:
    """Judges answers by the states that the sources had."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def shown(self, claim: Claim, until: float) -> Shown:
        """What the answer shows, of states that may have held between the age it claims and `until`."""
        states = self._sources.states[claim.customer]
        held = {name: states[name].between(claim.as_of[CLAIM[name]], until) for name in LISTS}
        now = datetime.fromtimestamp(claim.computed, UTC)
        for is_unasked in (False, True):
            vectors = list(self._matching(claim, held, now, is_unasked=is_unasked))
            if vectors:
                is_pair = any(_is_pair(states, vector, claim, until) for vector in vectors)
                return Shown(vectors, is_pair, is_unasked)
        return Shown([])

    def apart(self, claim: Claim) -> list[str]:
        """Where the answer differs from the document of the newest states before it."""
        states = self._sources.states[claim.customer]
        newest = {name: states[name].between(claim.first, claim.first)[-1] for name in LISTS}
        now = datetime.fromtimestamp(claim.computed, UTC)
        return apart(self.document(claim.customer, newest, now), claim.document)

    def document(
        self, customer: int, vector: Vector, now: datetime, unasked: frozenset[int] = frozenset()
    ) -> dict[str, Any]:
        """The document of these states; `unasked`: invoices whose total stands for their balance."""
        states = self._sources.states[customer]
        of = {name: states[name].records[at] for name, at in vector.items()}
        (account,) = of["account"]
        client = account["client"]
        balances = {row["id"]: row["balance"] for row in of["balance"] if row["id"] not in unasked}
        invoices = [row | {"balance": balances.get(row["id"], row["total"])} for row in of["invoice"]]
        known = {
            "account": account,
            "client": client,
            "billing": "none" if client is None else "linked",
            "orders": of["order"],
            "cases": of["case"],
            "invoices": None if client is None else invoices,
            "services": None if client is None else of["service"],
            "cards": None if client is None else of["pay_method"],
            "service_steps": [],
            "has_unreadable_invoice": False,
        }
        return reference_document.document(self._sources.customers[customer].account, known, now, ZONE)

    def _matching(
        self, claim: Claim, held: Mapping[str, range], now: datetime, *, is_unasked: bool
    ) -> Iterator[Vector]:
        """All vectors of these states whose document is the answer's; first each list by what shows it alone."""
        any_of = {name: states[-1] for name, states in held.items()}
        for account in held["account"]:
            base = any_of | {"account": account}
            if _of("account", self.document(claim.customer, base, now)) != _of("account", claim.document):
                continue
            fitting = [
                [at for at in held[name] if self._fits(claim, base | {name: at}, name, now)] for name in LISTS[1:]
            ]
            for choice in product(*fitting):
                vector = dict(zip(LISTS[1:], choice, strict=True)) | {"account": account}
                if any(
                    claim.document == self.document(claim.customer, vector, now, unasked)
                    for unasked in self._unasked(claim.customer, vector, is_unasked=is_unasked)
                ):
                    yield vector

    def _fits(self, claim: Claim, vector: Vector, name: str, now: datetime) -> bool:
        return name == "balance" or _of(name, claim.document) == _of(name, self.document(claim.customer, vector, now))

    def _unasked(self, customer: int, vector: Vector, *, is_unasked: bool) -> list[frozenset[int]]:
        if not is_unasked:
            return [frozenset()]
        invoices = [row["id"] for row in self._sources.states[customer]["invoice"].records[vector["invoice"]]]
        some = chain.from_iterable(combinations(invoices, count) for count in range(1, len(invoices) + 1))
        return [frozenset(one) for one in some]


def _of(name: str, document: dict[str, Any]) -> Any:
    """The parts of a document that this list decides alone."""
    stats = document["summary"]["stats"]
    counted = {"order": "openOrders", "case": "openCases", "service": "activeSubscriptions"}
    if name == "account":
        return document["internetEligibility"], document["residenceCardVerification"], document["billing"]
    if name == "pay_method":
        return document["paymentMethods"]
    events = [event for event in document["summary"]["recentActivity"] if event["type"].startswith(name)]
    return stats.get(counted.get(name, "")), events


def _is_pair(states: Mapping[str, States], vector: Vector, claim: Claim, until: float) -> bool:
    """Whether for each section one instant of each source has all the states that it rests on."""
    return all(
        _at_once(states, vector, [name for name in lists if name in source], claim.as_of[section], until)
        for section, lists in SECTIONS.items()
        for source in (SALESFORCE, WHMCS)
    )


def _at_once(states: Mapping[str, States], vector: Vector, lists: list[str], low: float, high: float) -> bool:
    began = [states[name].began[vector[name]] for name in lists]
    ended = [states[name].holds[vector[name] + 1] for name in lists if vector[name] + 1 < len(states[name].holds)]
    return max([low, *began]) <= min([high, *ended])
