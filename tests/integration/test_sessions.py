"""Sessions read and write values in one form, whatever the database or the role has set."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from config.database import open_engine


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
