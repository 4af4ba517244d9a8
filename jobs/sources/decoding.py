"""JSON as the sources write it, whatever stands in one of its values."""

from __future__ import annotations

import json
from typing import Any

LONGEST_NUMBER = 400
"""Digits of the longest whole number that is read as one; Python refuses the whole page for one of 4,300."""


def decoded(body: bytes) -> Any:
    """The value; bytes that are not UTF-8 are replaced, and a number without end stays text.

    Raises ValueError for what is not JSON, and for what is nested deeper than anybody would.
    """
    try:
        return json.loads(body.decode("utf-8", "replace"), parse_int=_whole)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits
