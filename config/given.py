"""What the environment and `.env` give, by name, before anything is checked: where each setting came from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from config.nearest import did_you_mean, nearest

DOTENV = ".env"
PREFIXES = ("SALESFORCE_", "WHMCS_", "DATABASE_")
"""Other programs use these, too: such a name is taken for ours only when it is like one of ours."""
OF_TESTS = ("ME_STATUS_TEST_", "ME_STATUS_TRUTH_", "ME_STATUS_BENCH_", "ME_STATUS_INDEPENDENT")
"""Switches of the project's own tests, which may be set while a command runs."""


@dataclass(frozen=True)
class Given:
    """A value as it was given, and by what: `environment`, `.env`, or the path of a file that NAME_FILE names."""

    value: str
    origin: str


def everything() -> dict[str, Given]:
    """All names of `.env` and of the environment, upper case; the environment wins."""
    dotenv = {name.upper(): Given(value, DOTENV) for name, value in dotenv_values(DOTENV).items() if value is not None}
    return dotenv | {name.upper(): Given(value, "environment") for name, value in os.environ.items()}


def from_files(names: Iterable[str], found: dict[str, Given]) -> tuple[dict[str, Given], dict[str, str]]:
    """The values in the files that NAME_FILE names, and a sentence by name for each that is at fault.

    A newline at the end is not part of the value: editors and `echo` leave one.
    """
    values, faults = {}, {}
    for name in names:
        path = found.get(f"{name}_FILE")
        if path is None or not path.value.strip():
            continue
        if name in found and found[name].value.strip():
            faults[name] = f"{name}: {name} and {name}_FILE are both set; keep one"
            continue
        try:
            text = Path(path.value).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            faults[name] = (
                f"{name}_FILE: {path.value} cannot be read ({type(error).__name__}); give a file of UTF-8 text"
            )
            continue
        if not text.strip():
            faults[name] = f"{name}_FILE: {path.value} is empty; it should hold the value of {name}"
        values[name] = Given(text, path.value)
    return values, faults


def unknown(known: Iterable[str], found: dict[str, Given]) -> list[str]:
    """A sentence for each name that looks like a setting and is not one."""
    names = set(known)
    return [
        f"{name} is not a setting{did_you_mean(name, names)}"
        for name in sorted(found)
        if name not in names and not name.startswith(OF_TESTS) and _looks_like_ours(name, names)
    ]


def _looks_like_ours(name: str, known: set[str]) -> bool:
    return name.startswith("ME_STATUS_") or (
        name.startswith(PREFIXES) and nearest(name, known, likeness=0.85) is not None
    )
