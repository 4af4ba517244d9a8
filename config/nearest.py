"""The known name nearest to a misspelt one, for messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str], *, likeness: float = 0.7) -> str | None:
    """The known name most like `name`; None when none is as like it as `likeness`, of 1."""
    found = get_close_matches(name, list(known), n=1, cutoff=likeness)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """'; did you mean X?' for the end of a message; empty when no known name is like it."""
    found = nearest(name, known)
    return "" if found is None else f"; did you mean {found}?"
