"""Published tables and views leave as files, with amounts exact."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow.parquet
import pytest
from sqlalchemy import Engine, text

from config.errors import SettingsError
from jobs.__main__ import main
from jobs.commands.export import Wanted, export
from jobs.migrate import migrate


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
    assert 25_000 == export(filled, Wanted("me_status"), file)
    table = pyarrow.parquet.read_table(file)
    first = table.slice(0, 1).to_pylist()[0]
    assert 25_000 == table.num_rows
    assert (Decimal("3300.10"), '{"a":  1}') == (first["amount_due"], first["document"])
    assert "2026-03-01T09:00:00+00:00" == first["computed_at"].isoformat()


def test_csv_has_a_header_and_every_row(filled: Engine, tmp_path: Path) -> None:
    """One line per row and one of names."""
    file = tmp_path / "me_status.csv"
    export(filled, Wanted("me_status"), file)
    lines = file.read_text().splitlines()
    assert 25_001 == len(lines)
    assert lines[0].startswith("customer_id,")


def test_views_of_analytics_can_be_exported(filled: Engine, tmp_path: Path) -> None:
    """A view is named with its schema."""
    assert 1 == export(filled, Wanted("analytics.customers_by_state"), tmp_path / "states.csv")


def test_an_empty_table_gives_a_file_with_the_columns(engine: Engine, tmp_path: Path) -> None:
    """No rows is an answer, too."""
    export(engine, Wanted("notification"), tmp_path / "notification.csv")
    assert "customer_id" in (tmp_path / "notification.csv").read_text()


@pytest.mark.parametrize("table", ["snapshot.account", "pg_user", "job_run; drop table job_run", "public.job_run"])
def test_only_what_is_published_leaves(engine: Engine, tmp_path: Path, table: str) -> None:
    """Anything else is wrong usage, and the message lists what there is."""
    with pytest.raises(SettingsError, match="me_status"):
        export(engine, Wanted(table), tmp_path / "x.csv")
    assert [] == list(tmp_path.iterdir())


# Read by others -------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(engine: Engine) -> Engine:
    """Two notifications, one with a line end, an empty text and quotes in it; one invoice's money, one unknown."""
    with engine.begin() as connection:
        connection.execute(
            text(
                """
                insert into notification (
                    notification_id, customer_id, type, source_id, title, message, action_url, action_label, created_at,
                    run_id, about
                )
                values
                    (
                        '00000000-0000-0000-0000-000000000001', 'c1', 'INVOICE_DUE', '1', 'a "b",\nc', '', '/', null,
                        '2026-03-01T00:30:00+09:00', 1, '{"amount":  "1.50"}'
                    ),
                    (
                        'ffffffff-ffff-ffff-ffff-ffffffffffff', 'c2', 'INVOICE_DUE', '2', 't', 'm', '/', 'Pay',
                        '2026-03-01T09:00:00Z', 1, '{}'
                    );
                insert into snapshot.invoice (invoice_id, client_id, status, total, currency, due_on)
                values (1, 1, 'Unpaid', 0.10, 'JPY', '2026-03-01'), (2, 1, 'Unpaid', 0.2, 'JPY', null),
                    (3, 1, 'Unpaid', null, null, '2026-04-01');
                """
            )
        )
    return engine


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_pandas_duckdb_and_polars_read_amounts_as_numbers_and_sum_them(
    sent: Engine, tmp_path: Path, ending: str
) -> None:
    """0.10 and 0.2 are 0.3 in each of the three, and in Parquet exactly so; an unknown amount is a null."""
    duckdb, polars, pandas = (pytest.importorskip(name) for name in ("duckdb", "polars", "pandas"))
    file = tmp_path / f"invoice.{ending}"
    assert 3 == export(sent, Wanted("analytics.invoice", ["invoice_id", "total", "due_on"]), file)
    with_duckdb = duckdb.sql(f"select sum(total), count(total), max(due_on) from '{file}'").fetchall()[0]
    with_polars = getattr(polars, f"read_{ending}")(file)["total"]
    with_pandas = getattr(pandas, f"read_{ending}")(file)["total"]
    assert ["0.3"] * 3 == [f"{float(total):.1f}" for total in (with_duckdb[0], with_polars.sum(), with_pandas.sum())]
    assert (2, "2026-04-01") == (with_duckdb[1], str(with_duckdb[2]))
    assert (1, 1) == (with_polars.null_count(), with_pandas.isna().sum())
    if ending == "parquet":
        assert [Decimal("0.30")] * 3 == [with_duckdb[0], with_polars.sum(), with_pandas.sum()]


