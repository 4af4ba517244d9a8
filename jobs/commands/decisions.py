"""What operators asked for on the page, carried out by whoever runs jobs: the scheduler, or a run from cron."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

import sql
from config import logs
from jobs.commands import held
from jobs.program import Program
from jobs.runs import actions, ledger
from jobs.runs.ledger import ORDINARY
from jobs.runs.run import by_hand
from materializer.units import At

log = logs.get("decisions")


class Hand:
    """Carries actions out one after another, in a thread of its own, so that a long run delays nothing else."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decisions")
        self._under_way: Future[int] | None = None

    def carry_out(self, engine: Engine, program: Program) -> None:
        """Begins with what waits, unless it is at it already."""
        if self._under_way is None or self._under_way.done():
            self._under_way = self._thread.submit(carry_out, engine, program)

    def close(self) -> None:
        """Ends when the action under way has ended."""
        self._thread.shutdown(wait=True)


def carry_out(engine: Engine, program: Program) -> int:
    """Does everything that waits, oldest first, unless another process is doing so; how many actions."""
    with ledger.alone_or_not(engine, "decisions") as is_alone:
        if not is_alone:
            return 0
        with engine.connect() as connection:
            waiting = connection.execute(sql.statement("operator/list_open_actions")).mappings().all()
        for action in waiting:
            _do(engine, program, dict(action))
        return len(waiting)


def _do(engine: Engine, program: Program, action: dict[str, Any]) -> None:
    try:
        outcome, detail = "done", _done(engine, program, action)
    except Exception as error:  # noqa: BLE001, it is written down beside the action
        outcome, detail = "failed", logs.describe(error)
    with engine.begin() as connection:
        actions.end(connection, action["action_id"], "done" if outcome == "done" else "failed", detail)
    log.info("operator's action", action=action["action"], outcome=outcome, detail=detail)


def _done(engine: Engine, program: Program, action: dict[str, Any]) -> str:
    now = datetime.now(UTC)
    if action["action"] in ("release", "discard"):
        return held.result_in_words(
            held.decide(engine, action["action"], At(action["run_id"], now), program.tables.guests)
        )
    if action["action"] == "run":
        return "; ".join(report.in_words() for report in by_hand(engine, program, action["job"], ORDINARY, None))
    with engine.begin() as connection:
        if action["action"] == "pause":
            actions.set_pause(connection, action["job"], now, action["until"], action["reason"])
            return "paused"
        return "resumed" if actions.end_pause(connection, action["job"], now) else "it was not paused"
