"""`python -m tests.benchmarks.applying DATABASE_URL < JSON`: the product's pull or diff, alone in a process.

Standard input is JSON: `standin` (where a WHMCS stand-in is, to pull its invoices) or `staged` (a table of schema
`snapshot` whose rows are spooled as if pulled, which is not timed). Printed is JSON: seconds, rows, changed, and the
peak of memory that the process had resident, in MB.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from config import tables
from config.database import LiveDatabase, connect
from config.settings import Settings
from config.tables import Tables
from jobs.progress import silent
from jobs.runs import executor
from jobs.runs.sync import known_of, policy_for
from jobs.sources import whmcs
from jobs.sources.spool import SpooledRows
from materializer.snapshot import commit, store
from materializer.snapshot.commit import Applied
from materializer.snapshot.pulls import Pulled
from materializer.snapshot.store import Scope
from materializer.snapshot.streams import INVOICE
from materializer.units import At, Batching
from tests.benchmarks.bench import settings_for
from tests.benchmarks.ground import NOW

STAGED_AT_ONCE = 4000


def in_process(url: str, **options: Any) -> dict[str, Any]:
    """Runs it in a process of its own and gives what it printed."""
    command = [sys.executable, "-m", "tests.benchmarks.applying", url]
    done = subprocess.run(command, input=json.dumps(options), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def main() -> None:
    """Does what standard input wishes; the clock starts when settings and data files are read."""
    options = json.load(sys.stdin)
    settings = settings_for(sys.argv[1], **_leading_to(options.get("standin")))
    database = LiveDatabase(connect(settings))
    files = tables.load(settings)
    if "standin" in options:
        began = time.perf_counter()
        pulled = _pulled(database, settings, files, options["page_size"])
    else:
        pulled = _staged(database, options["staged"])
        began = time.perf_counter()
    taken = _take_in(database, settings, files, pulled, options["run_id"])
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"seconds": seconds, "rows": taken.read, "changed": taken.changed, "peak": peak}
    sys.stdout.write(json.dumps(figures) + "\n")


def _leading_to(standin: dict[str, Any] | None) -> dict[str, Any]:
    if standin is None:
        return {}
    given = {f"whmcs_{name}": standin[name] for name in ("url", "identifier", "secret")}
    return given | {"whmcs_timezone": "Asia/Tokyo"}


def _pulled(database: LiveDatabase, settings: Settings, files: Tables, page_size: int) -> Pulled:
    pulls = files.schedule.whmcs.model_copy(update={"page_size": page_size, "concurrency": 4})
    timing = files.schedule.model_copy(update={"whmcs": pulls})
    source = whmcs.connect(settings, files.mapping, timing, silent())
    with database.begin() as connection:
        state = store.stream_states(connection).get("invoice")
    known = known_of(database, files.mapping, "invoice")
    pulled = source.pull("invoice", state, full=True, known=known, now=NOW)
    source.close()
    return pulled


def _staged(database: LiveDatabase, table: str) -> Pulled:
    """The rows of a table beside the snapshot's own, spooled as a pull would have left them."""
    spool, stream = SpooledRows(INVOICE), replace(INVOICE, name=table)
    with database.begin() as connection:
        first, last = connection.execute(text(f"select min(invoice_id), max(invoice_id) from {stream.table}")).one()
        for above in range(first - 1, last, STAGED_AT_ONCE):
            spool.add(store.read_rows(connection, stream, Scope(above=above, up_to=above + STAGED_AT_ONCE)))
    return Pulled(INVOICE, spool, "full", fields=("id",), source_time=NOW)


def _take_in(database: LiveDatabase, settings: Settings, files: Tables, pulled: Pulled, run_id: int) -> Applied:
    with database.begin() as connection:
        state = store.stream_states(connection).get("invoice")
    policy = policy_for(files.mapping, "invoice", state, pulled)
    window_rows = files.schedule.limits.window_rows
    with executor.submitting(settings, database) as submit:
        return commit.apply(database, pulled, policy, At(run_id, NOW), Batching(window_rows, submit))


if __name__ == "__main__":
    main()
