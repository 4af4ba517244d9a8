"""`python -m tests.benchmarks [--scale small|medium|full] [--only WORK] [--json FILE] [--write]`"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import page
from tests.benchmarks.bench import SHARES, opened
from tests.benchmarks.measured import Measured
from tests.benchmarks.works import WORKS, work_named


def main() -> int:
    """Runs the works and prints the table. Exit code 0 whether or not goals are met, 1 when a work failed."""
    arguments = _arguments()
    console = Console(stderr=True)
    measured: list[Measured] = []
    failed = False
    with opened(arguments.scale, console) as bench:
        for name in arguments.only or WORKS:
            console.rule(f"{name} ({arguments.scale})")
            try:
                measured += work_named(name)(bench)
            except Exception:  # noqa: BLE001, one work that cannot run leaves the others their turn
                console.print_exception()
                failed = True
    Console(width=None if sys.stdout.isatty() else 160).print(_table(measured))
    if arguments.json:
        arguments.json.write_text(json.dumps([row.as_json() for row in measured], indent=2) + "\n")
    if arguments.write:
        page.write(measured, arguments.scale)
    return int(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--scale", choices=list(SHARES), default="small", help="small: a hundredth of full, medium: a tenth"
    )
    parser.add_argument("--only", choices=list(WORKS), action="append", metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/benchmarks.md")
    return parser.parse_args()


def _table(measured: list[Measured]) -> Table:
    table = Table(title="me-status against the alternatives, side by side in one run")
    for heading in ("work", "against"):
        table.add_column(heading)
    for heading in ("ours", "theirs", "unit", "ratio", "goal", "met"):
        table.add_column(heading, justify="right")
    for row in measured:
        figures = (f"{row.ours:,.4g}", f"{row.theirs:,.4g}", row.unit, f"{row.ratio:.3g}", str(row.goal))
        table.add_row(row.work, row.against, *figures, "yes" if row.met else "no")
    return table


if __name__ == "__main__":
    sys.exit(main())
