"""Pages of a listing action: what is taken from them, and the short way to it where an answer has its usual form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Literal

import msgspec

from jobs.sources.columns import loose_integer


@dataclass(frozen=True)
class Action:
    """A paged action: where its rows are, and the keys that are taken from them; all other keys are dropped here."""

    name: str
    container: str
    item: str
    keys: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Page:
    """One page, as one list per key. `total` is None when the answer does not say."""

    values: dict[str, list[Any]]
    received: int
    total: int | None


def usual(action: Action, body: bytes) -> Page | None:
    """The page of a success in its usual form, decoded without the keys that nobody takes, in half the time.

    None for anything else: `answers.judged` and `answers.listed` decide on that.
    """
    try:
        answer = _decoder(action).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    rows = getattr(getattr(answer, action.container), action.item)
    values = {key: list(map(attrgetter(key), rows)) for key in action.keys}
    if None in values[action.keys[0]]:
        return None
    return Page(values, len(rows), loose_integer(answer.totalresults))


@cache
def _decoder(action: Action) -> msgspec.json.Decoder[Any]:
    row = msgspec.defstruct("Row", [(key, Any, None) for key in action.keys], gc=False)
    rows = msgspec.defstruct("Rows", [(action.item, list[row])])  # type: ignore[valid-type]
    answer = msgspec.defstruct(
        "Answer", [("result", Literal["success"]), (action.container, rows), ("totalresults", int | str | None, None)]
    )
    return msgspec.json.Decoder(answer)
