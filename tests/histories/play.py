"""A history from its first sync to its verdict."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.crashes.hand import Hand
from tests.histories import notes
from tests.histories.checking import Verdict, check, lagging
from tests.histories.model import Model
from tests.histories.running import Length, Tally, Troupe
from tests.histories.stage import Stage, set_up

GOOD = (0, 3)
LOOK_SECONDS = 0.5
FIRST = ("sync-salesforce", "sync-whmcs", "refresh")


@dataclass
class History:
    """What was played and found."""

    seed: int
    seconds: float = 0.0
    changes: int = 0
    broken: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    verdict: Verdict = field(default_factory=Verdict)
    wrong: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        doubled = [f"{what}, seen {times} times" for what, times in sorted(self.tally.doubled.items())]
        return [*self.wrong, *self.tally.wrong, *doubled, *self.verdict.violations]


def play(folder: Path, seed: int, length: Length) -> History:
    """Plays and checks a history; its notes and logs stay in the folder."""
    history = History(seed)
    with set_up(folder, length.customers, Random(seed)) as stage:
        run_all(stage)
        stage.serve()
        stage.wait_until_served()
        troupe = Troupe(stage, seed, length, history.tally)
        stage.start_readers(length.readers, seed)
        began = time.monotonic()
        troupe.start()
        while notes.count(folder) < length.answers and time.monotonic() - began < length.seconds:
            time.sleep(LOOK_SECONDS)
        troupe.stop()
        history.seconds = time.monotonic() - began
        ended = _end(stage, history)
        answers, kinds = notes.read(folder)
        history.changes = stage.sources.changes
        history.verdict = check(Model(stage.sources), answers, kinds)
        history.wrong += lagging(answers, kinds, ended)
    return history


def run_all(stage: Stage) -> None:
    """Both syncs, of everything, and a refresh, which the flood gate may hold."""
    with Hand(stage.environment, stage.folder / "all.log") as hand:
        for job in FIRST:
            code = hand.run("run", job, *(() if job == "refresh" else ("--full",)))
            assert code in GOOD, f"{job} ended with {code}; see {hand.log}"


def _end(stage: Stage, history: History) -> float:
    """In peace everything is read once more, which readers still see; since when their answers may be no older."""
    stage.wait_until_served()
    ended = time.time()
    run_all(stage)
    time.sleep(2 * LOOK_SECONDS)
    for said in stage.stop_readers():
        history.broken += said["broken"]
        history.statuses.update(said["statuses"])
        history.wrong += said["wrong"]
    return ended
