"""`python -m tests.histories [--answers N] [--readers N]`: plays a history and says whether any answer was wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.histories.play import History, play
from tests.histories.running import Length

SHOWN = 20


def in_words(history: History) -> str:
    """The figures, a line each."""
    verdict, tally = history.verdict, history.tally
    done, killed, failed = (
        ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())) or "none"
        for counts in (tally.done, tally.killed, tally.failed)
    )
    statuses = ", ".join(f"{count:,} {status}" for status, count in sorted(history.statuses.items()))
    return f"""\
seed {history.seed}: {verdict.answers:,} answers in {history.seconds:.0f} s ({statuses}), \
{history.broken:,} connections broken
{history.changes:,} changes at the sources; runs: {done}
killed: {killed}
failed, the database being away: {failed}
{verdict.claims:,} distinct claims of content and age: {verdict.pairs:,} of one pair of instants, \
{verdict.unasked:,} with a total whose balance was not asked for yet
{tally.looked:,} database snapshots looked at whole
{len(history.violations):,} violations"""


def main() -> int:
    """Exit 0 when every answer was right."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--answers", type=int, default=100_000, metavar="N", help="to be noted (100,000)")
    parser.add_argument("--seconds", type=float, default=86_400, metavar="S", help="and no longer than this (a day)")
    parser.add_argument("--readers", type=int, default=64, metavar="N", help="connections (64)")
    parser.add_argument("--customers", type=int, default=24, metavar="N", help="size of the population (24)")
    parser.add_argument("--seed", type=int, default=int(time.time()), metavar="S", help="of all choices (the clock)")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="me-status-histories-"))
    sys.stdout.write(f"seed {given.seed}, notes and logs in {folder}\n")
    length = Length(given.answers, given.seconds, given.readers, given.customers)
    history = play(folder, given.seed, length)
    sys.stdout.write(in_words(history) + "\n")
    sys.stdout.writelines(f"  {one}\n" for one in history.violations[:SHOWN])
    return 1 if history.violations else 0


if __name__ == "__main__":
    sys.exit(main())
