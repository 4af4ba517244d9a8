"""The words of config/types.py are those that the database admits."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from sqlalchemy import Engine, text

from config.types import JOBS, OrderStage

CHECKS = """
select string_agg(pg_get_constraintdef(pg_constraint.oid), ' ')
from pg_constraint
inner join pg_attribute on attrelid = conrelid and attnum = any (conkey)
where contype = 'c' and conrelid = cast(:relation as regclass) and attname = :column_name
"""


@pytest.mark.parametrize(
    ("relation", "column", "words"),
    [
        ("job_run", "job", JOBS),
        ('snapshot."order"', "stage", get_args(OrderStage)),
    ],
)
def test_a_check_lists_the_words_of_its_type(
    engine: Engine, relation: str, column: str, words: tuple[str, ...]
) -> None:
    """A word added to one of them and not to the other fails here rather than in production."""
    with engine.connect() as connection:
        parameters = {"relation": relation, "column_name": column}
        found = connection.execute(text(CHECKS), parameters).scalar_one()
    assert set(words) == set(re.findall(r"'([^']+)'::text", found or ""))
