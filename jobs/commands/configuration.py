"""`config`: the settings and data files in force, where each came from, and what is wrong with them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config import database, datafile, given, logs, settings, tables
from config.errors import SettingsError
from config.given import Given
from config.settings import Settings
from config.tables import DATA_FILES
from jobs.program import SUCCESS, WRONG_USE, answer, complain, say

OF_SOURCE = {"salesforce": "SALESFORCE_", "whmcs": "WHMCS_"}


def command(arguments: argparse.Namespace) -> int:
    """Shows or checks the configuration; exit 2 with every fault named when there are any."""
    loaded, wrong = settings.read()
    logs.remember_secrets(loaded)
    found = given.everything()
    faults = [*given.unknown(settings.known_names(), found), *wrong.values(), *_faults_of_files(loaded)]
    faults += [fault for fault in _half_given(loaded) if fault.split(" ")[0] not in wrong]
    shown = _shown(loaded, found) if arguments.action == "show" else {}
    if arguments.json:
        answer({**shown, "ok": not faults, "faults": faults})
    else:
        for line in _in_words(shown):
            say(line)
        if not faults and arguments.action == "check":
            say("the settings and the data files are sound")
    for fault in faults:
        complain(fault)
    return WRONG_USE if faults else SUCCESS


def _faults_of_files(loaded: Settings) -> list[str]:
    try:
        tables.load(loaded)
    except SettingsError as error:
        return error.faults
    return []


def _half_given(loaded: Settings) -> Iterator[str]:
    """What a source misses of which something is set: a machine that only serves needs none of it."""
    for source, prefix in OF_SOURCE.items():
        names = [name for name in loaded.model_fields_set if name.upper().startswith(prefix)]
        if any(getattr(loaded, name) is not None for name in names if not name.endswith("timezone")):
            try:
                loaded.require(source)  # type: ignore[arg-type]
            except SettingsError as error:
                yield from error.faults


def _shown(loaded: Settings, found: dict[str, Given]) -> dict[str, Any]:
    return {
        "settings": {name.upper(): _setting(loaded, name, found) for name in Settings.model_fields},
        "dataFiles": {name: _data_file(getattr(loaded, f"me_status_{name}"), f"{name}.toml") for name in DATA_FILES},
    }


def _setting(loaded: Settings, name: str, found: dict[str, Given]) -> dict[str, Any]:
    value, upper = getattr(loaded, name), name.upper()
    if f"{upper}_FILE" in found and f"{upper}_FILE" in settings.known_names() and not _is_set(found, upper):
        origin = found[f"{upper}_FILE"].value
    else:
        origin = found[upper].origin if _is_set(found, upper) else "default"
    return {"value": _without_secret(name, value), "from": origin}


def _is_set(found: dict[str, Given], name: str) -> bool:
    return name in found and bool(found[name].value.strip())


def _without_secret(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr):
        return logs.HIDDEN
    if name == "database_url" and value is not None:
        return database.without_password(value)
    return None if value is None else str(value)


def _data_file(overlay: Path | None, packaged: str) -> dict[str, Any]:
    """Each value in force by its dotted key, and whether the operator's file or the packaged one gives it."""
    below = datafile.packaged_values(packaged)
    try:
        above = datafile.overlay_values(overlay)
    except SettingsError:
        above = {}
    of_operator = dict(_flat(above))
    return {
        "file": None if overlay is None else str(overlay),
        "values": {
            key: {"value": value, "from": str(overlay) if key in of_operator else f"config/{packaged}"}
            for key, value in _flat(datafile.laid_over(below, above))
        },
    }


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _in_words(shown: dict[str, Any]) -> Iterator[str]:
    for name, setting in shown.get("settings", {}).items():
        yield f"{name} = {'(not set)' if setting['value'] is None else setting['value']}  [{setting['from']}]"
    for name, file in shown.get("dataFiles", {}).items():
        yield f"\n{name}: config/{name}.toml" + ("" if file["file"] is None else f", with {file['file']} laid over it")
        for key, entry in file["values"].items():
            mark = "*" if entry["from"] == file["file"] else " "
            yield f" {mark} {key} = {entry['value']}"
