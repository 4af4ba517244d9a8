"""`verify`: is the snapshot equal to its sources? Asked by counts, a dozen calls a source."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

import sql
from config.database import LiveDatabase
from jobs.program import FAILED, NEEDS_ATTENTION, SUCCESS, Program, answer, complain, load, say
from jobs.runs import ledger, proof
from jobs.sources.errors import SourceError
from jobs.text import in_seconds, written
from materializer.snapshot.streams import Source

SOURCES: tuple[Source, ...] = ("salesforce", "whmcs")


def command(arguments: argparse.Namespace) -> int:
    """Compares and says how far each stream is proved; exit 0 equal, 3 not, 1 when a source could not be asked."""
    sources: tuple[Source, ...] = SOURCES if arguments.source is None else (arguments.source,)
    program = load(*(f"sync-{source}" for source in sources))
    with program.database() as engine:
        asked = [_verified(engine, program, source) for source in sources]
    if arguments.json:
        answer({"equal": all(one["error"] is None and one["equal"] for one in asked), "sources": asked})
    else:
        for one in asked:
            _print(one)
    if any(one["error"] is not None for one in asked):
        return FAILED
    return SUCCESS if all(one["equal"] for one in asked) else NEEDS_ATTENTION


def _verified(engine: Engine, program: Program, source: Source) -> dict[str, Any]:
    """One source; no sync of it runs meanwhile."""
    database = LiveDatabase(engine)
    try:
        with ledger.alone(engine, f"sync-{source}"):
            proofs = proof.prove(database, program.settings, program.tables, source, datetime.now(UTC))
    except SourceError as error:
        return {"source": source, "equal": False, "error": str(error), "streams": []}
    with engine.connect() as connection:
        rows = connection.execute(sql.statement("proof/list_proofs"))
        through = {row.stream: row.proved_through for row in rows}
    return {
        "source": source,
        "equal": all(one.verdict != "differs" for one in proofs),
        "error": None,
        "streams": [
            {
                "stream": one.stream,
                "verdict": one.verdict,
                "provedThrough": written(through.get(one.stream)),
                "why": one.why,
                "differences": [proof.as_json(difference) for difference in one.differences[: proof.SAMPLES]],
            }
            for one in proofs
        ],
    }


def _print(asked: dict[str, Any]) -> None:
    if asked["error"] is not None:
        complain(f"{asked['source']}: could not be asked: {asked['error']}")
    for stream in asked["streams"]:
        through = stream["provedThrough"] or "never"
        why = f"; {stream['why']}" if stream["why"] else ""
        say(in_seconds(f"{asked['source']} {stream['stream']}: {stream['verdict']}, proved through {through}{why}"))
        for one in stream["differences"]:
            say(f"  {one['bucket']}: {one['source']:,} at the source, {one['snapshot']:,} in the snapshot")
