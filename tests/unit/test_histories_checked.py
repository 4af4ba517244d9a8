"""The history checker itself: what it lets pass, and what it finds."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.histories.checking import Verdict, check, lagging
from tests.histories.model import SECTIONS, Model
from tests.histories.notes import ANSWERS, Kind
from tests.histories.sources import LISTS, Sources

Answer = tuple[int, float, float, float]
"""The account's state that it shows, the instant it says it is as of, when it was asked and answered."""


class Told:
    """One customer whose lists changed, each ten seconds after it had before, and answers about its account."""

    def __init__(self, *changes: str) -> None:
        self.sources = Sources(1, Random(1))
        self.model = Model(self.sources)
        for change in changes:
            getattr(self.sources, change)(0, self.sources.customers[0])
            self.sources.changes += 1
        self.began = time.time()
        for lists in self.sources.states[0].values():
            lists.began = lists.holds = [self.began + 10 * at for at in range(len(lists.began))]

    def kind(self, state: int, as_of: float) -> Kind:
        vector = dict.fromkeys(LISTS, 0) | {"account": state}
        moment = datetime.fromtimestamp(self.began + as_of, UTC)
        document: dict[str, Any] = self.model.document(0, vector, moment)
        instant = moment.isoformat()
        freshness = {"asOf": dict.fromkeys(SECTIONS, instant), "computedAt": instant}
        body = json.dumps(document | {"freshness": freshness})
        return Kind(0, 200, f"tag {state}", instant, body)

    def answers(self, *given: Answer) -> tuple[Any, list[Kind]]:
        kinds = [self.kind(state, as_of) for state, as_of, _, _ in given]
        rows = [(0, at, self.began + asked, self.began + end) for at, (_, _, asked, end) in enumerate(given)]
        return np.array(rows, ANSWERS), kinds

    def verdict(self, *given: Answer) -> Verdict:
        return check(self.model, *self.answers(*given))


@pytest.fixture(scope="module")
def told() -> Told:
    return Told(*["eligibility"] * 4)


def test_answers_of_states_there_were_in_their_order_pass(told: Told) -> None:
    """Each is of the state that held at some instant between its age and when it was answered."""
    verdict = told.verdict((0, 1, 5, 6), (1, 12, 13, 14), (2, 15, 25, 26), (3, 31, 32, 33))
    assert ([], 4, 4) == (verdict.violations, verdict.claims, verdict.pairs)


def test_an_answer_older_than_it_says_is_found(told: Told) -> None:
    """The state was over at the instant that the answer is said to be as of."""
    assert 1 == len(told.verdict((0, 12, 13, 14)).unlike)


def test_an_answer_of_what_was_not_yet_is_found(told: Told) -> None:
    """The state came only later."""
    assert 1 == len(told.verdict((3, 1, 5, 6)).unlike)


def test_an_answer_that_goes_back_is_found_and_one_beside_is_not(told: Told) -> None:
    """Asked for after the newer one was answered, to whomever; two that overlap have no order."""
    assert 1 == len(told.verdict((1, 5, 13, 14), (0, 5, 15, 16)).back)
    assert 0 == len(told.verdict((1, 5, 13, 16), (0, 5, 14, 15)).back)


def test_without_a_client_an_answer_says_nothing_of_what_the_client_has() -> None:
    """The link is gone for a while, in which a card comes: once it is back, cards as of before are no step back."""
    told = Told("link", "card", "link")
    assert [] == told.verdict((1, 11, 12, 13), (2, 5, 22, 23)).violations


def test_who_is_served_something_old_in_the_end_is_found(told: Told) -> None:
    """The last answer counts."""
    answers = told.answers((0, 1, 5, 6), (3, 35, 36, 37))
    assert [] == lagging(*answers, told.began + 35)
    assert 1 == len(lagging(*answers, told.began + 36))
