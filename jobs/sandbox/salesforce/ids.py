"""Salesforce record ids: 15 case-sensitive characters, or those with three that carry the case (salesforce-api 9.2)."""

from __future__ import annotations

CASE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
POD = "Sd0"


def to_18(record_id: str) -> str:
    """The 18-character form; anything that is not 15 characters long comes back as it was."""
    if len(record_id) != 15:
        return record_id
    return record_id + "".join(_case_letter(record_id[at : at + 5]) for at in (0, 5, 10))


def new_id(prefix: str, number: int) -> str:
    """The 18-character id of the `number`-th record made under a three-character prefix; ascends with the number."""
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return to_18(prefix + POD + digits)


def _case_letter(five: str) -> str:
    return CASE_LETTERS[sum(1 << place for place, letter in enumerate(five) if "A" <= letter <= "Z")]
