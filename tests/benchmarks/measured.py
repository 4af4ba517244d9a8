"""What a work gives back: two figures of one run, side by side, and what their ratio should be."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Goal:
    """What `ours / theirs` should be, such as `at_least(10)` for rows per second or `at_most(4)` for seconds."""

    sign: str
    ratio: float

    def is_met(self, ratio: float) -> bool:
        """Whether a ratio reaches it."""
        return bool({">=": operator.ge, "<=": operator.le}[self.sign](ratio, self.ratio))

    def __str__(self) -> str:
        return f"{self.sign} {self.ratio:g}"


def at_least(ratio: float) -> Goal:
    """Ours should be that many times theirs, or more."""
    return Goal(">=", ratio)


def at_most(ratio: float) -> Goal:
    """Ours should be that many times theirs, or less."""
    return Goal("<=", ratio)


@dataclass(frozen=True)
class Measured:
    """One row of the table.

    `ours` and `theirs` are medians of the interleaved rounds, in `unit`; `rounds` keeps each pair as it was taken.
    `note` says in a sentence what bounds the figure or how it was taken; it goes into docs/benchmarks.md.
    """

    work: str
    against: str
    ours: float
    theirs: float
    unit: str
    goal: Goal
    note: str = ""
    rounds: list[tuple[float, float]] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Ours over theirs; the median of the rounds' own ratios where there are rounds, as both halves of a pair met
        the same neighbours on the machine."""
        if self.rounds:
            return median(ours / theirs for ours, theirs in self.rounds)
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        """Whether the ratio reaches the goal."""
        return self.goal.is_met(self.ratio)

    def as_json(self) -> dict[str, Any]:
        """One object of `--json`."""
        return {
            "work": self.work,
            "against": self.against,
            "ours": _rounded(self.ours),
            "theirs": _rounded(self.theirs),
            "ratio": _rounded(self.ratio),
            "goal": str(self.goal),
            "met": self.met,
            "unit": self.unit,
            "note": self.note,
            "rounds": [[_rounded(ours), _rounded(theirs)] for ours, theirs in self.rounds],
        }


def of_rounds(
    work: str, against: str, rounds: list[tuple[float, float]], unit: str, goal: Goal, note: str = ""
) -> Measured:
    """Measured from interleaved rounds, each (ours, theirs)."""
    ours, theirs = (median(side) for side in zip(*rounds, strict=True))
    return Measured(work, against, ours, theirs, unit, goal, note, rounds)


def _rounded(figure: float) -> float:
    return float(f"{figure:.4g}")
