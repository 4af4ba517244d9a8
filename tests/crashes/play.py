"""Playing the script twice: once undisturbed, once with every command killed or its database restarted on the way."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg

from tests.crashes import state
from tests.crashes.hand import KILLED
from tests.crashes.stage import ANNOUNCEMENT, Stage, Step, steps
from tests.crashes.state import Difference, State

GOOD = (0, 3)
DECISIONS = ("release", "release", "discard")
"""What the operator does with the first held run, the second, and so on in turn."""


@dataclass
class Figures:
    """What was done to the jobs, and what came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    came_too_late: int = 0
    commands: int = 0
    compared: int = 0
    rows: int = 0
    differences: list[Difference] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    points: set[tuple[str, int]] = field(default_factory=set)
    sent: Counter[str] = field(default_factory=Counter)
    doubles: int = 0
    seconds: float = 0.0

    @property
    def disturbances(self) -> int:
        return sum(self.kills.values()) + self.restarts


@dataclass(frozen=True)
class Done:
    """One command of the undisturbed play: how long it took, how many points it passed, and the state after it."""

    step: Step
    seconds: float
    points: int
    state: State


def undisturbed(stage: Stage) -> list[Done]:
    """Plays the script; a held run is decided by the operator at once, as a step of its own."""
    done: list[Done] = []

    def play(step: Step) -> None:
        stage.points.aim(0)
        began = time.monotonic()
        _peacefully(stage, words_of(stage, step))
        if step.words == ANNOUNCEMENT:
            _peacefully(stage, step.refresh)
        done.append(Done(step, time.monotonic() - began, stage.points.passed(), read(stage)))

    _through(stage, play)
    return done


def _through(stage: Stage, play: Callable[[Step], None]) -> None:
    decided = 0
    for step in steps(stage.population):
        stage.happens(step.at)
        play(step)
        for _ in held(stage):
            play(Step(("held", DECISIONS[decided % len(DECISIONS)]), step.at, step.as_of + timedelta(minutes=2)))
            decided += 1


def held(stage: Stage) -> list[int]:
    """Runs that wait for the operator."""
    rows = stage.ask("select run_id from pipeline.held_run where decision is null order by held_at, gate, run_id")
    return [int(str(run)) for (run,) in rows]


def words_of(stage: Stage, step: Step) -> tuple[str, ...]:
    """The command, naming the run that is held here."""
    if step.words[0] != "held":
        return step.command
    return (*step.words, str(held(stage)[0]), *step.command[len(step.words) :])


def _peacefully(stage: Stage, words: tuple[str, ...]) -> None:
    stage.points.aim(0)
    code = stage.hand.run(*words)
    assert code in GOOD, f"{words} ended with {code}; see {stage.hand.log}"


def read(stage: Stage) -> State:
    with psycopg.connect(stage.database_url, autocommit=True) as connection:
        return state.read(connection)


