"""The one reader of the TOML data files: the packaged file or the operator's replacement, checked whole."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from config.errors import SettingsError


class Table(BaseModel):
    """A checked, frozen table of a data file; an unknown key is a fault, so that no misspelling is passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid")


TableT = TypeVar("TableT", bound=Table)


def read(model: type[TableT], packaged: str, replacement: Path | None) -> TableT:
    """The data file `packaged` (a name in config/), or the file at `replacement` when one is given.

    Raises SettingsError naming the file, each key at fault and what is wrong with it.
    """
    name = str(replacement) if replacement else f"config/{packaged}"
    try:
        text = (
            replacement.read_text(encoding="utf-8")
            if replacement
            else files("config").joinpath(packaged).read_text("utf-8")
        )
        return model.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{name}: cannot be read ({error}); give the path of a UTF-8 TOML file"]) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{name}: is not TOML ({error})"]) from error
    except ValidationError as error:
        raise SettingsError([f"{name}: {_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]) from error


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"
