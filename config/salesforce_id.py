"""Salesforce ids: 15 characters where case counts, or 18 with a checksum of the case (salesforce-api 9.2)."""

from __future__ import annotations

import re

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHAPE = re.compile(r"[0-9A-Za-z]{15}([0-9A-Za-z]{3})?")


def completed(text: str) -> str | None:
    """The id in 18 characters; None for a text that does not have the form of one. 18 are taken as they stand."""
    if not SHAPE.fullmatch(text):
        return None
    return text if len(text) == 18 else text + checksum(text)


def may_be_account(account_id: str) -> bool:
    """Whether Salesforce could have given this id of 18 characters to an Account: its prefix and its checksum fit."""
    return account_id.startswith("001") and account_id == completed(account_id[:15])


def checksum(short: str) -> str:
    """The three characters that complete an id of 15."""
    fives = (short[0:5], short[5:10], short[10:15])
    return "".join(ALPHABET[sum(1 << at for at, letter in enumerate(five) if "A" <= letter <= "Z")] for five in fives)


def normalised(value: object) -> str | None:
    """The id in 18 characters; None for None or empty text. Raises ValueError for what is not an id."""
    if value is None or value == "":
        return None
    found = completed(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is not a Salesforce id of 15 or 18 characters")
    return found


def if_readable(value: object) -> str | None:
    """The id in 18 characters; None for what is not one."""
    return completed(value.strip()) if isinstance(value, str) else None
