"""`migrate`: brings the database to the current schema."""

from __future__ import annotations

import argparse

from config import database
from config.database import LiveDatabase
from jobs import migrate, program, published
from jobs.program import SUCCESS, answer, say
from jobs.runs import dispatch


def command(arguments: argparse.Namespace) -> int:
    """Migrates; safe to repeat, and to run twice at once."""
    loaded = program.load()
    engine = database.connect(loaded.settings)
    try:
        revision = migrate.migrate(engine)
        rules = dispatch.rules(loaded.settings, loaded.tables)
        published.note_settings(LiveDatabase(engine), rules, loaded.tables.schedule)
    finally:
        engine.dispose()
    if arguments.json:
        answer({"revision": revision})
    else:
        say(f"the database is at schema {revision}")
    return SUCCESS
