"""Who exists and how many rows each has: arithmetic over positions, nothing stored.

Persons are numbered from 0. They come in blocks of as many as there are `PATTERNS`; each block has one person of each
pattern, rotated by a hash of the block, so that every count before a person is a formula.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from jobs.sandbox.salesforce.ids import CASE_LETTERS, DIGITS, to_18

WORD = 0xFFFFFFFFFFFFFFFF


class Pattern(NamedTuple):
    """A kind of person: what it is, and how many rows it has of each sort."""

    kind: str
    account: int
    client: int
    invoice: int
    service: int
    pay_method: int
    cancellation: int
    order: int
    case: int


def _patterns() -> tuple[Pattern, ...]:
    kinds = (
        (1, Pattern("billing_only", 0, 1, 6, 1, 1, 0, 0, 0)),
        (8, Pattern("hikari", 1, 1, 6, 1, 1, 0, 1, 0)),
        (2, Pattern("newcomer", 1, 1, 0, 0, 1, 0, 0, 0)),
        (5, Pattern("sim", 1, 1, 5, 1, 1, 0, 1, 0)),
        (2, Pattern("ordering", 1, 1, 0, 1, 1, 0, 1, 0)),
        (5, Pattern("both", 1, 1, 7, 2, 2, 0, 2, 1)),
        (2, Pattern("prospect", 1, 0, 0, 0, 0, 0, 0, 0)),
        (1, Pattern("without_card", 1, 1, 4, 1, 0, 0, 1, 1)),
        (4, Pattern("long_standing", 1, 1, 8, 3, 1, 0, 1, 0)),
        (1, Pattern("suspended", 1, 1, 5, 1, 1, 0, 0, 1)),
        (2, Pattern("leaving", 1, 1, 8, 1, 1, 1, 1, 1)),
        (1, Pattern("drafting", 1, 1, 0, 0, 1, 0, 1, 0)),
        (2, Pattern("left", 1, 1, 6, 2, 1, 1, 0, 0)),
        (1, Pattern("without_card", 1, 1, 2, 1, 0, 0, 0, 0)),
        (3, Pattern("family", 1, 1, 6, 4, 2, 0, 1, 2)),
    )
    return tuple(pattern for times, pattern in kinds for _ in range(times))


PATTERNS = _patterns()
PERIOD = len(PATTERNS)


def mix(seed: int, number: int, salt: int = 0) -> int:
    """A well-mixed 60-bit number, the same for the same arguments (two rounds of multiply and shift)."""
    word = ((number + 1) * 0x9E3779B97F4A7C15 + (seed * 31 + salt) * 0xD1B54A32D192ED03) & WORD
    word = ((word ^ (word >> 31)) * 0xBF58476D1CE4E5B9) & WORD
    return (word ^ (word >> 29)) >> 4


@dataclass(frozen=True)
class Layout:
    """Of one sort of row: how many there are before a person, and whose the n-th is."""

    turns: bytes
    counts: tuple[int, ...]
    before_pattern: tuple[int, ...]
    pattern_at: tuple[int, ...]

    @classmethod
    def of(cls, sort: str, turns: bytes) -> Layout:
        """`sort` is a field of Pattern, such as "invoice"; `turns` as `turns_of` gives them."""
        counts = tuple(getattr(pattern, sort) for pattern in PATTERNS)
        before, owners = [0], []
        for pattern, count in enumerate(counts * 2):
            before.append(before[-1] + count)
            owners += [pattern] * count
        return cls(turns, counts, tuple(before), tuple(owners))

    def before(self, person: int) -> int:
        """Rows of the persons 0 to person - 1."""
        block, within = divmod(person, PERIOD)
        turn = self.turns[block]
        before = self.before_pattern
        return block * before[PERIOD] + before[turn + within] - before[turn]

    def count(self, person: int) -> int:
        """Rows of this person."""
        return self.counts[(person % PERIOD + self.turns[person // PERIOD]) % PERIOD]

    def owner(self, row: int) -> tuple[int, int]:
        """The person whose row number `row` is (from 0), and which of the person's rows it is (from 0)."""
        block, within = divmod(row, self.before_pattern[PERIOD])
        turn = self.turns[block]
        at = self.before_pattern[turn] + within
        pattern = self.pattern_at[at]
        return block * PERIOD + pattern - turn, at - self.before_pattern[pattern]


def turns_of(seed: int, customers: int) -> bytes:
    """By how many patterns each block is rotated: one byte per block, enough blocks for so many accounts."""
    with_account = sum(pattern.account for pattern in PATTERNS)
    return bytes(mix(seed, block) % PERIOD for block in range(customers // with_account + 2))


def pattern_of(turns: bytes, person: int) -> Pattern:
    """The kind of this person."""
    return PATTERNS[(person % PERIOD + turns[person // PERIOD]) % PERIOD]


class Ids:
    """Salesforce ids (salesforce-api 9.2) that ascend with a position, 18 characters with the right checksum."""

    STRIDE = 7
    FIRST = 916_132

    def __init__(self, prefix: str) -> None:
        """`prefix`: the object's three characters, such as 001."""
        self._head = f"{prefix}5i00000"
        self._check = to_18(self._head + DIGITS[0] * 5)[15:17]

    def at(self, position: int) -> str:
        number = self.FIRST + position * self.STRIDE
        high, low = divmod(number, 3844)
        top, middle = divmod(high, 3844)
        upper = _UPPER[top] | _UPPER_OF_PAIR[middle] << 1 | _UPPER_OF_PAIR[low] << 3
        return f"{self._head}{DIGITS[top]}{_PAIRS[middle]}{_PAIRS[low]}{self._check}{CASE_LETTERS[upper]}"

    def position(self, key: str) -> int | None:
        """The position whose id this is; None for any other text."""
        if len(key) != 18 or not key.startswith(self._head):
            return None
        number = 0
        for character in key[10:15]:
            number = number * 62 + DIGITS.find(character)
        position, beside = divmod(number - self.FIRST, self.STRIDE)
        return position if position >= 0 and not beside and self.at(position) == key else None


_PAIRS = tuple(one + other for one in DIGITS for other in DIGITS)
_UPPER = tuple(int("A" <= character <= "Z") for character in DIGITS)
_UPPER_OF_PAIR = tuple(one | other << 1 for one in _UPPER for other in _UPPER)
