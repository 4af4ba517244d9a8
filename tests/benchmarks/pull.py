"""A pull of invoices from WHMCS into the snapshot, the first and the same again, against dlt merging the same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import make_url

from tests.benchmarks import rivals
from tests.benchmarks.applying import in_process
from tests.benchmarks.bench import Bench
from tests.benchmarks.ground import run_ids
from tests.benchmarks.measured import Measured, at_least, of_rounds
from tests.benchmarks.whmcs_standin import started

PAGE_SIZE = 1000
SCRIPT = Path(__file__).with_name("rival_dlt.py")
NOTE = (
    "ours asks a stand-in in a process of its own over HTTP, 4 requests at once, pages rendered beforehand, decodes, "
    "checks, spools and applies; dlt finds the rows decoded in memory, and its clock starts after that. {bound}"
)
BOUND = (
    "What bounds it: stand-in, server and pull share the two cores; of ours, decoding and checking the values come "
    "first"
)
BOUND_OF_SMALL = (
    "What bounds it: two requests and two commits, one after the other, and the first use of the libraries are more "
    "than half of so small a pull"
)


def run(bench: Bench) -> list[Measured]:
    """In rounds, each on fresh databases: ours first and again, theirs first and again."""
    first, again = [], []
    with started(bench.sized(40_000), PAGE_SIZE) as standin:
        rows = bench.home / "invoices.jsonl"
        count = _keep_rows(standin, rows)
        for _ in range(bench.pick(full=3, small=3)):
            ours, theirs = _ours(bench, standin), _theirs(bench, rows)
            for rounds, our_seconds, their_seconds in zip((first, again), ours, theirs, strict=True):
                rounds.append((count / our_seconds, count / their_seconds))
            bench.say(f"ours {ours[0]:.2f} and {ours[1]:.2f} s, dlt {theirs[0]:.2f} and {theirs[1]:.2f} s")
    what, rival = f"{count:,} invoices", "dlt 1.31 merge"
    note = NOTE.format(bound=BOUND_OF_SMALL if bench.is_small else BOUND)
    goal, goal_again = at_least(bench.pick(full=15, small=10)), at_least(bench.pick(full=25, small=10))
    return [
        of_rounds(f"first pull of {what}", rival, first, "rows/s", goal, note),
        of_rounds(f"unchanged pull of {what}", rival, again, "rows/s", goal_again, note),
    ]


def _ours(bench: Bench, standin: dict[str, Any]) -> list[float]:
    with bench.database() as url:
        return [
            in_process(url, standin=standin, page_size=PAGE_SIZE, run_id=next(run_ids))["seconds"] for _ in range(2)
        ]


def _theirs(bench: Bench, rows: Path) -> list[float]:
    with bench.database() as url:
        python = rivals.python_of(bench, "dlt")
        output = rivals.run([python, SCRIPT, rows, _credentials(url)], DLT_DATA_DIR=str(bench.home / "dlt"))
        seconds: list[float] = json.loads(output.splitlines()[-1])["seconds"]
        return seconds


def _credentials(url: str) -> str:
    """dlt's spelling: it wants a host before it looks at the socket in the query."""
    given = make_url(url)
    host = given.host or "localhost"
    return given.set(drivername="postgresql", host=host, port=given.port or 5432, password="any").render_as_string(
        hide_password=False
    )


def _keep_rows(standin: dict[str, Any], file: Path) -> int:
    """The rows of every page, a line each, as WHMCS writes them; how many rows."""
    count = 0
    form = {"identifier": standin["identifier"], "secret": standin["secret"], "action": "GetInvoices"}
    form |= {"responsetype": "json", "orderby": "id", "order": "asc", "limitnum": str(PAGE_SIZE)}
    with file.open("w", encoding="utf-8") as lines, httpx.Client(trust_env=False, timeout=60) as client:
        while count < standin["invoices"]:
            answer = client.post(standin["url"] + "/includes/api.php", data=form | {"limitstart": str(count)}).json()
            page = answer["invoices"]["invoice"]
            lines.write(json.dumps(page) + "\n")
            count += len(page)
    return count
