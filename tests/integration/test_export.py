"""Published tables and views leave as files, with amounts exact."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet
import pytest
from sqlalchemy import Engine, text

from config.errors import SettingsError
from jobs.commands.export import export


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        connection.execute(
            text(
                """
                insert into me_status (
                    customer_id, salesforce_account_id, eligibility_status, verification_status, amount_due, currency,
                    task_count, document, content_hash, computed_at, rules_version, run_id
                )
                select
                    'c' || number, 'c' || number, 'eligible', 'verified', 3300.10, 'JPY',
                    0, '{"a":  1}', 'h', '2026-03-01T09:00:00Z', 'v', 1
                from generate_series(1, 25000) as number
                """
            )
        )
    return engine


def test_parquet_has_every_row_with_exact_amounts_and_bytes(filled: Engine, tmp_path: Path) -> None:
    """Amounts keep their digits and documents their bytes; instants are instants."""
    file = tmp_path / "me_status.parquet"
    assert 25_000 == export(filled, "me_status", file)
    table = pyarrow.parquet.read_table(file)
    first = table.slice(0, 1).to_pylist()[0]
    assert 25_000 == table.num_rows
    assert ("3300.10", '{"a":  1}') == (first["amount_due"], first["document"])
    assert "2026-03-01T09:00:00+00:00" == first["computed_at"].isoformat()


def test_csv_has_a_header_and_every_row(filled: Engine, tmp_path: Path) -> None:
    """One line per row and one of names."""
    file = tmp_path / "me_status.csv"
    export(filled, "me_status", file)
    lines = file.read_text().splitlines()
    assert 25_001 == len(lines)
    assert lines[0].startswith('"customer_id"')


def test_views_of_analytics_can_be_exported(filled: Engine, tmp_path: Path) -> None:
    """A view is named with its schema."""
    assert 1 == export(filled, "analytics.customers_by_state", tmp_path / "states.csv")


def test_an_empty_table_gives_a_file_with_the_columns(engine: Engine, tmp_path: Path) -> None:
    """No rows is an answer, too."""
    export(engine, "notification", tmp_path / "notification.csv")
    assert "customer_id" in (tmp_path / "notification.csv").read_text()


@pytest.mark.parametrize("table", ["snapshot.account", "pg_user", "job_run; drop table job_run", "public.job_run"])
def test_only_what_is_published_leaves(engine: Engine, tmp_path: Path, table: str) -> None:
    """Anything else is wrong usage, and the message lists what there is."""
    with pytest.raises(SettingsError, match="me_status"):
        export(engine, table, tmp_path / "x.csv")
    assert [] == list(tmp_path.iterdir())
