"""Faults on demand: which requests of a stand-in go wrong, how, and how often."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass
class Fault:
    """One kind of misbehaviour.

    `kind` names it; `match` is a regular expression searched in the request's label (an API action or a path with its
    query); the first `after` matching requests pass, then `times` are hit (None: for ever). `arguments` refine the
    kind.
    """

    kind: str
    match: str = ""
    times: int | None = 1
    after: int = 0
    arguments: dict[str, Any] = field(default_factory=dict)
    hits: int = 0


class Faults:
    """The faults of one stand-in, taken in the order they were added. Safe from several threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, kind: str, match: str = "", *, times: int | None = 1, after: int = 0, **arguments: Any) -> Fault:
        fault = Fault(kind, match, times, after, arguments)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, label: str, *kinds: str, when: Callable[[Fault], bool] | None = None) -> Fault | None:
        """The fault that hits this request, counted as a hit; only of `kinds` when any are named.

        `when` looks at a fault's arguments before it counts as matching.
        """
        with self._lock:
            for fault in self._faults:
                if kinds and fault.kind not in kinds:
                    continue
                if not re.search(fault.match, label, re.IGNORECASE) or not (when is None or when(fault)):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is None or fault.hits < fault.times:
                    fault.hits += 1
                    return fault
        return None