class Disturbed:
    """The second play. Each command is tried until it ends in peace; tries before are killed or lose their database."""

    def __init__(self, stage: Stage, expected: list[Done], times: int, seed: int) -> None:
        self.stage = stage
        self.expected = expected
        self.figures = Figures()
        self.random = random.Random(seed)
        self.each = -(-times // len(expected))
        self.turn = 0

    def play(self) -> Figures:
        began = time.monotonic()
        _through(self.stage, self._play)
        self.figures.seconds = time.monotonic() - began
        return self.figures

    def _play(self, step: Step) -> None:
        expected = self.expected[self.figures.commands]
        assert (expected.step.words, expected.step.as_of) == (step.words, step.as_of), (
            f"{step} instead of {expected.step}"
        )
        words = words_of(self.stage, step)
        before = self.figures.disturbances
        for _ in range(2 * self.each):
            if self.figures.disturbances - before < self.each:
                self._disturb(words, expected)
                if step.words == ANNOUNCEMENT and self._is_announced(step):
                    break
        else:
            _peacefully(self.stage, words)
        self.figures.commands += 1
        self._compare(step, expected)

    def _is_announced(self, step: Step) -> bool:
        """What was announced before a kill is sent by the next refresh, to everybody; else it is to be announced."""
        _peacefully(self.stage, step.refresh)
        sent = self.stage.ask("select count(*) from notification where type = 'SYSTEM_ANNOUNCEMENT'")
        customers = self.stage.ask("select count(*) from me_status")
        assert sent in ([(0,)], customers), f"announced to {sent} of {customers}"
        return sent == customers

    def _disturb(self, words: tuple[str, ...], expected: Done) -> None:
        self.turn += 1
        if self.turn % 5 == 0:
            self._restart_under(words, expected.seconds)
        elif self.turn % 17 == 0:
            self._kill_process(words)
        elif self.turn % 2 and expected.points:
            self._kill_at_point(words, expected)
        else:
            self._kill_after_a_while(words, expected.seconds)

    def _kill_after_a_while(self, words: tuple[str, ...], seconds: float) -> None:
        self.stage.points.aim(0)
        worker = self.stage.hand.start(*words)
        time.sleep(self.random.uniform(0, seconds))
        _kill(worker)
        self._count_kill("at any moment", self.stage.hand.done())
        self.stage.points.await_quiet()

    def _kill_at_point(self, words: tuple[str, ...], expected: Done) -> None:
        """Killed with a statement or a commit under way, which the server then finishes or not."""
        point = self.random.randint(1, expected.points)
        points = self.stage.points
        points.aim(point)
        worker = self.stage.hand.start(*words)
        waiter = threading.Thread(target=self._kill_where_it_stands, args=(worker,), daemon=True)
        self.over = False
        waiter.start()
        code = self.stage.hand.done()
        self.over = True
        waiter.join()
        if code == KILLED:
            self.figures.points.add((expected.step.words[-1], point))
        self._count_kill("at a statement or commit", code)
        (points.let_go if self.random.random() < 0.5 else points.break_off)()
        points.await_quiet()

    def _kill_where_it_stands(self, worker: int) -> None:
        while not self.over:
            if self.stage.points.waiting() is not None:
                _kill(worker)
                return
            time.sleep(0.003)

    def _restart_under(self, words: tuple[str, ...], seconds: float) -> None:
        """The worker is left alive: it fails, or comes through on new connections."""
        self.stage.points.aim(0)
        self.stage.hand.start(*words)
        time.sleep(self.random.uniform(0, seconds))
        self.stage.server.crash()
        self.stage.points.close()
        self.stage.hand.done()
        self.stage.points.aim(0)
        self.figures.restarts += 1
        self.stage.points.await_quiet()

    def _kill_process(self, words: tuple[str, ...]) -> None:
        """An ordinary process of the installed command."""
        self.stage.points.aim(0)
        command = Path(sys.executable).with_name("me-status")
        worker = subprocess.Popen(
            [command, *words],
            env=self.stage.hand.environment,
            cwd=self.stage.hand.log.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(self.random.uniform(0.5, 2.5))
        worker.kill()
        self._count_kill("as a process of its own", worker.wait())
        self.stage.points.await_quiet()

    def _count_kill(self, kind: str, code: int) -> None:
        if code == KILLED:
            self.figures.kills[kind] += 1
        else:
            self.figures.came_too_late += 1

    def _compare(self, step: Step, expected: Done) -> None:
        found = read(self.stage)
        different = state.differences(expected.state, found)
        self._count()
        self.figures.compared += 1
        self.figures.rows += sum(len(rows) for rows in found.values())
        self.figures.differences += different
        listed = "\n  ".join(str(difference) for difference in different)
        assert not different, f"after {step.command}:\n  {listed}"

    def _count(self) -> None:
        """The most of everything: the last command forgets what is old."""
        self.figures.runs |= Counter({str(name): int(str(count)) for name, count in self.stage.ask(RUNS)})
        self.figures.sent |= Counter({str(name): int(str(count)) for name, count in self.stage.ask(SENT)})
        self.figures.doubles = max(self.figures.doubles, int(str(self.stage.ask(DOUBLES)[0][0])))


RUNS = "select outcome, count(*) from job_run group by outcome"
SENT = "select type, count(*) from notification group by type"
DOUBLES = """
-- A customer that another was merged into has the notifications of both.
select count(*)
from (
    select created_at - lag(created_at) over (partition by customer_id, type, source_id order by created_at) as gap
    from notification
    where customer_id not in (select customer_id from pipeline.account_redirect)
) as sent
where gap < interval '1 hour'
"""


def _kill(worker: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
