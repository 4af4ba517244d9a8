"""The form of sql/queries: what each statement answers, what its parameters mean, one dialect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

QUERIES = Path(__file__).parents[2] / "sql" / "queries"
NAMES = sorted(str(path.relative_to(QUERIES)) for path in QUERIES.rglob("*.sql"))
PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")
DOCUMENTED = re.compile(r"-- :([a-z_]\w*)  +\S")


def parts(name: str) -> tuple[list[str], str]:
    """The comment lines at the head, and the statement without literals."""
    lines = (QUERIES / name).read_text(encoding="utf-8").splitlines()
    size = next(at for at, line in enumerate(lines) if not line.startswith("--"))
    return lines[:size], re.sub(r"'[^']*'", "''", "\n".join(lines[size:]))


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_says_what_it_answers_and_what_its_parameters_mean(name: str) -> None:
    """One sentence, then a line for each parameter and for nothing else."""
    head, statement = parts(name)
    assert re.fullmatch(r"-- [A-Z].*\.", head[0])
    assert not PARAMETER.findall(head[0])
    documented = [match[1] for line in head if (match := DOCUMENTED.match(line))]
    assert sorted(set(PARAMETER.findall(statement))) == sorted(documented)


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_is_one_and_in_one_dialect(name: str) -> None:
    """No semicolon, `text[]` without a space, joins spelled out, lines of at most 120 characters."""
    head, statement = parts(name)
    assert ";" not in statement
    assert not re.search(r"\w \[\]", statement)
    assert not re.search(r"(?<!inner)(?<!left)(?<!full)(?<!cross) join\b", " ".join(statement.split()))
    assert max(map(len, [*head, *statement.splitlines()])) <= 120
