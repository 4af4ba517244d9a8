"""Killed workers and a restarted database lose nothing and send nothing twice; `python -m tests.crashes` does more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.conftest import GIVEN_SERVER
from tests.crashes import server
from tests.crashes.__main__ import chaos, in_words

TIMES = 34
SEED = 20_260_301


def binaries() -> Path | None:
    """Programs of the version that the other tests run on, where they are at hand; else the embedded server's."""
    if GIVEN_SERVER is None:
        return None
    import psycopg

    with psycopg.connect(make_url(GIVEN_SERVER).set(drivername="postgresql").render_as_string(False)) as connection:
        return server.of_version(connection.info.server_version // 10000)


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals")
def test_what_was_killed_or_lost_its_database_ends_as_if_undisturbed(tmp_path: Path) -> None:
    """After the run that follows, every table equals that of an undisturbed play: nothing lost, nothing sent twice."""
    figures = chaos(TIMES, seed=SEED, customers=40, binaries=binaries(), folder=tmp_path)
    report = in_words(figures)
    sys.stdout.write(report)
    assert [] == figures.differences, report
    assert 0 == figures.doubles, report
    assert TIMES * 3 // 4 <= figures.disturbances, report
