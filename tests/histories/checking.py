"""Every answer noted, held against the model: of states the source had, no older than it says, never going back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from tests.histories.model import SECTIONS, WHMCS, Claim, Model, Shown
from tests.histories.notes import Array, Kind
from tests.histories.sources import LISTS

Key = tuple[int, str, tuple[tuple[str, float], ...], float]
"""Customer, tag, age, and when it was computed: answers that are alike in these say the same."""
ANY_STATE = 2**31 - 1


@dataclass
class Verdict:
    """What was found. `claims`: distinct (customer, content, age); `pairs` of them show one instant of each source."""

    answers: int = 0
    claims: int = 0
    pairs: int = 0
    unasked: int = 0
    unlike: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        return [*self.unlike, *self.back]


def check(model: Model, answers: Array, kinds: Sequence[Kind]) -> Verdict:
    """Checks each distinct claim once, then the order of all answers."""
    verdict = Verdict(answers=len(answers))
    of_kind, documents = _distinct(kinds)
    claimed = of_kind[answers["kind"]]
    first, last = np.full(len(documents), np.inf), np.zeros(len(documents))
    np.minimum.at(first, claimed, answers["answered"])
    np.maximum.at(last, claimed, answers["answered"])
    oldest, newest = np.zeros((len(documents), len(LISTS)), np.int64), np.full((len(documents), len(LISTS)), ANY_STATE)
    for at, (key, document) in enumerate(documents):
        claim = Claim(key[0], document, dict(key[2]), key[3], float(first[at]), float(last[at]))
        shown = model.shown(claim, claim.first)
        _count(verdict, claim, shown, model)
        if shown.vectors:
            hidden = _hidden(document)
            oldest[at] = _least(shown, hidden)
            newest[at] = _most(model.shown(claim, claim.last) if claim.last > claim.first else shown, hidden)
    for at in _going_back(answers, claimed, oldest, newest):
        key, _ = documents[claimed[at]]
        verdict.back.append(f"customer {key[0]} went back at {answers['asked'][at]:.3f}: {key[1]}")
    return verdict


def lagging(answers: Array, kinds: Sequence[Kind], since: float) -> list[str]:
    """Customers whose last answer is older than what was read of all of them since; instants are whole milliseconds."""
    order = np.argsort(answers["answered"], kind="stable")
    last = {int(answers["customer"][at]): kinds[answers["kind"][at]] for at in order}
    return [
        f"customer {customer} is still served as of {kind.as_of}"
        for customer, kind in last.items()
        if _seconds(kind.as_of) < since - 0.001
    ]


def _count(verdict: Verdict, claim: Claim, shown: Shown, model: Model) -> None:
    verdict.claims += 1
    verdict.pairs += shown.is_pair
    verdict.unasked += shown.is_unasked
    if not shown.vectors:
        ages = {name: f"{claim.first - at:.3f} s" for name, at in claim.as_of.items()}
        apart = "; ".join(model.apart(claim))
        verdict.unlike.append(f"customer {claim.customer} at {claim.first:.3f}, its sections {ages} old: {apart}")


def _hidden(document: dict[str, Any]) -> Collection[str]:
    """The lists of which the document says nothing, having no client."""
    return WHMCS if document["billing"]["state"] == "none" else ()


def _least(shown: Shown, hidden: Collection[str]) -> list[int]:
    return [0 if _is_open(shown, name, hidden) else min(one[name] for one in shown.vectors) for name in LISTS]


def _most(shown: Shown, hidden: Collection[str]) -> list[int]:
    return [ANY_STATE if _is_open(shown, name, hidden) else max(one[name] for one in shown.vectors) for name in LISTS]


def _is_open(shown: Shown, name: str, hidden: Collection[str]) -> bool:
    return name in hidden or (name == "balance" and shown.is_unasked)


def _going_back(
    answers: Array,
    claimed: Array,
    oldest: Array,
    newest: Array,
) -> Iterator[int]:
    """Answers asked for when a newer state of the same customer's had been answered already, to whomever."""
    for customer in np.unique(answers["customer"]):
        mine = np.flatnonzero(answers["customer"] == customer)
        by_end = mine[np.argsort(answers["answered"][mine], kind="stable")]
        seen = np.maximum.accumulate(oldest[claimed[by_end]])
        before = np.searchsorted(answers["answered"][by_end], answers["asked"][mine], side="left")
        later, before = mine[before > 0], before[before > 0]
        is_back = (newest[claimed[later]] < seen[before - 1]).any(axis=1)
        yield from later[is_back]


def _distinct(kinds: Sequence[Kind]) -> tuple[Array, list[tuple[Key, dict[str, Any]]]]:
    """Of each kind the number of what it says, and all that is said, each once."""
    numbers: dict[Key, int] = {}
    of_kind, documents = np.zeros(len(kinds), np.int64), []
    for at, (key, document) in _keys(kinds).items():
        if key not in numbers:
            numbers[key] = len(documents)
            documents.append((key, document))
        of_kind[at] = numbers[key]
    return of_kind, documents


def _keys(kinds: Sequence[Kind]) -> dict[int, tuple[Key, dict[str, Any]]]:
    """What each kind says; a 304 says that what its tag names is still so, and that nothing of it is older than so."""
    documents: dict[tuple[int, str], tuple[dict[str, Any], float]] = {}
    found: dict[int, tuple[Key, dict[str, Any]]] = {}
    for at, kind in enumerate(kinds):
        if kind.body is not None:
            document = json.loads(kind.body)
            freshness = document.pop("freshness")
            as_of = {name: _seconds(instant) for name, instant in freshness["asOf"].items()}
            assert min(as_of.values()) == _seconds(kind.as_of), kind
            computed = _seconds(freshness["computedAt"])
            documents[kind.customer, kind.tag] = document, computed
            found[at] = (_key(kind, as_of, computed), document)
    for at, kind in enumerate(kinds):
        if kind.body is None:
            document, computed = documents[kind.customer, kind.tag]
            found[at] = (_key(kind, dict.fromkeys(SECTIONS, _seconds(kind.as_of)), computed), document)
    return found


def _key(kind: Kind, as_of: dict[str, float], computed: float) -> Key:
    return kind.customer, kind.tag, tuple(sorted(as_of.items())), computed


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
