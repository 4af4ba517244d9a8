"""What a request asks for: its query and its body, with every fault of both named at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import orjson
from flask import request

from readapi.problems import bad_request

INSTANT_TEXT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
Value = TypeVar("Value")


class Asked:
    """The query parameters and body members of the request under way; `done` raises what was found wrong."""

    def __init__(self) -> None:
        self._query = request.args
        self._read: set[str] = set()
        self._errors: list[dict[str, str]] = []

    def one(self, name: str, read: Callable[[str], Value], default: Value, wanted: str) -> Value:
        """A parameter, read by a function that raises ValueError for what is not `wanted`; twice is a fault."""
        self._read.add(name)
        given = self._query.getlist(name)
        if not given:
            return default
        try:
            if len(given) > 1:
                raise ValueError("given twice")
            return read(given[0])
        except ValueError:
            self._fault("parameter", name, f"{name} has to be {wanted}.")
            return default

    def several(self, name: str, known: Iterable[str]) -> list[str]:
        """A parameter that may come several times, each one of the known words."""
        self._read.add(name)
        words = sorted(known)
        for given in self._query.getlist(name):
            if given not in words:
                self._fault("parameter", name, f"{name} has to be one of {', '.join(words)}.")
        return self._query.getlist(name)

    def body(self, *members: str) -> dict[str, Any]:
        """The body's members: an object with no others than these, or nothing."""
        text = request.get_data(cache=False)
        if not text.strip():
            return {}
        try:
            given = orjson.loads(text)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            wanted = " with " + ", ".join(members) if members else ""
            self._fault("pointer", "", f"The body has to be empty or a JSON object{wanted}.")
            return {}
        for name in given.keys() - set(members):
            self._fault("pointer", f"/{name[:40]}", f"There is no such member; {_there_are(members)}.")
        return {name: given[name] for name in members if name in given}

    def instant(self, name: str, value: Any) -> datetime | None:
        """A member as an instant with an offset; None stays None."""
        if value is None:
            return None
        try:
            if not isinstance(value, str) or not INSTANT_TEXT.fullmatch(value):
                raise ValueError("not an instant")
            return datetime.fromisoformat(value.upper())
        except ValueError:
            self._fault("pointer", f"/{name}", f"{name} has to be an instant such as 2026-03-01T09:00:00+09:00.")
            return None

    def done(self) -> None:
        """Raises Problem (400) with every fault in `errors`: unknown parameters, and what the readings found."""
        for name in sorted(set(self._query) - self._read):
            self._fault("parameter", name[:40], f"There is no such parameter; {_there_are(sorted(self._read))}.")
        if self._errors:
            count = len(self._errors)
            detail = self._errors[0]["detail"] if count == 1 else f"{count} things are wrong; errors lists them."
            raise bad_request(detail, errors=self._errors)

    def _fault(self, kind: str, name: str, detail: str) -> None:
        self._errors.append({kind: name, "detail": detail})


def nothing() -> None:
    """Raises Problem (400) when the request has a query or a body where neither is known."""
    asked = Asked()
    if request.method == "POST":
        asked.body()
    asked.done()


def _there_are(names: Iterable[str]) -> str:
    known = ", ".join(names)
    return f"there are {known}" if known else "this address knows none"
