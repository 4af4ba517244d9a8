"""`python -m tests.crashes [--times N]`: kills the worker, restarts its database, and prints what came of it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.crashes import server, stage
from tests.crashes.play import Disturbed, Figures, undisturbed


def chaos(times: int, *, seed: int, customers: int, binaries: Path | None, folder: Path) -> Figures:
    """Plays the script undisturbed, then disturbed `times` times or a few more, and compares after every command."""
    with server.running(binaries) as own:
        with stage.set_up("undisturbed", own, folder, customers) as peaceful:
            expected = undisturbed(peaceful)
        with stage.set_up("disturbed", own, folder, customers) as troubled:
            return Disturbed(troubled, expected, times, seed).play()


def in_words(figures: Figures) -> str:
    """The figures, a line each."""
    kills = "".join(f"\n    {count:6,} {kind}" for kind, count in sorted(figures.kills.items()))
    runs = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(figures.runs.items()))
    return f"""\
{sum(figures.kills.values()):,} kills of the worker (SIGKILL), {figures.came_too_late:,} more came too late:{kills}
{figures.restarts:,} restarts of the database under a worker (immediate)
{len(figures.points):,} different statements and commits were stopped at
{figures.commands:,} commands brought to their end; runs in the ledger: {runs}
{figures.compared:,} states compared with the undisturbed play, {figures.rows:,} rows: \
{len(figures.differences):,} differences
{sum(figures.sent.values()):,} notifications of {len(figures.sent)} types, {figures.doubles:,} of them sent twice
{figures.seconds:.0f} s"""


def main() -> int:
    """Exit 0 when nothing was lost and nothing sent twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description=__doc__)
    parser.add_argument("--times", type=int, default=300, metavar="N", help="kills and restarts (300)")
    parser.add_argument("--customers", type=int, default=40, metavar="N", help="size of the population (40)")
    parser.add_argument("--seed", type=int, default=int(time.time()), metavar="S", help="of the moments (the clock)")
    parser.add_argument("--postgresql", type=int, metavar="V", help="Debian's major version instead of the embedded")
    given = parser.parse_args()
    binaries = server.of_version(given.postgresql) if given.postgresql else None
    if given.postgresql and binaries is None:
        parser.error(f"PostgreSQL {given.postgresql} is not installed")
    sys.stdout.write(f"seed {given.seed}\n")
    folder = Path(tempfile.mkdtemp(prefix="me-status-crashes-log-"))
    figures = chaos(given.times, seed=given.seed, customers=given.customers, binaries=binaries, folder=folder)
    sys.stdout.write(in_words(figures) + "\n")
    return 1 if figures.differences or figures.doubles else 0


if __name__ == "__main__":
    sys.exit(main())
