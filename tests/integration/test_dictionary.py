"""What is written for analysts is true of the database."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import psycopg
import pytest

from tests import dictionary
from tests.catalog import read

STATEMENTS = re.findall(r"```sql\n(.*?)```", (Path(dictionary.FILE).with_name("analysts.md")).read_text(), re.DOTALL)


@pytest.mark.parametrize("file", dictionary.FILES, ids=lambda file: file.name)
def test_what_is_generated_is_up_to_date(module_database_url: str, file: Path) -> None:
    """Every table, view and column as its comment has it; `python -m tests.dictionary` writes it anew."""
    with psycopg.connect(module_database_url) as connection:
        assert dictionary.FILES[file](read(connection)) == file.read_text()


def test_every_view_is_described_in_full(module_database_url: str) -> None:
    """A comment for each relation and column; no column that names an enumeration leaves its values out."""
    with psycopg.connect(module_database_url) as connection:
        relations = read(connection)
    assert [] == [one.full_name for one in relations if not one.about or not all(c.meaning for c in one.columns)]
    values = {f"{one.name}.{column.name}": column.values for one in relations for column in one.columns}
    assert ("running", "succeeded", "failed", "held", "discarded") == values["job_run.outcome"]
    assert 12 == len(values["notification.type"])


def test_every_statement_for_analysts_runs_for_their_role(module_database_url: str) -> None:
    """Twenty questions and the feed, as me_status_analyst."""
    assert 21 == len(STATEMENTS)
    with psycopg.connect(module_database_url) as connection:
        connection.execute("set role me_status_analyst")
        for statement in STATEMENTS:
            connection.execute(statement)


@pytest.mark.parametrize(
    "column", ["me_status.document", "me_status_history.document", "notification.message", "notification.about"]
)
def test_personal_columns_are_closed_to_analysts(module_database_url: str, column: str) -> None:
    """Open to me_status_analyst_pii alone."""
    table, name = column.split(".")
    with psycopg.connect(module_database_url) as connection:
        found = connection.execute(
            "select has_column_privilege(role, %s, %s, 'select')"
            " from unnest(array['me_status_analyst', 'me_status_analyst_pii']) as role",
            (table, name),
        ).fetchall()
    assert [(False,), (True,)] == found


def test_every_plot_of_the_docs_asks_what_their_role_may(module_database_url: str) -> None:
    """The statements of docs/plots.py, as me_status_analyst; each has its picture in docs/analysts.md."""
    plots = runpy.run_path(str(dictionary.DOCS / "plots.py"))["PLOTS"]
    page = (dictionary.DOCS / "analysts.md").read_text()
    with psycopg.connect(module_database_url) as connection:
        connection.execute("set role me_status_analyst")
        for name, (statement, _) in plots.items():
            connection.execute(statement)
            assert f"](plots/{name}.svg)" in page
            assert (dictionary.DOCS / "plots" / f"{name}.svg").exists()


def test_the_loader_of_the_docs_is_the_one_that_ran() -> None:
    """docs/analysts.md shows the resource of follow_with_dlt.py, word for word."""
    file = Path(__file__).parent / "independent" / "follow_with_dlt.py"
    resource = file.read_text().split("# docs: begin\n")[1].split("\n\n# docs: end")[0].strip("\n")
    assert resource in dictionary.FILE.with_name("analysts.md").read_text()
