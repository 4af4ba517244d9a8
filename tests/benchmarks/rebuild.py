"""A full rebuild, every document computed and every row written again, against COPY of the same rows out and in."""

from __future__ import annotations

import tempfile

import psycopg

from tests.benchmarks.bench import Bench
from tests.benchmarks.ground import Ground, filled, timed
from tests.benchmarks.measured import Measured, at_most, of_rounds

GOAL = at_most(4)
NOTE = (
    "COPY goes to a file and back into a table with the same indexes. In the rebuild the rules have another version, "
    "so that all rows are read, computed and written; two workers share the cores with their two server processes"
)
NOTE_UNCHANGED = "the same, but every row comes out as stored: all is read, computed and compared, nothing written"


def run(bench: Bench) -> list[Measured]:
    """Both kinds of rebuild, each in rounds with its COPY."""
    customers = bench.sized(1_000_000)
    written, unchanged = [], []
    with filled(bench, customers) as ground:
        bench.say(f"the first documents: {timed(ground.rebuild):.1f} s")
        for _ in range(bench.pick(full=2, small=3)):
            ground.vacuum()
            copied = timed(lambda: copy_out_and_in(ground))
            rules = ground.reworded()
            written.append((timed(lambda: ground.rebuild(rules)), copied))  # noqa: B023
            unchanged.append((timed(lambda: ground.rebuild(rules)), copied))  # noqa: B023
            bench.say(f"rebuilt in {written[-1][0]:.1f} s, unchanged in {unchanged[-1][0]:.1f} s, COPY {copied:.1f} s")
    against = "COPY of the rows out and in"
    size = f"{customers:,} customers"
    return [
        of_rounds(f"full rebuild of {size}", against, written, "s", GOAL, NOTE),
        of_rounds(f"full rebuild of {size}, nothing differs", against, unchanged, "s", GOAL, NOTE_UNCHANGED),
    ]


def copy_out_and_in(ground: Ground) -> None:
    """COPY of me_status to a file, and from it into a table like it, indexes included."""
    with psycopg.connect(ground.url) as connection, tempfile.TemporaryFile() as file:
        with connection.cursor().copy("copy me_status to stdout") as rows:
            for block in rows:
                file.write(block)
        file.seek(0)
        connection.execute("create table copied (like me_status including all)")
        connection.commit()
        with connection.cursor().copy("copy copied from stdin") as rows:
            while block := file.read(1 << 20):
                rows.write(block)
        connection.commit()
        connection.execute("drop table copied")
