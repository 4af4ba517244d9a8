"""The guest list: the only customers who are notified while `[notify] only` in `schedule.toml` names a file of them."""

from __future__ import annotations

from pathlib import Path

from config.errors import SettingsError
from config.salesforce_id import completed

SHOWN = 5
"""Faults of one file that are named."""


def load(only: str, schedule_file: Path | None) -> frozenset[str] | None:
    """The Account ids (18 characters) in the file, one a line, `#` begins a comment; None when `only` is empty.

    A relative path is looked for beside the schedule file, then in the working directory. Raises SettingsError.
    """
    if not only.strip():
        return None
    path = _found(Path(only.strip()), schedule_file)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [f"schedule.toml: notify.only: {path} cannot be read ({error}); give a text file, an Account id a line"]
        ) from error
    ids = {number: line.partition("#")[0].strip() for number, line in enumerate(lines, 1)}
    if wrong := [number for number, text in ids.items() if text and completed(text) is None]:
        raise SettingsError(
            [f"{path}: line {number} is not an Account id of 15 or 18 characters" for number in wrong[:SHOWN]]
        )
    return frozenset(account_id for text in ids.values() if (account_id := completed(text)) is not None)


def _found(path: Path, schedule_file: Path | None) -> Path:
    beside = path if schedule_file is None else schedule_file.parent / path
    return beside if beside.exists() else path
