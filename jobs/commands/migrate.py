"""`migrate`: brings the database to the current schema."""

from __future__ import annotations

import argparse

from config import database
from jobs import migrate, program
from jobs.program import SUCCESS, answer, say


def command(arguments: argparse.Namespace) -> int:
    """Migrates; safe to repeat, and to run twice at once."""
    engine = database.connect(program.load().settings)
    try:
        revision = migrate.migrate(engine)
    finally:
        engine.dispose()
    if arguments.json:
        answer({"revision": revision})
    else:
        say(f"the database is at schema {revision}")
    return SUCCESS
