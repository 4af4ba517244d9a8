"""What readers note: each answer in 22 bytes, each distinct one whole, once."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ANSWER = struct.Struct("<HIdd")
"""Customer, which of the reader's distinct answers, and the seconds at which it was asked and answered."""
Array = np.ndarray[Any, Any]
ANSWERS = np.dtype([("customer", "<u2"), ("kind", "<u4"), ("asked", "<f8"), ("answered", "<f8")])


@dataclass(frozen=True)
class Kind:
    """A distinct answer: to whom, under which tag, of which age, and the body; None: 304, as the tag says."""

    customer: int
    status: int
    tag: str
    as_of: str
    body: str | None


class Notebook:
    """Written by one reader process. Answers go to `NAME.answers`, distinct ones to `NAME.kinds`, a JSON line each."""

    def __init__(self, path: Path) -> None:
        self._answers = path.with_suffix(".answers").open("wb", buffering=1 << 16)
        self._kinds = path.with_suffix(".kinds").open("w", buffering=1)
        self._known: dict[tuple[int, bytes, bytes], int] = {}

    def note(self, customer: int, head: bytes, body: bytes, asked: float, answered: float) -> None:
        kind = self._known.get((customer, header(head, b"me-status-as-of"), body or header(head, b"etag")))
        if kind is None:
            kind = self._new(customer, head, body)
        self._answers.write(ANSWER.pack(customer, kind, asked, answered))

    def _new(self, customer: int, head: bytes, body: bytes) -> int:
        tag, as_of = header(head, b"etag"), header(head, b"me-status-as-of")
        self._known[customer, as_of, body or tag] = kind = len(self._known)
        known = Kind(customer, int(head[9:12]), tag.decode(), as_of.decode(), body.decode() if body else None)
        self._kinds.write(json.dumps(vars(known)) + "\n")
        return kind

    def close(self) -> None:
        self._answers.close()
        self._kinds.close()


def header(head: bytes, name: bytes) -> bytes:
    """The value of a header, given in lower case; empty where there is none."""
    start = head.lower().find(b"\r\n%b:" % name)
    if start < 0:
        return b""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip()


def count(folder: Path) -> int:
    """How many answers are noted in the folder so far."""
    return sum(path.stat().st_size for path in folder.glob("*.answers")) // ANSWER.size


def read(folder: Path) -> tuple[Array, list[Kind]]:
    """All readers' answers, their kinds numbered through, and the kinds."""
    answers, kinds = [], []
    for path in sorted(folder.glob("*.answers")):
        part = np.fromfile(path, ANSWERS)
        part["kind"] += len(kinds)
        answers.append(part)
        kinds += [Kind(**json.loads(line)) for line in path.with_suffix(".kinds").read_text().splitlines()]
    return np.concatenate(answers), kinds