def test_a_parquet_file_has_the_types_of_the_table(sent: Engine, tmp_path: Path) -> None:
    """Instants, uuids and JSON are such; texts keep line ends and quotes; empty is not null."""
    file = tmp_path / "notification.parquet"
    export(sent, Wanted("notification"), file)
    table = pyarrow.parquet.read_table(file).sort_by("customer_id")
    types = {field.name: str(field.type) for field in table.schema}
    assert "timestamp[us, tz=UTC]" == types["created_at"]
    assert ("extension<arrow.uuid>", "extension<arrow.json>") == (types["notification_id"], types["about"])
    first, second = table.to_pylist()
    assert ('a "b",\nc', "", None) == (first["title"], first["message"], first["action_label"])
    assert ("2026-02-28T15:30:00+00:00", '{"amount":  "1.50"}') == (first["created_at"].isoformat(), first["about"])
    assert "ffffffff-ffff-ffff-ffff-ffffffffffff" == str(second["notification_id"])


@pytest.mark.parametrize("module", ["duckdb", "polars", "pandas"])
def test_every_column_of_a_table_is_read_by(sent: Engine, tmp_path: Path, module: str) -> None:
    """No type that one of them cannot open."""
    reader = pytest.importorskip(module)
    file = tmp_path / "notification.parquet"
    export(sent, Wanted("notification"), file)
    rows = reader.sql(f"select * from '{file}'").fetchall() if module == "duckdb" else reader.read_parquet(file)
    assert 2 == len(rows)


def test_rows_since_an_instant_and_some_columns(sent: Engine, tmp_path: Path) -> None:
    """--since goes by changed_at; --columns gives these, in this order."""
    with sent.begin() as connection:
        connection.execute(text("alter table notification disable trigger user"))
        connection.execute(text("update notification set changed_at = '2026-01-01' where customer_id = 'c1'"))
    file = tmp_path / "some.csv"
    wanted = Wanted("notification", ["type", "customer_id"], datetime(2026, 2, 1, tzinfo=UTC))
    assert 1 == export(sent, wanted, file)
    assert "type,customer_id\nINVOICE_DUE,c2\n" == file.read_text()


def test_what_cannot_be_exported_is_said(sent: Engine, tmp_path: Path) -> None:
    """An unknown column, and --since on what has no changed_at, in one go."""
    wanted = Wanted("analytics.settings", ["zone", "tody"], datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(SettingsError) as raised:
        export(sent, wanted, tmp_path / "x.csv")
    assert [True, True] == ["tody" in raised.value.faults[0], "--since" in raised.value.faults[1]]


@pytest.mark.parametrize(("role", "has_document"), [("me_status_analyst", False), ("me_status_analyst_pii", True)])
def test_a_login_with_only_the_analysts_role_exports(
    filled: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str, has_document: bool
) -> None:
    """Without personal columns, unless its role has them; views too; it is read-only and bounded after a migrate."""
    login = f"reader_{filled.url.database}"
    with filled.begin() as connection:
        connection.execute(text(f'create role "{login}" login in role {role}'))
        connection.execute(text("truncate pipeline.published_source"))
    migrate(filled)
    url = filled.url.set(drivername="postgresql", username=login).render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url)
    try:
        assert 0 == main(["export", "me_status", "--to", str(tmp_path / "me_status.parquet")])
        assert 0 == main(["export", "analytics.settings", "--to", str(tmp_path / "settings.csv")])
        with psycopg.connect(url) as reading:
            assert ("on", "5min") == reading.execute(
                "select current_setting('default_transaction_read_only'), current_setting('statement_timeout')"
            ).fetchone()
    finally:
        with filled.begin() as connection:
            connection.execute(text(f'drop role "{login}"'))
    names = pyarrow.parquet.read_schema(tmp_path / "me_status.parquet").names
    assert ("amount_due" in names, has_document) == (True, "document" in names)
