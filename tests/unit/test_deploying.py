"""What docs/deploying.md and the files beside it name is there: settings, commands and their options."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import known_names
from jobs.arguments import parser

DOCS = Path(__file__).parents[2] / "docs"
FILES = [DOCS / "deploying.md", *sorted((DOCS / "deploying").iterdir())]
MANIFESTS = ("compose.yml", "kubernetes.yml")
UNITS = sorted((DOCS / "deploying").glob("*.service"))
SETTING = re.compile(r"\b(?:(?:ME_STATUS|SALESFORCE|WHMCS)_[A-Z][A-Z_]*|DATABASE_URL(?:_FILE)?)\b")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_setting_named_exists(file: Path) -> None:
    """A misspelt setting in a manifest would be a default in silence."""
    assert set() == set(SETTING.findall(file.read_text())) - set(known_names())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_can_be_parsed(unit: Path) -> None:
    """With its options; and SIGTERM reaches the first process alone, which drains."""
    text = unit.read_text()
    (line,) = re.findall(r"^ExecStart=/opt/me-status/bin/me-status (.*)$", text, re.MULTILINE)
    assert unit.stem.removeprefix("me-status-") == parser().parse_args(line.split()).module
    assert {"KillMode=mixed", "Restart=always", "WorkingDirectory=/etc/me-status"} <= set(text.splitlines())


@pytest.mark.parametrize("name", MANIFESTS)
def test_containers_are_given_commands_that_can_be_parsed(name: str) -> None:
    """Each of `me-status`, `serve`, `schedule`, `migrate` and a job by its slot."""
    started = list(_words(list(yaml.safe_load_all((DOCS / "deploying" / name).read_text()))))
    assert {"migrate", "schedule", "serve"} <= {parser().parse_args(words).module for words in started}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not there")
def test_systemd_knows_every_line_of_the_units() -> None:
    """That the program is not installed on this machine is the one complaint allowed."""
    done = subprocess.run(["systemd-analyze", "verify", *UNITS], capture_output=True, text=True, timeout=60)
    named = [line for line in done.stderr.splitlines() if "me-status" in line]
    assert [] == [line for line in named if "/opt/me-status/bin/me-status is not executable" not in line]


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not there")
def test_compose_reads_its_file(tmp_path: Path) -> None:
    """Needs no engine; the settings file that the reader writes is an empty one here."""
    folder = tmp_path / "docs" / "deploying"
    shutil.copytree(DOCS / "deploying", folder)
    (folder / "me-status.env").touch()
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not there")
    command = ["docker", "compose", "-f", str(folder / "compose.yml"), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert 0 == done.returncode, done.stderr


def _words(node: Any) -> Iterator[list[str]]:
    """The words of every container that runs the product: compose's `command` lists, Kubernetes' `args`."""
    if isinstance(node, dict):
        if "build" in node and "command" in node:
            yield node["command"]
        elif node.get("image") == "me-status":
            yield node["args"]
        for value in node.values():
            yield from _words(value)
    elif isinstance(node, list):
        for value in node:
            yield from _words(value)
