"""`me-status hint`: customers noted to be read again."""

from __future__ import annotations

import json
import threading

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text

from jobs.__main__ import main

SHORT, LONG = "001000000000001", "001000000000001AAA"


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch, database_url: str, engine: Engine) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def noted(engine: Engine) -> set[tuple[str, str, str, int]]:
    """Kind, id, origin and number of the hints that wait."""
    with engine.connect() as connection:
        rows = connection.execute(text("select kind, subject_id, origin, hints from pipeline.hint"))
        return {(row.kind, row.subject_id, row.origin, row.hints) for row in rows}


def test_accounts_and_clients_are_noted_in_one_form(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """15 characters and 18 are one account; a number is a client; a second hint counts up."""
    assert 0 == main(["hint", SHORT, LONG, "42", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert ([LONG], [42]) == (said["accountIds"], said["clientIds"])
    assert 0 == main(["hint", "42"])
    assert {("account", LONG, "operator", 1), ("client", "42", "operator", 2)} == noted(engine)


def test_words_that_are_not_ids_are_all_named_and_nothing_is_noted(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 for wrong use."""
    assert 2 == main(["hint", "42", "nobody", "0"])
    complaint = capsys.readouterr().err
    assert all(word in complaint for word in ("'nobody'", "'0'"))
    assert set() == noted(engine)


def test_a_hint_wakes_those_who_listen(database_url: str) -> None:
    """By NOTIFY, at the commit."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as listener:
        listener.execute("listen me_status_hint")
        giver = threading.Thread(target=main, args=(["hint", "42"],), daemon=True)
        giver.start()
        woken = next(listener.notifies(timeout=30, stop_after=1), None)
        giver.join()
    assert woken is not None
