"""The one reader of the TOML data files: the packaged file with the operator's laid over it, checked whole."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from config.errors import SettingsError
from config.nearest import did_you_mean

REPLACED_WHOLE = ("jobs", "words")
"""Top-level tables whose own tables are replaced whole: a job's timing, and the words of one status."""


class Table(BaseModel):
    """A checked, frozen table of a data file; an unknown key is a fault, so that no misspelling is passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # built when read: a table in a table once


TableT = TypeVar("TableT", bound=Table)


def read(model: type[TableT], packaged: str, overlay: Path | None) -> TableT:
    """The data file `packaged` (a name in config/), with the file at `overlay` laid over it when one is given.

    Raises SettingsError naming the file, each key at fault and what is wrong with it.
    """
    name = str(overlay) if overlay else f"config/{packaged}"
    try:
        return model.model_validate(laid_over(packaged_values(packaged), overlay_values(overlay)))
    except ValidationError as error:
        raise SettingsError([_fault(name, model, dict(fault)) for fault in error.errors()]) from error


def packaged_values(packaged: str) -> dict[str, Any]:
    """What the packaged file of this name says, unchecked."""
    return tomllib.loads(files("config").joinpath(packaged).read_text("utf-8"))


def overlay_values(overlay: Path | None) -> dict[str, Any]:
    """What the operator's file says, unchecked; nothing when none is given. Raises SettingsError naming the file."""
    if overlay is None:
        return {}
    try:
        return tomllib.loads(overlay.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{overlay}: cannot be read ({error}); give the path of a UTF-8 TOML file"]) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{overlay}: is not TOML ({error})"]) from error


def laid_over(below: dict[str, Any], above: dict[str, Any], whole: tuple[str, ...] = REPLACED_WHOLE) -> dict[str, Any]:
    """What `above` gives replaces, what it leaves out stays; lists, and tables inside `whole`, are one value."""

    def over(name: str, value: Any) -> Any:
        known = below.get(name)
        if not isinstance(known, dict) or not isinstance(value, dict):
            return value
        return known | value if name in whole else laid_over(known, value, ())

    return below | {name: over(name, value) for name, value in above.items()}


def _fault(name: str, model: type[Table], fault: dict[str, Any]) -> str:
    location = fault["loc"]
    if fault["type"] == "extra_forbidden":
        known = _known_names(model, location[:-1])
        return f"{name}: {_place(location)}: is not a key of it{did_you_mean(str(location[-1]), known)}"
    return f"{name}: {_place(location)}: {fault['msg'].removeprefix('Value error, ')}"


def _known_names(annotation: Any, location: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at this place; none where the place is not a table of a model."""
    table = _table_in(annotation)
    if table is None:
        return []
    if get_origin(annotation) is dict:
        return _known_names(table, location[1:])
    if not location:
        return list(table.model_fields)
    field = table.model_fields.get(str(location[0]))
    return [] if field is None else _known_names(field.annotation, location[1:])


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation such as `dict[str, Model]` or `Model | None` holds."""
    if _is_table(annotation):
        return annotation  # type: ignore[no-any-return]
    return next((found for part in get_args(annotation) if (found := _table_in(part)) is not None), None)


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"
