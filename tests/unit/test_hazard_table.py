"""The table of hazards is complete, and what it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SALESFORCE = ["H1", "H2", "H2b", *(f"H{number}" for number in range(3, 56))]
WHMCS = [f"Q{number}" for number in range(1, 39)]
ROW = re.compile(r"^\| ([HQ]\w+) \|(.*)\|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def part(heading: str) -> str:
    """The text under one heading of the second level."""
    text = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@cache
def functions_of(path: str) -> frozenset[str]:
    """The test functions of a file; none when there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("heading", "ids"), [("Salesforce", SALESFORCE), ("WHMCS", WHMCS)])
def test_every_hazard_is_in_its_table_once_and_in_order(heading: str, ids: list[str]) -> None:
    """H1 to H55 with H2b, Q1 to Q38, as the references list them."""
    assert ids == [row[0] for row in ROW.findall(part(heading))]


@pytest.mark.parametrize("heading", ["Salesforce", "WHMCS"])
def test_every_hazard_has_a_test_or_a_reason(heading: str) -> None:
    """Four cells; the last one names a test or says why the hazard cannot occur."""
    rows = {name: [cell.strip() for cell in cells.split(" | ")] for name, cells in ROW.findall(part(heading))}
    assert dict.fromkeys(rows, 3) == {name: len(cells) for name, cells in rows.items()}
    assert [] == [
        name for name, cells in rows.items() if not NAMED.search(cells[-1]) and "annot occur" not in cells[-1]
    ]


def test_every_test_named_exists() -> None:
    """A test that is renamed takes its row along."""
    text = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
    assert [] == [f"{path}::{name}" for path, name in NAMED.findall(text) if name not in functions_of(path)]
