"""What is written for analysts is true of the database."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from tests import dictionary

STATEMENTS = re.findall(r"```sql\n(.*?)```", (Path(dictionary.FILE).with_name("analysts.md")).read_text(), re.DOTALL)


def test_the_data_dictionary_is_up_to_date(database_url: str) -> None:
    """Every table, view and column as its comment has it; `python -m tests.dictionary` writes it anew."""
    with psycopg.connect(database_url) as connection:
        assert dictionary.FILE.read_text() == dictionary.written(connection)


def test_every_statement_for_analysts_runs_for_their_role(database_url: str) -> None:
    """Twenty questions and the feed, as me_status_analyst."""
    assert 21 == len(STATEMENTS)
    with psycopg.connect(database_url) as connection:
        connection.execute("set role me_status_analyst")
        for statement in STATEMENTS:
            connection.execute(statement)


@pytest.mark.parametrize(
    "column", ["me_status.document", "me_status_history.document", "notification.message", "notification.about"]
)
def test_personal_columns_are_closed_to_analysts(database_url: str, column: str) -> None:
    """Open to me_status_analyst_pii alone."""
    table, name = column.split(".")
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "select has_column_privilege(role, %s, %s, 'select')"
            " from unnest(array['me_status_analyst', 'me_status_analyst_pii']) as role",
            (table, name),
        ).fetchall()
    assert [(False,), (True,)] == found
