"""Sessions read and write values in one form, whatever the database or the role has set."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from config.database import open_engine
from readapi.connections import OPTIONS, Connections


@pytest.mark.parametrize("setting", ["datestyle to 'German'", "datestyle to 'SQL, DMY'", "search_path to nowhere"])
def test_what_the_database_has_set_does_not_matter(engine: Engine, setting: str) -> None:
    """Dates come in ISO form, and our tables are found."""
    name = engine.url.database
    with engine.begin() as connection:
        connection.execute(text(f'alter database "{name}" set {setting}'))
    fresh = open_engine(engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    with fresh.connect() as connection:
        style = connection.execute(text("select current_setting('datestyle')")).scalar_one()
        assert 0 == connection.execute(text("select count(*) from job_run")).scalar_one()
    fresh.dispose()
    with engine.begin() as connection:
        connection.execute(text(f'alter database "{name}" reset all'))
    assert "ISO, MDY" == style


def test_the_api_says_its_own_after_connecting(engine: Engine) -> None:
    """Nothing is asked for as a start-up option, which poolers refuse; what the database has set does not matter."""
    name = engine.url.database
    with engine.begin() as connection:
        connection.execute(text(f"alter database \"{name}\" set datestyle to 'German'"))
        connection.execute(text(f'alter database "{name}" set search_path to nowhere'))
    api = Connections(engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
    asked = b"select current_setting('datestyle'), current_setting('statement_timeout'), count(*) from job_run"
    assert [("ISO, MDY", "3s", 0)] == api.run(asked, {})
    api.close()
    with engine.begin() as connection:
        connection.execute(text(f'alter database "{name}" reset all'))
    assert "options" not in OPTIONS
